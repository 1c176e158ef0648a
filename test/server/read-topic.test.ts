import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract, topic } from '../../src/index.ts';
import { createServer, memoryBroker, snapshotAt } from '../../src/server/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const contract = defineContract({
  news: topic('news', { event: z.number() }),
  sum: topic('sums/{id}', {
    event: z.number(),
    snapshot: z.object({ sum: z.number() }),
    apply: ({ sum }, more) => ({ sum: sum + more }),
  }),
});

test('a server reads the state of a topic and where it stands; a client goes on from there', async () => {
  let sum = 0;
  await using pair = connectedPair(contract, {
    news: { authorize: () => true },
    sum: { authorize: () => true, snapshot: ({ params: { id } }) => ({ sum: id === 'a' ? sum : -1, secret: 1 }) },
  });
  const published = pair.server.topic('sum', { id: 'a' });
  await published.publish((sum = 5));
  const read = await published.read();
  expect(read).toEqual({ state: { sum: 5 }, position: [expect.any(String), 1] });
  await published.publish(2);

  const { hydrate, state, subscribe } = pair.client.sum({ id: 'a' });
  hydrate(read);
  expect(state.get()).toEqual({ sum: 5 });
  const snapshot = vi.fn();
  const subscription = subscribe({ snapshot });
  await subscription.ready;
  await pair.settled();
  // The state that the page had, and then the event: not the server's state once more.
  expect(snapshot.mock.calls).toEqual([[{ sum: 5 }, read.position]]);
  expect(state.get()).toEqual({ sum: 7 });
});

test('a state that was stored with its position stands there', async () => {
  const broker = memoryBroker();
  const position = await broker.publish('sums/a', '1');
  await broker.publish('sums/a', '1');
  const server = createServer(contract, {
    broker,
    handlers: {
      news: { authorize: () => true },
      sum: {
        authorize: () => true,
        snapshot: ({ params: { id } }) => snapshotAt({ sum: 1 }, id === 'a' ? position : null),
      },
    },
  });
  expect(await server.topic('sum', { id: 'a' }).read()).toEqual({ state: { sum: 1 }, position });
  expect((await server.topic('sum', { id: 'b' }).read()).position[1]).toBe(0);
  await server.close();
});

test('what can not be read is a rejection, and nothing stays open for it', async () => {
  const feeds = { open: 0 };
  const memory = memoryBroker();
  const server = createServer(contract, {
    broker: {
      ...memory,
      publish: (...given) => memory.publish(...given),
      close: () => memory.close(),
      subscribe: async (...given) => {
        const feed = await memory.subscribe(...given);
        feeds.open++;
        return { ...feed, head: feed.head, read: feed.read, close: () => (feeds.open--, feed.close()) };
      },
    },
    handlers: {
      news: { authorize: () => true },
      sum: {
        authorize: () => true,
        snapshot: ({ params: { id } }) => {
          if (id === 'a') throw new Error('no database');
          return { sum: 'many' as unknown as number };
        },
      },
    },
  });
  await expect(server.topic('news').read()).rejects.toThrow('read: news declares no snapshot');
  await expect(server.topic('sum', { id: 'a' }).read()).rejects.toThrow('no database');
  await expect(server.topic('sum', { id: 'b' }).read()).rejects.toThrow(/snapshot of sum/);
  expect(feeds.open).toBe(0);
  await server.close();
  await memory.close();
});
