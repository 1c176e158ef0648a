import { describe, expect, test } from 'vitest';
import { memoryBroker } from '../../src/server/index.ts';
import type { Broker, Feed, FeedListener } from '../../src/server/index.ts';
import { describeBroker, type BrokersUnderTest } from '../../src/testing/broker.ts';

describeBroker({ describe, test }, 'The memory broker, of two servers in one process', ({ history }) => {
  const broker = memoryBroker({ history });
  return { one: broker, other: broker };
});

/** A memory broker with something wrong. */
function broken(
  size: number,
  wrong: { feed?: (feed: Feed) => Partial<Feed>; broker?: (broker: Broker) => Partial<Broker> },
) {
  const right = memoryBroker({ history: { size } });
  const feedOf = (feed: Feed): Feed => ({
    get head() {
      return feed.head;
    },
    read: (after, limit) => feed.read(after, limit),
    oldest: () => feed.oldest!(),
    close: () => feed.close(),
    ...wrong.feed?.(feed),
  });
  return {
    publish: (...args: Parameters<Broker['publish']>) => right.publish(...args),
    subscribe: (topic: string, listener: FeedListener) => feedOf(right.subscribe(topic, listener) as Feed),
    close: () => right.close(),
    ...wrong.broker?.(right),
  };
}

/** Titles of the tests that a broker fails; one that waits for ever fails, too. */
async function failuresOf(make: (size: number) => Broker): Promise<string[]> {
  const cases: Array<readonly [title: string, run: () => Promise<void>]> = [];
  const runner = {
    describe: (_name: string, body: () => void) => body(),
    test: (title: string, run: () => Promise<void>) => cases.push([title, run]),
  };
  const under = (broker: Broker): BrokersUnderTest => ({ one: broker, other: broker });
  describeBroker(runner, 'broken', ({ history }) => under(make(history.size)));
  const failed: string[] = [];
  for (const [title, run] of cases) {
    const late = async () => {
      for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
      throw new Error('nothing comes');
    };
    await Promise.race([run(), late()]).catch(() => failed.push(title));
  }
  return failed;
}

/** A listener before the one that subscribes. */
const heardBy = (change: (listener: FeedListener) => FeedListener) => ({
  broker: (right: Broker) => ({ subscribe: (topic: string, its: FeedListener) => right.subscribe(topic, change(its)) }),
});

test.each<[string, Parameters<typeof broken>[1], RegExp]>([
  [
    'loses an event',
    heardBy((its) => ({ ...its, event: (e) => (e.offset === 2 ? undefined : its.event(e)) })),
    /each feed/,
  ],
  ['tells one twice', heardBy((its) => ({ ...its, event: (e) => (its.event(e), its.event(e)) })), /each feed/],
  ['tells them late', heardBy((its) => ({ ...its, event: (e) => queueMicrotask(() => its.event(e)) })), /closed feed/],
  [
    'changes a payload',
    heardBy((its) => ({ ...its, event: (e) => its.event({ ...e, payload: e.payload.trim() }) })),
    /payload/,
  ],
  ['begins with an old head', { feed: ({ head: [epoch] }) => ({ head: [epoch, 0] }) }, /subscribes late/],
  ['gives more than the limit', { feed: (its) => ({ read: (after) => its.read(after, 100) }) }, /at most the limit/],
  ['hides what its history lost', { feed: (its) => ({ read: (...all) => its.read(...all) ?? [] }) }, /does not reach/],
  ['knows a wrong oldest', { feed: (its) => ({ oldest: () => its.head }) }, /does not reach/],
  ['does not close a feed', { feed: () => ({ close: () => undefined }) }, /closed feed/],
  ['forgets keys', { broker: (its) => ({ publish: (topic, payload) => its.publish(topic, payload) }) }, /key/],
  [
    'takes a key for that of all topics',
    {
      broker: (its) => ({
        publish: (topic, payload, { key } = {}) => its.publish(key === undefined ? topic : 'keyed', payload, { key }),
      }),
    },
    /key/,
  ],
  [
    'mixes topics',
    { broker: (its) => ({ publish: (topic, text) => its.publish(topic.replace(/[:*].*/, ''), text) }) },
    /alike/,
  ],
  [
    'counts from 0',
    { broker: (its) => ({ publish: async (...all) => ['x', (await its.publish(...all))[1] - 1] }) },
    /count up/,
  ],
  [
    'follows a thousand topics',
    {
      broker: (its) => {
        let most = 1000;
        const deaf = { event: () => undefined, reset: () => undefined };
        return { subscribe: (topic, listener) => its.subscribe(topic, most-- > 0 ? listener : deaf) };
      },
    },
    /ten thousand topics/,
  ],
  [
    'is away',
    { broker: () => ({ connection: { isUp: false, onChange: () => () => undefined, ready: async () => undefined } }) },
    /says that it is there/,
  ],
])('a broker that %s is found out', async (_what, wrong, title) => {
  const failed = await failuresOf((size) => broken(size, wrong));
  expect(failed.filter((name) => title.test(name))).not.toEqual([]);
});

test('and one that is right passes behind the same mask', async () => {
  expect(await failuresOf((size) => broken(size, {}))).toEqual([]);
});
