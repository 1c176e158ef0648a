import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { routeServer } from '../../src/testing/playwright.ts';
import { launchChromium } from '../support/chromium.ts';
import { routedContract, type RoutedPage } from './routed-page.ts';
import { bundlePage } from './transport-page-server.ts';

/* An app in Chromium whose server is in the process of the test, behind Playwright's routes. */

let browser: Browser;
let script: string;
beforeAll(async () => {
  [browser, script] = await Promise.all([launchChromium(), bundlePage('routed-page.ts')]);
});
afterAll(() => browser.close());

const html = '<!doctype html><html lang="en"><title>routed</title><script type="module" src="/page.js"></script>';

/** A page of the app, from a server that has sockets of another kind alone. */
async function open() {
  const http = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : html);
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  let upgrades = 0;
  new WebSocketServer({ server: http }).on('connection', (socket) => {
    upgrades++;
    socket.send('from the network');
    socket.close();
  });
  const context = await browser.newContext();
  onTestFinished(async () => {
    await context.close();
    http.closeAllConnections();
    await once(http.close(), 'close');
  });
  const page = await context.newPage();
  const said: string[] = [];
  const server = await routeServer(page, routedContract, {
    url: /\/ws$/,
    handlers: {
      send: async ({ input }) => {
        const count = said.push(input);
        await server.topic('room').publish(input);
        return count;
      },
      room: { authorize: () => true, snapshot: () => [...said] },
    },
  });
  onTestFinished(() => server.close());
  const load = () => page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`, { waitUntil: 'load' });
  return {
    page,
    server,
    said,
    upgrades: () => upgrades,
    load,
    send: (text: string) => page.evaluate(`send(${JSON.stringify(text)})`),
    seen: () => page.evaluate<RoutedPage>('seen()'),
  };
}

test('an app calls, hears events and is told errors, and the test knows what it asked', async () => {
  const { server, load, send, seen, said, upgrades } = await open();
  said.push('before');
  await load();
  await server.settled();
  await send('hello');
  await server.settled();
  expect(await seen()).toEqual({ state: 'connected', codes: [], answers: [2], room: ['before', 'hello'] });
  await server.topic('room').publish('from the server');
  server.use({ send: ({ fail }) => fail('ROOM_FULL', { capacity: 2 }) });
  await send('one too many');
  await server.settled();
  expect(await seen()).toMatchObject({ answers: [2, 'ROOM_FULL'], room: ['before', 'hello', 'from the server'] });
  expect(server.calls('send').map(({ input, outcome }) => [input, outcome])).toEqual([
    ['hello', 'ok'],
    ['one too many', 'ROOM_FULL'],
  ]);
  expect(upgrades()).toBe(0);
});

test('a line that is cut, refused, late, frozen or restarted is what it is elsewhere', async () => {
  const { page, server, load, send, seen } = await open();
  await load();
  await server.settled();
  server.refuse();
  server.cut();
  await send('queued');
  await page.waitForFunction('seen().codes.length >= 2');
  expect((await seen()).codes.slice(0, 2)).toEqual([1006, 1006]);
  server.accept();
  await page.evaluate('wake()');
  await page.waitForFunction('seen().answers.length === 1');
  server.freeze();
  await send('frozen');
  await expect(server.settled({ timeoutMs: 1 })).rejects.toThrow('1 frames on their way');
  expect((await seen()).answers).toEqual([1]);
  server.thaw();
  server.delay(5);
  await server.settled();
  server.reset();
  await server.restart();
  await page.waitForFunction('seen().codes.at(-1) === 1012');
  await page.evaluate('wake()');
  await send('after');
  await page.waitForFunction('seen().answers.length === 3');
  await server.settled();
  expect(await seen()).toMatchObject({ answers: [1, 2, 3], room: ['queued', 'frozen', 'after'] });
});

test('a page that was loaded again is another client, of the same server', async () => {
  const { server, load, send, seen } = await open();
  await load();
  await send('one');
  await server.settled();
  await load();
  await send('two');
  await server.settled();
  expect(await seen()).toMatchObject({ answers: [2], room: ['one', 'two'] });
});

test('a socket that speaks something else goes to the network, whatever its URL', async () => {
  const { page, load, upgrades } = await open();
  await load();
  const heard = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const socket = new WebSocket('/ws');
        socket.onmessage = ({ data }) => resolve(data);
        socket.onclose = ({ code }) => resolve(code);
      }),
  );
  expect([heard, upgrades()]).toEqual(['from the network', 1]);
});
