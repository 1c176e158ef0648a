import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, query, topic } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { hotApp } from './hot-app.ts';
import { files } from './hot-page.ts';

interface App {
  readonly heard: readonly string[];
  readonly shown: {
    readonly edition: number;
    readonly ready: Promise<void>;
    readonly client: { get(): Promise<string> };
  };
}

const contract = defineContract({ get: query({ output: z.string() }), room: topic('room', { event: z.string() }) });

/* Vite's own hot updates, on the port of its dev server, of the module that connects. */
test('four edits of the module that connects leave one socket, which goes on', async () => {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await hotApp(files));
  const { page, failed } = app;
  const server = createServer(contract, { handlers: { get: () => 'got', room: { authorize: () => true } } });
  const listener = await listen(server, { server: app.http });
  stack.defer(() => listener.close());
  await app.open();
  const edition = (wanted: number): Promise<unknown> =>
    page.waitForFunction((wanted) => (globalThis as unknown as App).shown?.edition === wanted, wanted);
  await edition(0);
  for (let edit = 1; edit <= 4; edit++) {
    app.edit('client.js', /edition = \d/, `edition = ${edit}`);
    await edition(edit);
  }
  expect(await page.evaluate(() => (globalThis as unknown as App).shown.client.get())).toBe('got');
  await page.evaluate(() => (globalThis as unknown as App).shown.ready);
  await server.topic('room').publish('hello');
  await page.waitForFunction(() => (globalThis as unknown as App).heard.length > 0);
  expect(await page.evaluate(() => (globalThis as unknown as App).heard)).toEqual(['hello']);
  expect(server.stats()).toMatchObject({ peers: 1, clients: 1, subscriptions: 1 });
  expect(failed).toEqual([]);
});
