import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Position } from '../../../src/protocol/messages.ts';
import { memoryBroker } from '../../../src/server/index.ts';
import type { Broker, Feed, FeedListener, StoredEvent } from '../../../src/server/index.ts';

const ignore: FeedListener = { event: () => undefined, reset: () => undefined };
/** The memory broker answers at once. */
const publish = (broker: Broker, topic: string, payload: string) => broker.publish(topic, payload) as Position;
const subscribe = (broker: Broker, topic: string, listener = ignore) => broker.subscribe(topic, listener) as Feed;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How many of the objects are still held by something. A WeakRef holds its object until the current job ends. */
async function held(references: ReadonlyArray<WeakRef<object>>): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return references.filter((reference) => reference.deref() !== undefined).length;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the memory broker', () => {
  test('counts offsets up by one, each topic in an epoch of its own', () => {
    const broker = memoryBroker();
    const positions = ['a', 'a', 'b'].map((topic) => publish(broker, topic, '1'));
    expect(positions.map(([, offset]) => offset)).toEqual([1, 2, 1]);
    expect(positions[0]?.[0]).toBe(positions[1]?.[0]);
    expect(positions[0]?.[0]).not.toBe(positions[2]?.[0]);
  });

  test('does not cover what is older than the time', () => {
    vi.useFakeTimers();
    const broker = memoryBroker({ history: { ttlMs: 1000 } });
    const feed = subscribe(broker, 'a');
    const [epoch] = feed.head;
    publish(broker, 'a', 'x');
    vi.advanceTimersByTime(600);
    publish(broker, 'a', 'y');
    vi.advanceTimersByTime(401);
    expect(feed.read([epoch, 0], 10)).toBeUndefined();
    expect(feed.read([epoch, 1], 10)).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(feed.read([epoch, 2], 10)).toEqual([]);
  });

  test('keeps no more of a topic than so many bytes, and always what came last', () => {
    const broker = memoryBroker({ history: { bytes: 100 } });
    const feed = subscribe(broker, 'a');
    const [epoch] = feed.head;
    const payloads = (offset: number) =>
      (feed.read([epoch, offset], 10) as readonly StoredEvent[] | undefined)?.map(({ payload }) => payload.length);
    // The sign takes three bytes.
    for (const length of [40, 30, 20, 10]) publish(broker, 'a', '\u20ac' + 'x'.repeat(length - 3));
    expect(payloads(0)).toEqual([40, 30, 20, 10].map((bytes) => bytes - 2));
    publish(broker, 'a', 'x');
    expect([payloads(0), payloads(1)]).toEqual([undefined, [28, 18, 8, 1]]);
    publish(broker, 'a', 'x'.repeat(1_000));
    expect([payloads(4), payloads(5)]).toEqual([undefined, [1_000]]);
    publish(broker, 'a', 'x');
    expect([payloads(5), payloads(6)]).toEqual([undefined, [1]]);
  });

  test('lets go of what is older than the time though nobody reads it, by one timer for all topics', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const broker = memoryBroker({ history: { ttlMs: 10_000 } });
    const stored: WeakRef<StoredEvent>[] = [];
    const event: FeedListener['event'] = (published) => void stored.push(new WeakRef(published));
    const feeds = Array.from({ length: 20 }, (_, n) => subscribe(broker, `topics/${n}`, { ...ignore, event }));
    const publishAll = (): void => {
      for (let n = 0; n < 20; n++) publish(broker, `topics/${n}`, 'x');
    };
    publishAll();
    expect(vi.getTimerCount()).toBe(1);
    for (const feed of feeds) feed.close();
    expect(await held(stored)).toBe(20);
    vi.advanceTimersByTime(11_001);
    expect(await held(stored)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    // The topics go on where they were.
    expect(publish(broker, 'topics/0', 'y')[1]).toBe(2);
    vi.advanceTimersByTime(6_000);
    publishAll();
    vi.advanceTimersByTime(5_001);
    expect(subscribe(broker, 'topics/0').read([feeds[0]!.head[0], 1], 10)).toBeUndefined();
    expect(subscribe(broker, 'topics/0').read([feeds[0]!.head[0], 2], 10)).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(1);
    void broker.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('keeps the history of a topic without subscribers, until others are used more lately: then a new epoch', () => {
    const broker = memoryBroker({ idleTopics: 2 });
    const epochOf = (topic: string): string => {
      const feed = subscribe(broker, topic);
      feed.close();
      return feed.head[0];
    };
    const a = epochOf('a');
    epochOf('kept');
    const kept = subscribe(broker, 'kept');
    const b = epochOf('b');
    publish(broker, 'a', 'x');
    epochOf('c');
    expect(epochOf('a')).toBe(a);
    expect(epochOf('b')).not.toBe(b);
    expect(subscribe(broker, 'kept').head[0]).toBe(kept.head[0]);
  });

  test('publishes what has the key of a publication in the history no second time, and gives its position', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const broker = memoryBroker({ history: { size: 3, ttlMs: 1_000 } });
    const told: string[] = [];
    subscribe(broker, 'a', { ...ignore, event: ({ payload }) => void told.push(payload) });
    const keyed = (payload: string, key: string, topic = 'a') => broker.publish(topic, payload, { key }) as Position;
    const first = keyed('x', 'k');
    expect(keyed('x again', 'k')).toEqual(first);
    expect(keyed('y', 'other')[1]).toBe(2);
    expect(keyed('x', 'k', 'b')[1]).toBe(1);
    publish(broker, 'a', 'z');
    expect(keyed('x again', 'k')).toEqual(first);
    publish(broker, 'a', 'pushes x out');
    expect(keyed('another x', 'k')[1]).toBe(5);
    vi.advanceTimersByTime(1_001);
    expect(keyed('yet another x', 'k')[1]).toBe(6);
    expect(told).toEqual(['x', 'y', 'z', 'pushes x out', 'another x', 'yet another x']);
    void broker.close();
  });

  test('checks its options', () => {
    expect(() => memoryBroker({ history: { size: 0 } })).toThrow('memoryBroker: size is 0: give a whole number from 1');
    expect(() => memoryBroker({ idleTopics: '5' as never })).toThrow(TypeError);
  });
});
