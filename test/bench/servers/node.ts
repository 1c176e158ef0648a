/* One server, in a process of its own. */
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@redis/client';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { redisBroker, redisCallStore } from 'tautline/server/redis';
import { answerParent, childArgument } from '../answer-parent.ts';
import { order } from '../order.ts';
import { cpuMs } from '../spent.ts';
import { contract } from './contract.ts';

/** What it is told at its start. */
export interface NodeTask {
  /** Socket file of the Redis that it shares with others. @default it is alone, and needs none */
  readonly redis?: string;
  /** Socket file that it listens on. @default a free port */
  readonly path?: string;
}

/** What it can be asked to do. */
export type NodeOperations = typeof operations;

const { redis, path } = childArgument<NodeTask>();
const shared = redis === undefined ? undefined : await share(redis);
const server = createServer(contract, {
  broker: shared?.broker,
  callStore: shared?.callStore,
  authenticate: ({ token }) => ({ identity: token ?? 'anonymous', context: undefined }),
  // Above what one connection can do here: otherwise the limit would be measured.
  limits: { messagesPerSecond: 10_000_000, messageBurst: 10_000_000 },
  handlers: {
    echo: ({ input }) => input,
    tick: async ({ input }) => {
      await server.topic('ticks').publish(input);
    },
    ticks: { authorize: () => true },
    orders: { authorize: () => true, publish: () => undefined },
  },
});
/** What a balancer asks, now and then. */
const http = createHttp((_request, response) => {
  const { state } = server.health();
  response.writeHead(state === 'closing' ? 503 : 200).end(state, () => http.emit('answered'));
});
const checked = once(http, 'answered');
const listener = await listen(server, { server: http });
http.listen(path ?? { port: 0, host: '127.0.0.1' });
await once(http, 'listening');

async function share(socket: string) {
  const commands = createClient({ socket: { path: socket, tls: false } });
  const subscriber = commands.duplicate();
  for (const client of [commands, subscriber]) {
    client.on('error', () => undefined);
    await client.connect();
  }
  const clients = { commands, subscriber };
  return { broker: redisBroker(clients), callStore: redisCallStore(clients) };
}

const operations = {
  port: async () => (http.address() as AddressInfo).port,
  cpuMs: async () => cpuMs(),
  clients: async () => server.stats().peers,
  publish: async () => {
    await server.topic('orders').publish(order);
  },
  revoke: async (identity: string) => server.topic('orders').revoke(identity),
  disconnect: async (identity: string) => server.disconnect(identity),
  /** Resolves when a balancer has found it well for the first time. */
  checked: async () => {
    await checked;
  },
  /** Its clients are asked to go. Resolves when nothing is left of it but the process. */
  leave: async (withinMs: number) => {
    await listener.close({ withinMs });
    await shared?.callStore.close();
    http.closeAllConnections();
    await new Promise((closed) => http.close(closed));
  },
};
answerParent(operations);
