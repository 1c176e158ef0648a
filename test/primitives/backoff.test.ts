import { describe, expect, test } from 'vitest';
import { backoffWindow, drawDelay } from '../../src/primitives/backoff.ts';

describe('backoff', () => {
  test('doubles its window until the cap, above a floor that is never part of the jitter', () => {
    const windows = [0, 1, 2, 3, 4, 5_000].map((n) => backoffWindow(n, 1_000, 6_000, 100));
    expect(windows.map(([fromMs]) => fromMs)).toEqual([100, 100, 100, 100, 100, 100]);
    expect(windows.map(([, toMs]) => toMs)).toEqual([1_100, 2_100, 4_100, 6_100, 6_100, 6_100]);
  });

  test('a cap below the first window counts from the start', () => {
    expect(backoffWindow(0, 1_000, 300, 0)).toEqual([0, 300]);
  });

  test('draws evenly from the whole window, in whole ms', () => {
    const delays = [0, 0.25, 0.5, 0.999_999].map((value) => drawDelay([100, 1_101], () => value));
    expect(delays).toEqual([100, 350, 601, 1_101]);
  });
});
