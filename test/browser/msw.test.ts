import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import type { MockedPage } from './msw-page.ts';
import { bundlePage } from './transport-page-server.ts';

/* An app in Chromium whose server is a mock behind msw's service worker. */

let browser: Browser;
let script: string;
const worker = readFileSync(fileURLToPath(import.meta.resolve('msw/mockServiceWorker.js')), 'utf8');

beforeAll(async () => {
  [browser, script] = await Promise.all([launchChromium(), bundlePage('msw-page.ts')]);
});
afterAll(() => browser.close());

/** Runs the page, from a server with the script of the worker or without it, and counts its real upgrades. */
async function run(order: string, hasWorker: boolean): Promise<MockedPage & { readonly upgrades: number }> {
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/': [
      'text/html',
      '<!doctype html><html lang="en"><title>msw</title><script type="module" src="/page.js"></script>',
    ],
    '/page.js': ['text/javascript', script],
    '/plain': ['text/plain', 'from the network'],
    ...(hasWorker && { '/mockServiceWorker.js': ['text/javascript', worker] as const }),
  };
  let upgrades = 0;
  const server = createServer((request, response) => {
    const [type, text] = files[request.url ?? ''] ?? [];
    response.writeHead(type === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(text);
  });
  server.on('upgrade', (_request, socket) => {
    upgrades++;
    socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { waitUntil: 'load' });
    const seen = await page.evaluate(
      (order) => (globalThis as unknown as { run(order: string): Promise<MockedPage> }).run(order),
      order,
    );
    return { ...seen, upgrades };
  } finally {
    await context.close();
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
}

const works = {
  started: 'started',
  doubled: 42,
  limit: { max: 10 },
  counted: 200,
  echoed: 500_000,
  heard: ['hello', 'missed'],
  afterCut: 8,
  fetched: 'from the network',
};

test('an app that connects when the worker has started talks to the mock alone', async () => {
  expect(await run('worker-first', true)).toEqual({ ...works, upgrades: 0 });
});

test('where the script of the worker is missing, sockets are mocked all the same', async () => {
  expect(await run('worker-first', false)).toEqual({ ...works, started: 'failed', upgrades: 0 });
});

test('an app that connects before the worker has started fails once, and comes to the mock by itself', async () => {
  expect(await run('connect-first', true)).toEqual({ ...works, upgrades: 1 });
});

test('a lazy app that is there before the worker has started opens no socket until then', async () => {
  expect(await run('lazy-first', true)).toEqual({ ...works, upgrades: 0 });
});
