import { dehydrate, hydrate, QueryClient } from '@tanstack/query-core';
import { describe, expect, test, vi } from 'vitest';
import { attachTopics, queryUtils } from '../../src/tanstack-query/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';
import { answer, QueryWorld } from './world.ts';

const world = scripted();
const queries = new QueryWorld();

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];
const live = (n: number, state: object) => [
  ['subscribed', n, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], state],
];

async function start() {
  const client = world.start();
  const q = queryUtils(client);
  return { client, q, socket: await world.welcomed(), detach: attachTopics(queries.client, client) };
}

async function say(socket: ScriptedSocket, ...messages: unknown[]): Promise<void> {
  await socket.say(...messages);
  await settle();
}

describe('the state of a topic', () => {
  test('is subscribed once for all who show it, and each state of it is in the cache', async () => {
    const { q, socket } = await start();
    const shown = [1, 2].map(() => queries.show(q.counts.stateOptions()));
    await settle();
    expect(shown[0]!.status).toBe('pending');
    await say(socket, ...live(1, { a: 1 }));
    expect(shown.map(({ status, data }) => [status, data])).toEqual(Array(2).fill(['success', { a: 1 }]));
    await say(socket, count(1, 'a', 2), count(2, 'b', 3));
    expect(shown[1]!.data).toEqual({ a: 2, b: 3 });
    expect(queries.client.getQueryData(q.counts.stateKey())).toEqual({ a: 2, b: 3 });
    expect(socket.all('subscribe')).toHaveLength(1);
  });

  test('that comes in one frame with what follows it is the newest', async () => {
    const { q, socket } = await start();
    const shown = queries.show(q.counts.stateOptions());
    await settle();
    await say(socket, ...live(1, { a: 1 }), count(1, 'a', 2));
    expect(shown.data).toEqual({ a: 2 });
  });

  test('is left 1 s after nobody shows it, not by who comes back before', async () => {
    const { q, socket } = await start();
    const first = queries.show(q.counts.stateOptions());
    await settle();
    await say(socket, ...live(1, { a: 1 }));
    first.leave();
    await vi.advanceTimersByTimeAsync(900);
    const second = queries.show(q.counts.stateOptions());
    await vi.advanceTimersByTimeAsync(5_000);
    expect(second.data).toEqual({ a: 1 });
    expect(world.connection.stats().subscriptions).toBe(1);
    second.leave();
    await vi.advanceTimersByTimeAsync(2_500);
    expect(world.connection.stats().subscriptions).toBe(0);
    expect(socket.all('unsubscribe')).toHaveLength(1);
  });

  test('is left at once when its entry is gone, and when all is detached', async () => {
    const { q, detach } = await start();
    queries.show(q.counts.stateOptions());
    await settle();
    queries.client.removeQueries({ queryKey: q.key() });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(world.connection.stats().subscriptions).toBe(0);
    queries.show(q.counts.stateOptions());
    await settle();
    detach();
    queries.client.clear();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('that is refused is an error, at once and later on; nothing of it stays', async () => {
    const { q, socket } = await start();
    const shown = queries.show(q.counts.stateOptions());
    await settle();
    await say(socket, ['unsubscribed', 1, 'counts', { code: 'FORBIDDEN', message: 'no' }]);
    expect(shown).toMatchObject({ status: 'error', error: { code: 'FORBIDDEN' }, fetchStatus: 'idle' });
    shown.leave();
    await vi.advanceTimersByTimeAsync(2_000);
    const later = queries.show(q.counts.stateOptions());
    await settle();
    await say(socket, ...live(2, { a: 1 }));
    expect(later.data).toEqual({ a: 1 });
    await say(socket, ['unsubscribed', 2, 'counts', { code: 'FORBIDDEN', message: 'no' }]);
    expect(later).toMatchObject({ status: 'error', data: undefined, error: { code: 'FORBIDDEN' } });
  });

  test('of another server’s render is shown at once, and fed', async () => {
    const { q, socket } = await start();
    const other = new QueryClient();
    other.setQueryData(q.counts.stateKey(), { a: 0 });
    hydrate(queries.client, JSON.parse(JSON.stringify(dehydrate(other))));
    const shown = queries.show(q.counts.stateOptions());
    expect(shown).toMatchObject({ status: 'success', data: { a: 0 }, fetchStatus: 'idle' });
    await settle();
    await say(socket, ...live(1, { a: 1 }));
    expect(shown.data).toEqual({ a: 1 });
    other.clear();
  });

  test('of another server’s render, with its position, goes on from there', async () => {
    const { client, q, socket } = await start();
    const initial = { state: { a: 1 }, position: ['E', 7] } as const;
    client.counts().hydrate(initial);
    const shown = queries.show(q.counts.stateOptions(undefined, { initialData: initial.state }));
    expect(shown).toMatchObject({ data: { a: 1 }, fetchStatus: 'idle' });
    await settle();
    expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'counts', ['E', 7]]]);
    await say(socket, ['subscribed', 1, 'counts', ['E', 8], 'resumed'], count(8, 'b', 2));
    expect(shown.history).toEqual([{ a: 1, b: 2 }]);
  });

  test('two QueryClients of one client are fed by one subscription', async () => {
    const { client, q, socket } = await start();
    const other = new QueryClient();
    const detach = attachTopics(other, client);
    const shown = [queries.client, other].map((each) => queries.show(q.counts.stateOptions(), each));
    await settle();
    await say(socket, ...live(1, { a: 1 }), count(1, 'a', 2));
    expect(shown.map(({ data }) => data)).toEqual([{ a: 2 }, { a: 2 }]);
    expect(socket.all('subscribe')).toHaveLength(1);
    detach();
    other.clear();
  });
});

