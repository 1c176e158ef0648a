import { describe, expect, test } from 'vitest';
import type { Loss, PolicyOptions, Streak } from '../../src/transport/reconnect-policy.ts';
import { advanceStreak, CALM, decideReconnect, guardDelayMs, noteStart } from '../../src/transport/reconnect-policy.ts';
import { TRANSPORT_DEFAULTS } from '../../src/transport/transport-options.ts';

const options: PolicyOptions = { reconnect: TRANSPORT_DEFAULTS.reconnect, renewable: true, random: () => 0 };

const loss = (code: number, more: Partial<Loss> & { reason?: string } = {}): Loss => ({
  cause: { code, reason: more.reason ?? '', opened: true, by: 'peer' },
  welcomed: more.stable ?? false,
  stable: false,
  counts: true,
  ...more,
});

/** Decides after a sequence of losses: the window of the delay, or `stop`. */
function after(losses: readonly Loss[], more: Partial<PolicyOptions> = {}): readonly [number, number] | 'stop' {
  const streak = losses.reduce(advanceStreak, CALM);
  const [low, high] = [0, 1].map((value) =>
    decideReconnect(losses.at(-1)!, streak, { ...options, ...more, random: () => value }),
  );
  if (low!.action === 'stop' || high!.action === 'stop') return 'stop';
  return [low!.delayMs, high!.delayMs];
}

const times = (n: number, one: Loss) => Array.from({ length: n }, () => one);

describe('what each close code leads to', () => {
  const stable = { stable: true };
  test.each([
    // Only this client can be concerned.
    [0, 100, 1_100],
    [1005, 100, 1_100],
    [1006, 100, 1_100],
    [1009, 100, 1_100],
    [3008, 100, 1_100],
    [4408, 100, 1_100],
    [4409, 100, 1_100],
    [4000, 100, 1_100],
    [1002, 100, 1_100],
    // The cause may be shared.
    [1001, 100, 5_100],
    [1011, 100, 5_100],
    [1014, 100, 5_100],
    [1015, 100, 5_100],
    [1012, 5_000, 30_000],
    [1013, 15_000, 60_000],
    [4429, 15_000, 60_000],
    // At once.
    [3000, 0, 0],
    [4401, 0, 0],
    [4410, 0, 0],
  ])('after a stable connection, %i: a delay from %i to %i ms', (code, from, to) => {
    expect(after([loss(code, stable)])).toEqual([from, to]);
  });

  test.each([1000, 1008, 1010, 3003, 4403, 4406, 3500, 3999, 4500, 4999])('%i stops', (code) => {
    expect(after([loss(code, stable)])).toBe('stop');
  });

  test.each([1002, 1003, 1007, 4400])(
    '%i is retried once, then stops; a stable connection gives it another',
    (code) => {
      expect(after([loss(code)])).toEqual([100, 5_100]);
      expect(after([loss(code), loss(1006), loss(code)])).toBe('stop');
      expect(after([loss(code), loss(1006, stable), loss(code)])).toEqual([100, 5_100]);
      expect(after([loss(code), loss(code, stable)])).toEqual([100, 1_100]);
    },
  );

  test('another identity: at once, once', () => {
    expect(after(times(2, loss(4410)))).toBe('stop');
    expect(after([loss(4410), loss(1006, stable), loss(4410)])).toEqual([0, 0]);
  });

  test('refused credentials: at once; refused again: stop; with a welcome between: the usual backoff', () => {
    expect(after([loss(1006), loss(4401)])).toEqual([0, 0]);
    expect(after([loss(4401), loss(3000)])).toBe('stop');
    expect(after([loss(4401), loss(1006), loss(4401)])).toBe('stop');
    expect(after([loss(4401), loss(4401, { welcomed: true })])).toEqual([100, 10_100]);
    expect(after([loss(4401), loss(4401, { welcomed: true }), loss(4401)])).toBe('stop');
    expect(after([loss(4401), loss(4401, stable)])).toEqual([0, 0]);
    expect(after([loss(4401)], { renewable: false })).toBe('stop');
  });

  test('overload grows up to five minutes', () => {
    const windows = [1, 2, 3, 4, 20].map((n) => after(times(n, loss(1013))));
    expect(windows).toEqual([
      [15_000, 60_000],
      [30_000, 120_000],
      [60_000, 240_000],
      [75_000, 300_000],
      [75_000, 300_000],
    ]);
  });

  test('a reason that asks for a delay sets it: never earlier, a little later', () => {
    expect(after([loss(1013, { reason: 'retry-after=4200' })])).toEqual([4_200, 4_620]);
    expect(after([loss(4401, { reason: 'retry-after=0' })])).toEqual([0, 100]);
    expect(after([loss(1008, { reason: 'retry-after=5' })])).toBe('stop');
  });
});

describe('backoff', () => {
  test('failed attempts draw from wider and wider windows up to the cap', () => {
    const upTo = [1, 2, 3, 4, 100, 2_000].map((n) => after(times(n, loss(1006)))[1]);
    expect(upTo).toEqual([5_100, 10_100, 20_100, 30_100, 30_100, 30_100]);
  });

  test('the first failed attempt after a stable connection draws from the first shared window', () => {
    expect(after([loss(1006, { stable: true }), loss(1006)])).toEqual([100, 5_100]);
  });

  test('a connection that was welcomed but not stable is a failure', () => {
    expect(after(times(3, loss(1006, { welcomed: true })))).toEqual([100, 20_100]);
  });

  test('an attempt that does not count leaves the window as it was', () => {
    expect(after([loss(1006), ...times(5, loss(1006, { counts: false }))])).toEqual([100, 5_100]);
  });

  test('maxAttempts are attempts: a lost connection is none', () => {
    const more = { reconnect: { ...TRANSPORT_DEFAULTS.reconnect, maxAttempts: 2 } };
    expect(after([loss(1006, { stable: true }), loss(1006)], more)).toEqual([100, 5_100]);
    expect(after([loss(1006, { stable: true }), loss(1006), loss(1006)], more)).toBe('stop');
  });

  test('reconnect: false stops always', () => {
    expect(after([loss(1006, { stable: true })], { reconnect: false })).toBe('stop');
  });

  test('the streak that it is given stays as it is', () => {
    const streak: Streak = Object.freeze({ ...CALM, failures: 3 });
    expect(advanceStreak(streak, loss(1006))).toEqual({ ...CALM, failures: 4 });
  });
});

describe('rate guard', () => {
  const starts = (...times: number[]) => times.reduce<readonly number[]>(noteStart, []);

  test('lets nine go, holds the eleventh until the first is more than a minute old', () => {
    const ten = starts(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(guardDelayMs(ten.slice(1), 10)).toBe(0);
    expect(guardDelayMs(ten, 10)).toBe(60_090);
    expect(guardDelayMs(ten, 60_100)).toBe(0);
    expect(guardDelayMs(starts(...ten, 60_100), 60_100)).toBe(1);
  });

  test('remembers ten', () => {
    expect(starts(...Array.from({ length: 50 }, (_, n) => n))).toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
  });

  test('gives whole ms, never too few', () => {
    expect(guardDelayMs(starts(...Array.from({ length: 10 }, () => 0.5)), 0.6)).toBe(60_100);
  });
});
