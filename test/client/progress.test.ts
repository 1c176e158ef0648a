import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, query, type CallProgress } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const contract = defineContract({
  put: mutation({ input: z.string(), output: z.number() }),
  get: query({ input: z.number(), output: z.string() }),
});

const pair = () =>
  connectedPair(contract, {
    put: ({ input }) => input.length,
    get: ({ input }) => 'x'.repeat(input),
  });

const LARGE = 300_000;

/** What was told, and the ways to ask for it. */
function listening() {
  const told: CallProgress[] = [];
  return { told, onProgress: (progress: CallProgress) => void told.push(progress) };
}

const rises = (told: readonly CallProgress[]) =>
  told.every(({ fraction }, index) => fraction > (told[index - 1]?.fraction ?? 0) && fraction <= 1);

test('a large input tells how much of it the server has taken in, part by part', async () => {
  await using joined = pair();
  const { told, onProgress } = listening();
  expect(await joined.client.put('x'.repeat(LARGE), { onProgress })).toBe(LARGE);
  expect(told.length).toBeGreaterThan(10);
  expect(rises(told)).toBe(true);
  expect(new Set(told.map(({ direction }) => direction))).toEqual(new Set(['input']));
});

test('a large output tells how much of it is here, up to all of it', async () => {
  await using joined = pair();
  const { told, onProgress } = listening();
  const output = await joined.client.get(LARGE, { onProgress });
  expect(output).toHaveLength(LARGE);
  expect(told.length).toBeGreaterThan(10);
  expect(rises(told)).toBe(true);
  expect(told.at(-1)).toEqual({ direction: 'output', fraction: 1 });
});

test('each call hears of its own, and small ones of nothing', async () => {
  await using joined = pair();
  const [one, other, small] = [listening(), listening(), listening()];
  const asked = [
    joined.client.get(LARGE, one),
    joined.client.get(LARGE / 2, other),
    joined.client.get(10, small),
  ] as const;
  const lengths = (await Promise.all(asked)).map(({ length }) => length);
  expect(lengths).toEqual([LARGE, LARGE / 2, 10]);
  expect([rises(one.told), rises(other.told), small.told]).toEqual([true, true, []]);
  expect(one.told.length).toBeGreaterThan(other.told.length);
});

test('nothing is told after the call has settled', async () => {
  await using joined = pair();
  const controller = new AbortController();
  const told: number[] = [];
  const call = joined.client.put('x'.repeat(LARGE), {
    signal: controller.signal,
    onProgress: ({ fraction }) => {
      told.push(fraction);
      if (told.length === 3) controller.abort();
    },
  });
  await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
  await joined.client.put('after');
  expect(told).toHaveLength(3);
});

test('what a listener throws goes to the error event, and costs the call nothing', async () => {
  await using joined = pair();
  const errors: unknown[] = [];
  joined.connection.on('error', (error) => errors.push(error));
  const thrown = new Error('of the app');
  const onProgress = (): void => {
    throw thrown;
  };
  expect(await joined.client.get(LARGE, { onProgress })).toHaveLength(LARGE);
  expect(errors.length).toBeGreaterThan(1);
  expect(new Set(errors)).toEqual(new Set([thrown]));
});

test('one that is sent again on another socket begins anew', async () => {
  await using joined = pair();
  const fractions: number[] = [];
  const call = joined.client.put('x'.repeat(LARGE), {
    onProgress: ({ fraction }) => {
      fractions.push(fraction);
      if (fractions.length === 5) joined.cut();
    },
  });
  expect(await call).toBe(LARGE);
  expect(fractions[5]).toBeLessThan(fractions[4]!);
  expect(fractions.slice(5).every((fraction, index) => index === 0 || fraction > fractions[index + 4]!)).toBe(true);
});
