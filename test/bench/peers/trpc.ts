import { EventEmitter, on } from 'node:events';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { order, type Order } from '../order.ts';
import { orderSchema } from '../order-schema.ts';
import type { Host, Peer, PeerClient, PeerServer } from './peer.ts';

interface Publications {
  readonly emitter: EventEmitter;
  taken: number;
}

const createRouter = (publications: Publications) => {
  const { procedure, router } = initTRPC.create();
  const news = z.object({ topic: z.string(), event: orderSchema });
  return router({
    echo: procedure
      .input(orderSchema)
      .output(orderSchema)
      .query(({ input }) => input),
    never: procedure
      .input(orderSchema)
      .output(orderSchema)
      .query(() => new Promise<Order>(() => undefined)),
    publish: procedure.input(news).mutation(({ input: { topic, event } }) => {
      publications.taken++;
      publications.emitter.emit(topic, event);
    }),
    news: procedure.input(z.object({ topic: z.string() })).subscription(({ input, signal }) => {
      // Listens from here, not from the first step of the loop.
      const events = on(publications.emitter, input.topic, { signal: signal! }) as AsyncIterable<[Order]>;
      return (async function* () {
        for await (const [event] of events) yield event;
      })();
    }),
    items: procedure.input(z.object({ count: z.int() })).subscription(async function* ({ input }) {
      for (let given = 0; given < input.count; given++) yield order;
    }),
  });
};

type Router = ReturnType<typeof createRouter>;

async function serve({ http }: Host): Promise<PeerServer> {
  const publications: Publications = { emitter: new EventEmitter(), taken: 0 };
  publications.emitter.setMaxListeners(0);
  applyWSSHandler({ wss: new WebSocketServer({ server: http }), router: createRouter(publications) });
  return {
    publish: (topic, event) => {
      publications.emitter.emit(topic, event);
    },
    get taken() {
      return publications.taken;
    },
  };
}

function connect(port: number): PeerClient {
  let open!: () => void;
  const connected = new Promise<void>((resolve) => (open = resolve));
  const socket = createWSClient({ url: `ws://127.0.0.1:${port}/ws`, onOpen: () => open() });
  const client = createTRPCClient<Router>({ links: [wsLink<Router>({ client: socket })] });
  return {
    connected: () => connected,
    call: (input) => client.echo.query(input),
    callInVain: (input) => client.never.query(input),
    subscribe: (topic, listener) =>
      new Promise<void>((resolve, reject) => {
        client.news.subscribe({ topic }, { onData: listener, onStarted: () => resolve(), onError: reject });
      }),
    readItems: (count, listener) =>
      new Promise<void>((resolve, reject) => {
        client.items.subscribe({ count }, { onData: listener, onComplete: resolve, onError: reject });
      }),
    publish: (topic, event) => client.publish.mutate({ topic, event }),
    // All have an answer here, and of most nobody looks at it.
    flood: async (topic, event, count) => {
      let last: Promise<unknown> | undefined;
      for (let sent = 0; sent < count; sent++) {
        last = client.publish.mutate({ topic, event });
      }
      await last;
      await client.publish.mutate({ topic, event });
    },
    close: () => socket.close(),
  };
}

/** tRPC over WebSocket. */
export const trpc: Peer = { serve, connector: async () => connect };
