/* A server that uses the package as it is published; it needs the types of Node. */
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { connectedPair } from 'tautline/testing';
import { contract } from './page.js';

export async function useServer(): Promise<void> {
  const server = createServer(contract, {
    authenticate: ({ token = '' }) => ({ identity: token, context: { name: token } }),
    handlers: {
      ping: ({ context }) => context.name,
      forget: () => undefined,
      users: { get: ({ input }) => ({ name: input.id.toFixed() }) },
      async *reply({ input }) {
        yield input.toUpperCase();
      },
      async *beats() {
        yield 1;
      },
      room: { authorize: ({ params }) => params.roomId === '1', publish: () => {}, snapshot: () => [] },
      news: { authorize: () => true, publish: () => {} },
      total: { authorize: () => true, publish: () => {}, snapshot: () => 0 },
    },
  });
  const listener = await listen(server, { port: 0 });
  listener.url.toUpperCase();
  const pair = connectedPair(contract, {} as never);
  await pair.client.ping();
}
