import type * as library from 'tautline';
import type * as engine from 'tautline/server';
import type * as node from 'tautline/server/node';
import { z } from 'zod';
import { order } from '../order.ts';
import { orderSchema } from '../order-schema.ts';
import type { Host, Peer, PeerClient, PeerServer, RaisedLimits, Source } from './peer.ts';

type Library = typeof library;
type ServerLibrary = typeof engine & typeof node;

async function loadClient(source: Source): Promise<Library> {
  return source === 'src' ? import('../../../src/index.ts') : import('tautline');
}

async function loadServer(source: Source): Promise<ServerLibrary> {
  const [engineHalf, nodeHalf] =
    source === 'src'
      ? await Promise.all([import('../../../src/server/index.ts'), import('../../../src/server/node.ts')])
      : await Promise.all([import('tautline/server'), import('tautline/server/node')]);
  return { ...engineHalf, ...nodeHalf };
}

const defineOrders = ({
  defineContract,
  query,
  stream,
  topic,
}: Pick<Library, 'defineContract' | 'query' | 'stream' | 'topic'>) =>
  defineContract({
    echo: query({ input: orderSchema, output: orderSchema }),
    never: query({ input: orderSchema, output: orderSchema }),
    items: stream({ input: z.object({ count: z.int() }), output: orderSchema }),
    news: topic('news/{name}', { event: orderSchema }),
  });

/** Both are above what one connection can do here: otherwise the limit would be measured. */
const ANY_RATE = { messagesPerSecond: 10_000_000, messageBurst: 10_000_000 };

async function serve(source: Source, { http }: Host, limits: RaisedLimits): Promise<PeerServer> {
  const { createServer, listen } = await loadServer(source);
  let taken = 0;
  const server = createServer(defineOrders(await loadClient(source)), {
    limits: { ...ANY_RATE, ...limits.server },
    handlers: {
      echo: ({ input }) => input,
      never: () => new Promise(() => undefined),
      async *items({ input }) {
        for (let given = 0; given < input.count; given++) yield order;
      },
      news: {
        authorize: () => true,
        publish: () => {
          taken++;
        },
      },
    },
  });
  await listen(server, { server: http });
  return {
    publish: (name, event) => server.topic('news', { name }).publish(event),
    get taken() {
      return taken;
    },
  };
}

/** Tautline, from its package or from its sources. */
export const tautline = (source: Source): Peer => ({
  serve: (host, limits) => serve(source, host, limits),
  connector: async ({ queue }) => {
    const { connect, createClient, ...rest } = await loadClient(source);
    const contract = defineOrders(rest);
    return (port) => {
      const connection = connect(`ws://127.0.0.1:${port}/ws`, { lazy: false, queue });
      const client = createClient(contract, connection);
      const connected = new Promise<void>((resolve) => {
        connection.on('status', ({ state }) => {
          if (state === 'connected') resolve();
        });
      });
      return {
        connected: () => connected,
        call: client.echo,
        callInVain: client.never,
        subscribe: (name, listener) => client.news({ name }).subscribe(listener).ready,
        readItems: async (count, listener) => {
          for await (const _item of client.items({ count })) listener();
        },
        publish: (name, event) => client.news({ name }).publish(event),
        flood: async (name, event, count) => {
          const topic = client.news({ name });
          let last: Promise<unknown> | undefined;
          for (let sent = 0; sent < count; sent++) last = topic.publish(event, { delivery: 'lossy' });
          // One that may not be dropped would make those go that still wait.
          await last;
          await topic.publish(event);
        },
        close: () => connection.close(),
      } satisfies PeerClient;
    };
  },
});
