import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/primitives/deadlines.ts';
import type { Deadline } from '../../src/primitives/deadlines.ts';

const start = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});

afterEach(() => {
  // Whatever a test did, it left no timer behind.
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('Deadlines', () => {
  test('expire at their time, not before, and once.', () => {
    const deadlines = new Deadlines();
    const expired = vi.fn();
    deadlines.add(start + 100, expired);
    vi.advanceTimersByTime(99);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
    expect(deadlines.size).toBe(0);
  });

  test('share one timer, however many they are, and have none when there are none.', () => {
    const deadlines = new Deadlines();
    expect(vi.getTimerCount()).toBe(0);
    const added = Array.from({ length: 100 }, (_, index) => deadlines.add(start + 1000 - index, () => undefined));
    expect([deadlines.size, vi.getTimerCount()]).toEqual([100, 1]);
    for (const deadline of added) deadlines.remove(deadline);
    expect([deadlines.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('expire from a timer, even when their time is past already.', () => {
    const deadlines = new Deadlines();
    const expired = vi.fn();
    deadlines.add(start - 5, expired);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  test('of the same time expire in the order in which they were added.', () => {
    const deadlines = new Deadlines();
    const order: number[] = [];
    for (let index = 0; index < 20; index++) deadlines.add(start + 10, () => order.push(index));
    vi.advanceTimersByTime(10);
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('expire and leave like entries of a sorted list, over any steps.', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), inMs: fc.integer({ min: -3, max: 30 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat({ max: 40 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat({ max: 12 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const deadlines = new Deadlines();
        const tickets: Deadline[] = [];
        const expired: number[] = [];
        let waiting: Array<{ number: number; atMs: number }> = [];
        for (const one of steps) {
          if (one.do === 'add') {
            const number = tickets.length;
            tickets.push(deadlines.add(Date.now() + one.inMs, () => expired.push(number)));
            waiting.push({ number, atMs: Date.now() + one.inMs });
          } else if (one.do === 'remove') {
            const ticket = tickets[one.which];
            if (ticket !== undefined) deadlines.remove(ticket);
            waiting = waiting.filter(({ number }) => number !== one.which);
          } else {
            const before = expired.length;
            vi.advanceTimersByTime(one.ms);
            const due = waiting.filter(({ atMs }) => atMs <= Date.now());
            waiting = waiting.filter((other) => !due.includes(other));
            expect(new Set(expired.slice(before))).toEqual(new Set(due.map(({ number }) => number)));
            expect(expired).toHaveLength(before + due.length);
          }
          expect(deadlines.size).toBe(waiting.length);
          expect(vi.getTimerCount()).toBe(waiting.length === 0 ? 0 : 1);
        }
        deadlines.close();
      }),
      { numRuns: 300 },
    );
  });

  test('come in the order of their times when they all are late.', () => {
    const times = fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(times, fc.array(fc.nat({ max: 59 })), (list, removed) => {
        const clock = { nowMs: 0 };
        const deadlines = new Deadlines({ now: () => clock.nowMs });
        const order: Array<readonly [number, number]> = [];
        const tickets = list.map((atMs, index) => deadlines.add(atMs, () => order.push([atMs, index])));
        for (const index of removed) if (tickets[index] !== undefined) deadlines.remove(tickets[index]);
        clock.nowMs = 100;
        vi.runAllTimers();
        const left = list.map((atMs, index) => [atMs, index] as const).filter(([, index]) => !removed.includes(index));
        expect(order).toEqual(left.sort(([a, i], [b, j]) => a - b || i - j));
      }),
    );
  });

  test('keep their order when one that is removed makes room for an earlier one.', () => {
    const clock = { nowMs: 0 };
    const deadlines = new Deadlines({ now: () => clock.nowMs });
    const order: number[] = [];
    // Row by row the heap of these times: the last, 8, takes the place of 30, below 20, which it has to pass.
    const times = [1, 20, 2, 30, 31, 3, 4, 40, 41, 42, 43, 5, 6, 7, 8];
    const tickets = times.map((atMs) => deadlines.add(atMs, () => order.push(atMs)));
    if (tickets[3] !== undefined) deadlines.remove(tickets[3]);
    clock.nowMs = 100;
    vi.runAllTimers();
    expect(order).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 20, 31, 40, 41, 42, 43]);
  });

  test('set the timer to whole milliseconds, never too early, with the setTimeout of the moment.', () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const deadlines = new Deadlines({ now: () => 0.7 });
    deadlines.add(50, () => undefined);
    expect(setTimer.mock.calls.map(([, delayMs]) => delayMs)).toEqual([50]);
    deadlines.close();
    setTimer.mockRestore();
  });

  test('wait on, when the timer fires before the clock has got there.', () => {
    const clock = { nowMs: 0 };
    const deadlines = new Deadlines({ now: () => clock.nowMs });
    const expired = vi.fn();
    deadlines.add(50, expired);
    clock.nowMs = 49.2;
    vi.advanceTimersByTime(50);
    expect([expired.mock.calls.length, vi.getTimerCount()]).toEqual([0, 1]);
    clock.nowMs = 50.1;
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  test('farther away than a timer can count do not expire at once.', () => {
    const deadlines = new Deadlines();
    const expired = vi.fn();
    const month = 30 * 24 * 3_600_000;
    deadlines.add(start + month, expired);
    vi.advanceTimersByTime(month - 1);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  test('at Infinity never come, and need no timer.', () => {
    const deadlines = new Deadlines();
    const expired = vi.fn();
    const never = deadlines.add(Infinity, expired);
    expect([deadlines.size, vi.getTimerCount()]).toEqual([1, 0]);
    deadlines.add(start + 1, () => undefined);
    vi.advanceTimersByTime(10);
    expect([deadlines.size, expired.mock.calls.length]).toEqual([1, 0]);
    deadlines.remove(never);
    expect(deadlines.size).toBe(0);
  });

  test('leave alone what belongs to others: a ticket that has expired, was removed, or came from elsewhere.', () => {
    const deadlines = new Deadlines();
    const expired = vi.fn();
    const first = deadlines.add(start + 1, expired);
    vi.advanceTimersByTime(1);
    const removed = deadlines.add(start + 9, expired);
    deadlines.remove(removed);
    const foreign = new Deadlines();
    const ticket = foreign.add(start + 10, () => undefined);
    for (let count = 0; count < 2; count++) deadlines.add(start + 10, expired);
    for (const gone of [first, removed, ticket]) deadlines.remove(gone);
    expect(deadlines.size).toBe(2);
    foreign.close();
    vi.advanceTimersByTime(10);
    expect(expired).toHaveBeenCalledTimes(3);
  });
});

describe('A callback of a deadline', () => {
  test('that throws is reported, and stops no other.', () => {
    const onError = vi.fn();
    const deadlines = new Deadlines({ onError });
    const error = new Error('broken');
    const expired = vi.fn();
    deadlines.add(start + 1, () => {
      throw error;
    });
    deadlines.add(start + 1, expired);
    deadlines.add(start + 2, expired);
    vi.advanceTimersByTime(2);
    expect(onError.mock.calls).toEqual([[error]]);
    expect(expired).toHaveBeenCalledTimes(2);
  });

  test('that throws is an uncaught error where nobody takes the report.', () => {
    const thrown: Array<() => void> = [];
    vi.stubGlobal('queueMicrotask', (task: () => void) => thrown.push(task));
    try {
      const deadlines = new Deadlines();
      deadlines.add(start, () => {
        throw new Error('broken');
      });
      vi.advanceTimersByTime(0);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(thrown).toHaveLength(1);
    expect(thrown[0]).toThrow('broken');
  });

  test('may throw through a report that throws: the others come with the next timer.', () => {
    const deadlines = new Deadlines({
      onError: () => {
        throw new Error('no report');
      },
    });
    const expired = vi.fn();
    deadlines.add(start, () => {
      throw new Error('broken');
    });
    deadlines.add(start, expired);
    expect(() => vi.advanceTimersByTime(0)).toThrow('no report');
    vi.runOnlyPendingTimers();
    expect(expired).toHaveBeenCalledTimes(1);
  });

  test('may remove another that is due: that one does not come.', () => {
    const deadlines = new Deadlines();
    const expired = vi.fn();
    const other: Deadline[] = [];
    deadlines.add(start + 1, () => {
      for (const deadline of other) deadlines.remove(deadline);
    });
    other.push(deadlines.add(start + 1, expired));
    vi.advanceTimersByTime(5);
    expect(expired).not.toHaveBeenCalled();
  });

  test('may add one that is due at once: it comes with the next timer, so that nothing turns in place.', () => {
    const deadlines = new Deadlines();
    let times = 0;
    const again = (): void => {
      times++;
      deadlines.add(start - 1, again);
    };
    deadlines.add(start, again);
    vi.runOnlyPendingTimers();
    expect(times).toBe(1);
    vi.runOnlyPendingTimers();
    expect(times).toBe(2);
    deadlines.close();
  });

  test('does not come after close(), which frees the timer; the deadlines can be used again.', () => {
    const deadlines = new Deadlines();
    const expired = vi.fn();
    const ticket = deadlines.add(start + 1, expired);
    deadlines.close();
    expect([deadlines.size, vi.getTimerCount()]).toEqual([0, 0]);
    deadlines.add(start + 2, expired);
    deadlines.remove(ticket);
    vi.advanceTimersByTime(5);
    expect(expired).toHaveBeenCalledTimes(1);
  });
});

test('A time that is no number is refused.', () => {
  const deadlines = new Deadlines();
  expect(() => deadlines.add(NaN, () => undefined)).toThrow(RangeError);
  expect(() => deadlines.add('5' as unknown as number, () => undefined)).toThrow('the time of a deadline is 5');
});