describe('the state of a topic that a storage brings back', () => {
  const show = (q: Awaited<ReturnType<typeof start>>['q']) => queries.show(q.counts.stateOptions());
  /** What a persister writes at this moment, and what is read from that. */
  const stored = () => JSON.stringify(dehydrate(queries.client));
  const reload = async (storage: string) => {
    queries.client.clear();
    await world.connection.close();
    queries.client = new QueryClient();
    hydrate(queries.client, JSON.parse(storage));
    return start();
  };
  /** Was shown with these states, one after the other. */
  const shownBefore = async (...after: unknown[][]) => {
    const { q, socket } = await start();
    const shown = show(q);
    await settle();
    await say(socket, ...live(1, { a: 1 }), ...after);
    return { q, shown, socket };
  };

  test('is shown at once, and goes on from its position', async () => {
    await shownBefore(count(1, 'a', 2));
    const { q, socket } = await reload(stored());
    const shown = show(q);
    expect(shown).toMatchObject({ status: 'success', data: { a: 2 }, fetchStatus: 'idle' });
    await settle();
    expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'counts', ['E', 1]]]);
    await say(socket, ['subscribed', 1, 'counts', ['E', 2], 'resumed'], count(2, 'b', 3));
    expect(shown.data).toEqual({ a: 2, b: 3 });
    await reload(stored()).then(({ q: again }) => show(again));
    const next = await world.welcomed();
    expect(next.all('subscribe')).toEqual([['subscribe', 1, 'counts', ['E', 2]]]);
  });

  test('whoever writes it at any moment has the state of its position', async () => {
    const { q, socket } = await start();
    const pairs: unknown[] = [];
    queries.client.getQueryCache().subscribe(({ query }) => {
      const { data, fetchMeta } = query.state;
      if (fetchMeta !== null) pairs.push([data, (fetchMeta as { position?: unknown }).position]);
    });
    show(q);
    await settle();
    await say(socket, ...live(1, { a: 1 }), count(1, 'a', 2));
    await say(socket, count(2, 'a', 3));
    // Asked for again, while events come.
    void queries.client.invalidateQueries({ queryKey: q.counts.stateKey() });
    await say(socket, count(3, 'a', 4), count(4, 'a', 5));
    await say(socket, count(5, 'a', 6));
    const told = new Map(pairs.map((pair) => [JSON.stringify(pair), pair]));
    expect([...told.values()]).toEqual([
      [{ a: 2 }, ['E', 1]],
      [{ a: 3 }, ['E', 2]],
      [{ a: 5 }, ['E', 4]],
      [{ a: 6 }, ['E', 5]],
    ]);
  });

  test('is asked for anew where the app has put something else into its entry', async () => {
    const { q } = await shownBefore(count(1, 'a', 2));
    queries.client.setQueryData(q.counts.stateKey(), { a: 7 });
    const { q: again, socket } = await reload(stored());
    const shown = show(again);
    await settle();
    expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'counts']]);
    await say(socket, ...live(1, { a: 2 }));
    expect(shown.data).toEqual({ a: 2 });
  });

  test('is asked for anew where it lacked an event', async () => {
    const { shown, socket } = await shownBefore(['event', 'counts', 1, { key: 'a' }]);
    await settle();
    expect([shown.data, socket.all('subscribe').length]).toEqual([{ a: 1 }, 2]);
    const { q: again, socket: next } = await reload(stored());
    show(again);
    await settle();
    expect(next.all('subscribe')).toEqual([['subscribe', 1, 'counts']]);
  });

  test.each([null, {}, ...['E', ['E'], ['E', 1.5], ['', 1], { 0: 'E', 1: 1 }].map((position) => ({ position }))])(
    'with a position that is none, %j, is shown and asked for anew',
    async (fetchMeta) => {
      await shownBefore();
      const { queries: entries } = JSON.parse(stored());
      const state = { ...entries[0].state, fetchMeta };
      const { q, socket } = await reload(JSON.stringify({ queries: [{ ...entries[0], state }] }));
      expect(show(q).data).toEqual({ a: 1 });
      await settle();
      expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'counts']]);
    },
  );
});

