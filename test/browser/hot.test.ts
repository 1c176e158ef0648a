import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createVite } from 'vite';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, query, topic } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { launchChromium } from '../support/chromium.ts';
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
const root = fileURLToPath(new URL('../../', import.meta.url));

/* Vite's own hot updates, on the port of its dev server, of the module that connects. */
test('four edits of the module that connects leave one socket, which goes on', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'tautline-hot-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const vite = await createVite({
    root: folder,
    configFile: false,
    logLevel: 'error',
    cacheDir: join(folder, '.vite'),
    resolve: { alias: { tautline: `${root}src/index.ts`, zod: fileURLToPath(import.meta.resolve('zod')) } },
    server: {
      host: '127.0.0.1',
      port: 0,
      watch: null,
      fs: { allow: [folder, root, realpathSync(join(root, 'node_modules'))] },
    },
    // What they find late they reload the page for.
    optimizeDeps: { noDiscovery: true },
  });
  stack.defer(() => vite.close());
  await vite.listen();
  const server = createServer(contract, { handlers: { get: () => 'got', room: { authorize: () => true } } });
  const listener = await listen(server, { server: vite.httpServer as HttpServer });
  stack.defer(() => listener.close());
  const browser = await launchChromium();
  stack.defer(() => browser.close());

  const failed: string[] = [];
  const page = await browser.newPage();
  // What is edited before that is told to nobody.
  const isHot = page.waitForEvent('console', (message) => message.text().includes('[vite] connected'));
  page.on('pageerror', (error) => failed.push(error.message));
  await page.goto(`http://127.0.0.1:${(vite.httpServer!.address() as AddressInfo).port}/`);
  const edition = (wanted: number): Promise<unknown> =>
    page.waitForFunction((wanted) => (globalThis as unknown as App).shown?.edition === wanted, wanted);
  await Promise.all([isHot, edition(0)]);
  const file = join(folder, 'client.js');
  for (let edit = 1; edit <= 4; edit++) {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/edition = \d/, `edition = ${edit}`));
    // A watcher of files takes two quick edits for one.
    vite.watcher.emit('change', file);
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
