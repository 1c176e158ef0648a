import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, query } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('who asks faster than the server allows is slowed down: each call is answered, in order, and none is refused', async () => {
  const started: number[] = [];
  await using pair = connectedPair(
    defineContract({ look: query(), act: mutation({ input: z.int() }) }),
    { look: () => undefined, act: ({ input }) => void started.push(input) },
    { server: { limits: { messagesPerSecond: 100, calls: 64, subscriptions: 10, messageBurst: 300 } } },
  );
  let acts = 0;
  const outcomes = new Map<string, number>();
  const lane = async () => {
    for (let n = 0; n < 40; n++) {
      const { error } = await (n % 2 === 0 ? pair.client.look() : pair.client.act(acts++)).safe();
      const outcome = error?.code ?? 'answered';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  const all = Promise.all(Array.from({ length: 64 }, lane));
  await vi.advanceTimersByTimeAsync(60_000);
  await all;
  expect([...outcomes]).toEqual([['answered', 64 * 40]]);
  expect(started).toEqual(Array.from({ length: acts }, (_, n) => n));
  expect(pair.connection.status.state).toBe('connected');
  expect(pair.server.stats().refused).toBe(0);
});