describe('a live query', () => {
  interface User {
    readonly name: string;
  }
  const listen = async () => {
    const started = await start();
    const { q, client } = started;
    const options = q.get.queryOptions(
      { id: 1 },
      {
        live: {
          topic: client.news({ channel: 'a' }),
          event: ({ name }: User, { text }: { text: string }) => ({ name: name.includes(text) ? name : name + text }),
        },
      },
    );
    return { ...started, options };
  };
  const news = (offset: number, text: string) => ['event', 'news/a', offset, { text }];
  const subscribed = (n: number, offset = 0) => ['subscribed', n, 'news/a', ['E', offset], 'live'];

  test('asks when its topic is listened to, and puts each event into the answer', async () => {
    const { options, socket } = await listen();
    const shown = queries.show(options);
    await settle();
    expect(socket.all('call')).toEqual([]);
    await say(socket, subscribed(1));
    await answer(socket, { name: '' });
    await say(socket, news(1, 'x'), news(2, 'y'));
    expect(shown.data).toEqual({ name: 'xy' });
    expect(socket.all('call')).toHaveLength(1);
  });

  test('an event that comes before the answer is in it, and once', async () => {
    const { options, socket } = await listen();
    const shown = queries.show(options);
    await settle();
    await say(socket, subscribed(1));
    await say(socket, news(1, 'x'), news(2, 'y'));
    await answer(socket, { name: 'x' });
    expect(shown.data).toEqual({ name: 'xy' });
  });

  test('is asked again after a gap, and nothing else is', async () => {
    const { options, q, socket } = await listen();
    queries.show(q.get.queryOptions({ id: 2 }));
    const shown = queries.show(options);
    await settle();
    await say(socket, subscribed(1));
    await answer(socket, { name: 'other' }, { name: 'old' });
    await socket.cut();
    const second = await world.server.next();
    await second.welcome();
    await say(second, ['subscribed', second.all('subscribe')[0]![1], 'news/a', ['F', 9], 'gap']);
    await answer(second, { name: 'new' });
    expect(shown.data).toEqual({ name: 'new' });
    expect(second.all('call')).toHaveLength(1);
  });

  test('whose topic is refused is asked all the same', async () => {
    const { options, socket } = await listen();
    const shown = queries.show(options);
    await settle();
    await say(socket, ['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: 'no' }]);
    await answer(socket, { name: 'a' });
    expect(shown).toMatchObject({ data: { name: 'a' }, status: 'success' });
  });

  test('whose topic ends later keeps its answer, with the error', async () => {
    const { options, socket } = await listen();
    const shown = queries.show(options);
    await settle();
    await say(socket, subscribed(1));
    await answer(socket, { name: 'a' });
    await say(socket, ['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: 'no' }]);
    expect(shown).toMatchObject({ data: { name: 'a' }, status: 'error', error: { code: 'FORBIDDEN' } });
  });

  test('that was in the cache before is asked again: events are missing', async () => {
    const { options, q, socket } = await listen();
    queries.client.setQueryData(q.get.queryKey({ id: 1 }), { name: 'old' });
    const shown = queries.show(options);
    await settle();
    await say(socket, subscribed(1));
    expect(shown.data).toEqual({ name: 'old' });
    await answer(socket, { name: 'new' });
    expect(shown.data).toEqual({ name: 'new' });
  });

  test('that was left for longer than a second is asked again by who comes back', async () => {
    const { options, socket } = await listen();
    const first = queries.show(options);
    await settle();
    await say(socket, subscribed(1));
    await answer(socket, { name: 'old' });
    first.leave();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(world.connection.stats().subscriptions).toBe(0);
    const second = queries.show(options);
    expect(second.data).toEqual({ name: 'old' });
    await settle();
    await say(socket, subscribed(2));
    await answer(socket, { name: 'new' });
    expect(second.data).toEqual({ name: 'new' });
    expect(socket.all('call')).toHaveLength(2);
  });
});
