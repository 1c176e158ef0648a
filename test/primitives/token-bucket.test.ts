import { describe, expect, test } from 'vitest';
import { TokenBucket } from '../../src/primitives/token-bucket.ts';

const takeAll = (bucket: TokenBucket, times: number, now: number) =>
  Array.from({ length: times }, () => bucket.take(now));

describe('a token bucket', () => {
  test('lets a burst of its capacity pass at once, and counts what is above as a debt', () => {
    const bucket = new TokenBucket({ capacity: 3, perSecond: 10 }, 1_000);
    expect(takeAll(bucket, 5, 1_000)).toEqual([2, 1, 0, -1, -2]);
  });

  test('fills at its rate, up to its capacity', () => {
    const bucket = new TokenBucket({ capacity: 3, perSecond: 10 }, 0);
    takeAll(bucket, 3, 0);
    expect(bucket.take(100)).toBe(0);
    expect(bucket.take(10_000)).toBe(2);
  });

  test('pays a debt off first, and tells how long that takes', () => {
    const bucket = new TokenBucket({ capacity: 3, perSecond: 10 }, 0);
    takeAll(bucket, 5, 0);
    expect(bucket.waitMs).toBe(300);
    expect(bucket.take(299)).toBeLessThan(0);
    expect(bucket.waitMs).toBe(101);
    expect(bucket.take(400)).toBe(0);
    expect(bucket.waitMs).toBe(100);
    expect(bucket.take(1_000)).toBe(2);
    expect(bucket.waitMs).toBe(0);
  });

  test('gets nothing from a clock that goes back, and goes on from there', () => {
    const bucket = new TokenBucket({ capacity: 1, perSecond: 10 }, 10_000);
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0)).toBe(-1);
    expect(bucket.take(200)).toBe(0);
  });
});
