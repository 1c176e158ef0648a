import { describe, expect, test } from 'vitest';
import { DEAD, Heartbeat, PROBE } from '../../src/primitives/heartbeat.ts';

const heartbeat = (now = 1_000) => new Heartbeat(30, 2, now);

describe('Heartbeat', () => {
  test('waits out the silence, then probes', () => {
    const beat = heartbeat();
    expect(beat.next(1_000)).toBe(30);
    expect(beat.next(1_029)).toBe(1);
    expect(beat.next(1_030)).toBe(PROBE);
  });

  test('any frame starts the silence anew', () => {
    const beat = heartbeat();
    beat.heard(1_020);
    expect(beat.next(1_030)).toBe(20);
  });

  test('asking changes nothing: only a probe that was sent starts its time', () => {
    const beat = heartbeat();
    expect([beat.next(1_030), beat.next(1_040)]).toEqual([PROBE, PROBE]);
    expect(beat.probing).toBe(false);
  });

  test('an unanswered probe is death when its time is over', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    expect(beat.probing).toBe(true);
    expect(beat.next(1_031)).toBe(1);
    expect(beat.next(1_032)).toBe(DEAD);
  });

  test('a probe that is answered is forgotten', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    beat.heard(1_031);
    expect(beat.probing).toBe(false);
    expect(beat.next(1_032)).toBe(29);
  });

  test('a look at a probe that comes late asks for one more, and only one', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    expect(beat.next(1_034)).toBe(DEAD);
    expect(beat.next(1_035)).toBe(PROBE);
    beat.probed(1_035);
    expect(beat.next(1_036)).toBe(1);
    expect(beat.next(9_000)).toBe(DEAD);
  });

  test('after a sign of life a late look is forgiven again', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    beat.probed(1_035);
    beat.heard(1_036);
    beat.probed(1_070);
    expect(beat.next(5_000)).toBe(PROBE);
  });

  test('a clock that goes back starts the running period anew, once', () => {
    const beat = heartbeat();
    expect(beat.next(500)).toBe(30);
    expect(beat.next(530)).toBe(PROBE);
    beat.probed(530);
    expect(beat.next(100)).toBe(2);
    expect(beat.next(102)).toBe(DEAD);
  });

  test('a clock that leaps forward asks for a probe, not for death', () => {
    expect(heartbeat().next(1e12)).toBe(PROBE);
  });
});

describe('a probe behind what was written before it', () => {
  test('has the time that this takes on a line of 50 bytes a millisecond, and no more', () => {
    const beat = heartbeat();
    beat.probed(1_030, 1_000, undefined);
    expect(beat.next(1_031, undefined)).toBe(21);
    expect(beat.next(1_051, undefined)).toBe(1);
    expect(beat.next(1_052, undefined)).toBe(DEAD);
  });

  test('has more time for as long as the buffer falls, by what is left in it', () => {
    const beat = heartbeat();
    beat.probed(1_000, 1_000, 900);
    expect(beat.next(1_022, 500)).toBe(12);
    expect(beat.next(1_034, 0)).toBe(2);
    expect(beat.next(1_036, 0)).toBe(DEAD);
  });

  test.each([
    ['stays', 900],
    ['grows', 901],
    ['is not told any more', undefined],
  ])('is death when its time is over and the buffer %s: so do dead lines', (_, buffered) => {
    const beat = heartbeat();
    beat.probed(1_000, 1_000, 900);
    expect(beat.next(1_022, buffered)).toBe(DEAD);
  });
});
