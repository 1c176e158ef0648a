/** Files of an app, as Vite serves them. The module that connects keeps its connection, as the docs say. */
export const files: Readonly<Record<string, string>> = {
  'index.html':
    '<!doctype html><html lang="en"><title>hot</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>',
  'contract.js': `
    import { defineContract, query, topic } from 'tautline';
    import { z } from 'zod';
    export const contract = defineContract({ get: query({ output: z.string() }), room: topic('room', { event: z.string() }) });`,
  'client.js': `
    import { connect, createClient } from 'tautline';
    import { contract } from './contract.js';
    const connection = import.meta.hot?.data.connection ?? connect('/ws');
    if (import.meta.hot) import.meta.hot.data.connection = connection;
    export const client = createClient(contract, connection);
    export const edition = 0;`,
  'main.js': `
    import { client, edition } from './client.js';
    globalThis.heard ??= [];
    globalThis.shown?.stop();
    const room = client.room().subscribe((event) => globalThis.heard.push(event));
    globalThis.shown = { edition, client, ready: room.ready, stop: () => room.unsubscribe() };
    import.meta.hot.accept();`,
};
