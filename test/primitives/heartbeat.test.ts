import { describe, expect, test } from 'vitest';
import { Heartbeat } from '../../src/primitives/heartbeat.ts';

const times = { quietMs: 30, probeMs: 2 };
const heartbeat = (now = 1_000) => new Heartbeat(times, now);

describe('Heartbeat', () => {
  test('waits out the silence, then probes', () => {
    const beat = heartbeat();
    expect(beat.next(1_000)).toEqual({ act: 'wait', ms: 30 });
    expect(beat.next(1_029)).toEqual({ act: 'wait', ms: 1 });
    expect(beat.next(1_030)).toEqual({ act: 'probe' });
  });

  test('any frame starts the silence anew', () => {
    const beat = heartbeat();
    beat.heard(1_020);
    expect(beat.next(1_030)).toEqual({ act: 'wait', ms: 20 });
  });

  test('asking changes nothing: only a probe that was sent starts its time', () => {
    const beat = heartbeat();
    expect([beat.next(1_030), beat.next(1_040)]).toEqual([{ act: 'probe' }, { act: 'probe' }]);
    expect(beat.probing).toBe(false);
  });

  test('an unanswered probe is death when its time is over', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    expect(beat.probing).toBe(true);
    expect(beat.next(1_031)).toEqual({ act: 'wait', ms: 1 });
    expect(beat.next(1_032)).toEqual({ act: 'dead' });
  });

  test('a probe that is answered is forgotten', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    beat.heard(1_031);
    expect(beat.probing).toBe(false);
    expect(beat.next(1_032)).toEqual({ act: 'wait', ms: 29 });
  });

  test('a look at a probe that comes late asks for one more, and only one', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    expect(beat.next(1_034)).toEqual({ act: 'dead' });
    expect(beat.next(1_035)).toEqual({ act: 'probe' });
    beat.probed(1_035);
    expect(beat.next(1_036)).toEqual({ act: 'wait', ms: 1 });
    expect(beat.next(9_000)).toEqual({ act: 'dead' });
  });

  test('after a sign of life a late look is forgiven again', () => {
    const beat = heartbeat();
    beat.probed(1_030);
    beat.probed(1_035);
    beat.heard(1_036);
    beat.probed(1_070);
    expect(beat.next(5_000)).toEqual({ act: 'probe' });
  });

  test('a clock that goes back starts the running period anew, once', () => {
    const beat = heartbeat();
    expect(beat.next(500)).toEqual({ act: 'wait', ms: 30 });
    expect(beat.next(530)).toEqual({ act: 'probe' });
    beat.probed(530);
    expect(beat.next(100)).toEqual({ act: 'wait', ms: 2 });
    expect(beat.next(102)).toEqual({ act: 'dead' });
  });

  test('a clock that leaps forward asks for a probe, not for death', () => {
    expect(heartbeat().next(1e12)).toEqual({ act: 'probe' });
  });
});

describe('a probe behind what was written before it', () => {
  test('has the time that this takes on a line of 50 bytes a millisecond, and no more', () => {
    const beat = heartbeat();
    const ahead = { unanswered: 1_000, buffered: undefined };
    beat.probed(1_030, ahead);
    expect(beat.next(1_031, ahead)).toEqual({ act: 'wait', ms: 21 });
    expect(beat.next(1_051, ahead)).toEqual({ act: 'wait', ms: 1 });
    expect(beat.next(1_052, ahead)).toEqual({ act: 'dead' });
  });

  test('has more time for as long as the buffer falls, by what is left in it', () => {
    const beat = heartbeat();
    beat.probed(1_000, { unanswered: 1_000, buffered: 900 });
    expect(beat.next(1_022, { unanswered: 1_000, buffered: 500 })).toEqual({ act: 'wait', ms: 12 });
    expect(beat.next(1_034, { unanswered: 1_000, buffered: 0 })).toEqual({ act: 'wait', ms: 2 });
    expect(beat.next(1_036, { unanswered: 1_000, buffered: 0 })).toEqual({ act: 'dead' });
  });

  test.each([
    ['stays', 900],
    ['grows', 901],
    ['is not told any more', undefined],
  ])('is death when its time is over and the buffer %s: so do dead lines', (_, buffered) => {
    const beat = heartbeat();
    beat.probed(1_000, { unanswered: 1_000, buffered: 900 });
    expect(beat.next(1_022, { unanswered: 1_000, buffered })).toEqual({ act: 'dead' });
  });
});
