import react from '@vitejs/plugin-react';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, topic } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { files } from './fast-refresh-page.ts';
import { hotApp } from './hot-app.ts';

const contract = defineContract({ words: topic('words', { event: z.string(), snapshot: z.array(z.string()) }) });

/* React's Fast Refresh, by Vite. */
test('a component that is edited keeps its state and its subscription; an edited contract takes the topic over', async () => {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(
    await hotApp(files, {
      plugins: [react()],
      optimizeDeps: { noDiscovery: true, include: ['react', 'react-dom/client', 'react/jsx-dev-runtime'] },
    }),
  );
  const subscribed: string[] = [];
  const server = createServer(contract, {
    handlers: { words: { authorize: () => true, snapshot: () => ['a'] } },
    observe: ({ type }) => {
      if (type === 'subscribed') subscribed.push(type);
    },
  });
  const listener = await listen(server, { server: app.http });
  stack.defer(() => listener.close());
  await app.open();
  const { page } = app;
  const shows = (text: string): Promise<unknown> =>
    page.waitForFunction((text) => document.body.textContent.trim() === text, text);

  await shows('edition 0: 0 as they come live a');
  await page.click('button');
  for (let edit = 1; edit <= 4; edit++) {
    app.edit('words.jsx', /edition \d/, `edition ${edit}`);
    await shows(`edition ${edit}: 1 as they come live a`);
  }
  await server.topic('words').publish('b');
  await shows('edition 4: 1 as they come live a,b');
  expect([subscribed.length, server.stats().subscriptions, server.stats().peers]).toEqual([1, 1, 1]);

  app.edit('contract.js', /order = 'as they come'/, "order = 'newest first'");
  await shows('edition 4: 1 newest first live a');
  await server.topic('words').publish('c');
  await shows('edition 4: 1 newest first live c,a');
  expect([server.stats().subscriptions, server.stats().peers]).toEqual([1, 1]);
  expect(app.failed).toEqual([]);
});
