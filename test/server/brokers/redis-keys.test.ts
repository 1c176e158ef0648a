import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { redisBroker, redisCallStore, type IoRedisClient } from '../../../src/server/redis.ts';
import { marked, HEAD, PUBLISH, READ } from '../../../src/server/brokers/redis/scripts.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a cluster chooses a place by: what stands between the first braces, if something does; else the whole key. */
function placeOf(key: string): string {
  return /^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key;
}

/** Answers of the scripts of the broker; those of the call store are content with any. */
const ANSWERS = new Map<string, unknown>([
  [marked(PUBLISH), ['epoch', 1]],
  [marked(HEAD), ['epoch', 0, '']],
  [marked(READ), ['epoch', 0, 1]],
]);

/** A cluster that answers, and the keys of each script that it was asked to run. */
function cluster() {
  const keys: string[][] = [];
  const client = (): IoRedisClient => ({
    isCluster: true,
    status: 'ready',
    eval: async (script, count, ...rest) => {
      keys.push(rest.slice(0, count));
      return [rest.at(-1), ANSWERS.get(script) ?? ['', 'memory']];
    },
    subscribe: async () => undefined,
    unsubscribe: async () => undefined,
    on: () => undefined,
    off: () => undefined,
  });
  return { keys, clients: { commands: client(), subscriber: client() } };
}

test.each(['rooms/42', 'rooms/a%7Db', 'rooms/a}b', 'rooms/{a}', '$commands'])(
  'in a cluster all keys of the topic %s are in one place, and no script takes those of two topics',
  async (topic) => {
    const { keys, clients } = cluster();
    const broker = redisBroker(clients);
    onTestFinished(() => broker.close());
    const listener = { event: () => undefined, reset: () => undefined };
    const feed = await broker.subscribe(topic, listener);
    await broker.subscribe('another', listener);
    await broker.publish(topic, 'x', { key: 'k' });
    await feed.read(['epoch', 0], 10);
    await feed.oldest!();
    // It compares all that it follows.
    const before = keys.length;
    await vi.advanceTimersByTimeAsync(2000);
    expect(keys.length).toBeGreaterThan(before);
    const places = keys.map((of) => new Set(of.map(placeOf)).size);
    expect(places).toEqual(keys.map(() => 1));
    expect(
      new Set(
        keys
          .flat()
          .filter((key) => key.includes(topic))
          .map(placeOf),
      ).size,
    ).toBe(1);
  },
);

test('in a cluster a script of the call store takes one key, that of a client or of a server', async () => {
  const { keys, clients } = cluster();
  const store = redisCallStore(clients);
  const of = { client: 'a-client', memory: 'memory' };
  const call = { ...of, id: 1, key: 'mutation pay', idempotent: true };
  await store.open({ client: 'a-client', identity: 'ann', n: 1 });
  await store.claim(call);
  await store.answer({ ...call, token: 't', message: '' });
  await store.floor(of, 3, [1]);
  await store.leave(of, 1, 1000);
  await store.forget(of, 1);
  await store.close();
  expect(keys.filter(({ length }) => length !== 1)).toEqual([]);
  expect(
    new Set(
      keys
        .flat()
        .filter((key) => key.includes('a-client'))
        .map(placeOf),
    ),
  ).toEqual(new Set(['a-client']));
});
