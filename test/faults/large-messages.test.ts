import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { percentile } from '../bench/availability/figures.ts';
import { amongSmall, slowTransfer } from '../helpers/slow-line.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe.each([
  ['answer', 'report'],
  ['input', 'store'],
] as const)('a large %s on a line of 20 kB/s, in both of which kernels hide megabytes', (_, what) => {
  test('arrives once, in little more than the time of its bytes, and small calls go between', async () => {
    const transfer = slowTransfer(what, 900_000);
    await vi.advanceTimersByTimeAsync(100_000);
    const { result, ratio, smallMs, runs, reconnects } = await transfer.done;
    await transfer.close();
    expect({ result, runs, reconnects }).toEqual({ result: 900_000, runs: 1, reconnects: 0 });
    expect(ratio).toBeLessThan(1.3);
    expect(smallMs.length).toBeGreaterThan(80);
    expect(percentile(smallMs, 0.99)).toBeLessThan(3_000);
  });

  test('is not taken for a dead line by a heartbeat that is in a hurry, nor by wake signals', async () => {
    const transfer = slowTransfer(what, 300_000, { intervalMs: 1_000, timeoutMs: 100, probeMs: 2_000 });
    for (let second = 0; second < 40; second += 2) {
      await vi.advanceTimersByTimeAsync(2_000);
      transfer.wake();
    }
    const { result, runs, reconnects } = await transfer.done;
    await transfer.close();
    expect({ result, runs, reconnects }).toEqual({ result: 300_000, runs: 1, reconnects: 0 });
  });
});

test.each([
  ['answer', 'report'],
  ['input', 'store'],
] as const)(
  'a call with an %s of 100 kB, on a line that is reset above 64 KiB in one go, costs nobody anything',
  async (_, what) => {
    const calls = amongSmall(what);
    await vi.advanceTimersByTimeAsync(30_000);
    const { failed, large, resets } = await calls.done;
    await calls.close();
    expect({ failed, large }).toEqual({ failed: 0, large: true });
    expect(resets).toBeLessThanOrEqual(1);
  },
);
