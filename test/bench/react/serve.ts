import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import { contract } from './contract.ts';
import { DURING_MS, EVENTS } from './figures.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The page, built for production, with the package in dist. */
export async function buildPage(): Promise<string> {
  const result = await build({
    configFile: false,
    // Warnings tell that `'use client'` means nothing here.
    logLevel: 'error',
    resolve: {
      alias: [
        { find: /^tautline\/react$/, replacement: `${root}dist/react/index.js` },
        { find: /^tautline$/, replacement: `${root}dist/index.js` },
      ],
    },
    build: {
      write: false,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: fileURLToPath(new URL('page.ts', import.meta.url)) },
    },
  });
  const chunk = 'output' in result ? result.output.find(({ type }) => type === 'chunk') : undefined;
  if (chunk?.type !== 'chunk') throw new TypeError('the page was not built into one bundle');
  return chunk.code;
}

/** What a page is measured against. */
export interface BenchServer extends AsyncDisposable {
  readonly url: string;
  /** Tells the events, evenly: to the topic, and to each bare socket a frame each. */
  tell(): Promise<void>;
}

export async function serve(script: string): Promise<BenchServer> {
  const http = createHttp((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? script : '<!doctype html><body></body><script type="module" src="/page.js"></script>');
  });
  const list: number[] = [];
  const server = createServer(contract, {
    handlers: { ticks: { authorize: () => true, snapshot: () => [...list] } },
  });
  const listener = await listen(server, { server: http, path: '/tautline' });
  const bare = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    if (request.url === '/raw') bare.handleUpgrade(request, socket, head, (ws) => bare.emit('connection', ws, request));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    async tell() {
      const start = performance.now();
      while (list.length < EVENTS) {
        const due = Math.min(EVENTS, Math.floor(((performance.now() - start) * EVENTS) / DURING_MS));
        while (list.length < due) {
          const event = list.push(list.length) - 1;
          for (const socket of bare.clients) socket.send(JSON.stringify(event));
          await server.topic('ticks').publish(event);
        }
        await delay(1);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of bare.clients) socket.terminate();
      await listener.close();
      http.closeAllConnections();
      http.close();
    },
  };
}
