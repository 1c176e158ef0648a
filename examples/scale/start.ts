/**
 * Two servers on one Redis behind a balancer, and 200 clients that count what they miss; and a page that shows it, with buttons
 * that do harm.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { servePage } from '../serve-page.ts';
import { Balancer } from './balancer.ts';
import { panel, type Act, type Figures, type Seen } from './contract.ts';
import { FROM_SOURCE, NodeProcess } from './nodes.ts';
import { Redis } from './redis.ts';

const redis = await Redis.start();
const balancer = new Balancer();
const port = await balancer.listen();
const nodes = ['one', 'two'].map((name) => new NodeProcess(name, redis.socket, balancer));
let isFrozen = false;
let seen: Seen = { connected: 0, calls: 0, failed: 0, events: 0, lost: 0, doubled: 0, gaps: 0, p50: 0, p99: 0 };
const clients = fork(fileURLToPath(new URL('clients.ts', import.meta.url)), {
  env: { ...process.env, URL: `ws://127.0.0.1:${port}/ws` },
  execArgv: FROM_SOURCE,
});
clients.on('message', (told: Seen) => (seen = told));

const figures = (): Figures => ({
  nodes: nodes.map((node) => node.figures),
  redis: isFrozen ? 'frozen' : 'up',
  seen,
});
const acts: Readonly<Record<Act, () => string | undefined | Promise<undefined>>> = {
  'stop a node': () => leave((node) => node.stop()),
  'kill a node': () => leave((node) => node.kill()),
  'empty Redis': empty,
  'freeze Redis': () => freeze(true),
  'thaw Redis': () => freeze(false),
};

/** One node leaves while the other one serves. */
function leave(how: (node: NodeProcess) => void): string | undefined {
  if (nodes.some(({ figures: { state } }) => state !== 'serving')) return 'Another node is not back yet.';
  how([...nodes].sort((one, other) => other.figures.clients - one.figures.clients)[0]!);
  return undefined;
}

async function empty(): Promise<undefined> {
  if (!isFrozen) await redis.empty();
}

function freeze(on: boolean): undefined {
  isFrozen = on;
  if (on) redis.freeze();
  else redis.thaw();
}

const server = createServer(panel, {
  handlers: {
    act: async ({ input, fail }) => {
      const why = await acts[input]();
      if (why !== undefined) fail('NOT_NOW', { why });
    },
    figures: { authorize: () => true, snapshot: figures },
  },
});
setInterval(() => {
  void server.topic('figures').publish(figures());
  process.send?.(figures());
}, 500);
// Whoever started it may do harm, too.
process.on('message', (act: Act) => void acts[act]());

const http: HttpServer = createHttpServer(servePage(new URL('page/', import.meta.url)));
await listen(server, { server: http, path: '/panel' });
http.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(http, 'listening');
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
console.log(`
Two servers, one Redis, a balancer and 200 clients: ${url}

What to try
  1. Press "Stop a node": it asks its clients to go. No call fails, nothing is lost.
  2. Press "Kill a node": it dies without a word. What it was working on may end as unknown; nothing is lost.
  3. Press "Freeze Redis": calls wait, then fail and say so. Press "Thaw Redis", and all goes on.
  4. Press "Empty Redis": each client is told one gap, and nothing is lost without a word.

Ctrl-C ends it.
`);

function end(): never {
  for (const node of nodes) node.close();
  clients.kill('SIGKILL');
  redis.close();
  process.exit();
}
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, end);
