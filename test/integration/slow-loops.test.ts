import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, topic, type Gap } from '../../src/index.ts';
import { memoryBroker } from '../../src/server/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const COUNT = 3_000;
const MIB = 1024 * 1024;

/** A client and a server with one topic, of whose events the client counts how many it reads. */
function pairOf(historySize: number) {
  const read = { count: 0 };
  const event = z.int().refine(() => {
    read.count++;
    return true;
  });
  const pair = connectedPair(
    defineContract({ numbers: topic('numbers', { event }) }),
    { numbers: { authorize: () => true } },
    {
      connect: { reconnect: { firstMs: 1, sharedFirstMs: 1 } },
      server: { broker: memoryBroker({ history: { size: historySize } }) },
    },
  );
  const numbers = pair.server.topic('numbers');
  return {
    ...pair,
    read,
    /** Publishes from one number to another, leaving time for what they set off. */
    publish: async (from: number, to: number) => {
      for (let number = from; number <= to; number++) {
        await numbers.publish(number);
        if (number % 50 === 0) await setImmediate();
      }
    },
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

const all = Array.from({ length: COUNT }, (_, index) => index + 1);

test('a loop that stands still holds no more than its buffer, and then hears all, each once and in order', async () => {
  await using pair = pairOf(COUNT);
  await using events = pair.client.numbers().events({ buffer: 64 });
  const first = events.next();
  await setImmediate();
  await pair.publish(1, COUNT);
  await setImmediate();
  expect(pair.server.stats().subscriptions).toBe(0);
  // Each publication is read by the server too. What was under way when the buffer was full is all that came on top.
  expect(pair.read.count - COUNT).toBeLessThan(64 + 51);
  const heard = [(await first).value];
  while (heard.length < COUNT) heard.push((await events.next()).value);
  expect(heard).toEqual(all);
  expect(pair.connection.stats().gaps).toBe(0);
});

test('a slow loop costs the listener beside it nothing, across lost connections too', async () => {
  await using pair = pairOf(COUNT);
  const beside: number[] = [];
  const subscription = pair.client.numbers().subscribe((number) => beside.push(number));
  const events = pair.client.numbers().events({ buffer: 16 });
  const heard: number[] = [];
  const first = events.next();
  await subscription.ready;
  const publishing = pair.publish(1, COUNT);
  heard.push((await first).value!);
  while (heard.length < COUNT) {
    heard.push((await events.next()).value!);
    if (heard.length % 16 === 0) await setImmediate();
    if (heard.length % 700 === 0) pair.cut();
  }
  await publishing;
  await expect.poll(() => beside.length).toBe(COUNT);
  expect(heard).toEqual(all);
  expect(beside).toEqual(all);
  expect(pair.connection.stats().gaps).toBe(0);
  expect(pair.connection.stats().reconnects).toBeGreaterThan(0);
});

test('a loop that is slower than the history lasts is told what it missed, to the event', async () => {
  await using pair = pairOf(100);
  const gaps: Gap[] = [];
  await using events = pair.client.numbers().events({ buffer: 10, gap: (gap) => gaps.push(gap) });
  const first = events.next();
  await setImmediate();
  await pair.publish(1, COUNT);
  const heard = [(await first).value!];
  // The last of what it had, and then the first of what comes after the gap.
  while (heard.length < 11) heard.push((await events.next()).value!);
  while (heard.length < 111) heard.push((await events.next()).value!);
  const next = events.next();
  await setImmediate();
  await pair.publish(COUNT + 1, COUNT + 1);
  heard.push((await next).value!);
  // What the history still has comes, too.
  expect(heard).toEqual([...all.slice(0, 11), ...all.slice(-100), COUNT + 1]);
  expect(gaps).toMatchObject([{ from: [expect.any(String), 11], to: [expect.any(String), COUNT - 100] }]);
});

test.each([
  ['at once', <Result>(result: Result) => result],
  ['later', async <Result>(result: Result) => Promise.resolve(result)],
])('a loop that stands still holds no more than 4 MiB of large events that are checked %s', async (_, check) => {
  let read = 0;
  const validate = (value: unknown) => (read++, check({ value: value as string }));
  const types = undefined as { input: string; output: string } | undefined;
  const event = { '~standard': { version: 1 as const, vendor: 'test', validate, types } };
  await using pair = connectedPair(
    defineContract({ pages: topic('pages', { event }) }),
    { pages: { authorize: () => true } },
    { server: { broker: memoryBroker({ history: { bytes: 100 * MIB } }) } },
  );
  const pages = pair.server.topic('pages');
  await using events = pair.client.pages().events();
  const first = events.next();
  await setImmediate();
  for (let n = 0; n < 256; n++) {
    await pages.publish(`${n} ${'x'.repeat(50_000)}`);
    await setImmediate();
  }
  expect(pair.server.stats().subscriptions).toBe(0);
  // Each publication is read by the server too.
  const held = (read - 256) * 50_000;
  expect([held > 3.9 * MIB, held < 4.2 * MIB]).toEqual([true, true]);
  const heard = [(await first).value!];
  while (heard.length < 256) heard.push((await events.next()).value!);
  expect(heard.map((page) => Number.parseInt(page))).toEqual(Array.from({ length: 256 }, (_unused, n) => n));
  expect(pair.connection.stats().gaps).toBe(0);
});
