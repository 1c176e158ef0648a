import { describe, expect, test } from 'vitest';
import type { DelayWindow } from '../../src/primitives/backoff.ts';
import type { CloseRules } from '../../src/transport/close-rule.ts';
import type { LostLine, PolicyOptions } from '../../src/transport/reconnect-policy.ts';
import { ReconnectPolicy } from '../../src/transport/reconnect-policy.ts';
import type { CloseCause } from '../../src/transport/transport.ts';
import { TRANSPORT_DEFAULTS } from '../../src/transport/transport-options.ts';

const options: PolicyOptions = {
  reconnect: TRANSPORT_DEFAULTS.reconnect,
  url: 'ws://server.test',
  random: () => 0,
  onError: () => {},
};

/** Monotonic time of all losses, ms. */
const NOW = 1_000_000;

interface Loss {
  readonly cause: CloseCause;
  readonly line: LostLine;
}

interface LossDetails {
  readonly reason?: string;
  readonly by?: CloseCause['by'];
  readonly welcomed?: boolean;
  /** It had lived for `stableAfterMs` after its welcome. */
  readonly stable?: boolean;
  readonly counts?: boolean;
  readonly announced?: DelayWindow;
  /** It lived for so long after its welcome, ms. */
  readonly lifeMs?: number;
  /** What its server had said of all its clients, ms. */
  readonly spreadMs?: number;
}

const loss = (code: number, details: LossDetails = {}): Loss => {
  const { reason = '', by = 'peer', stable = false, counts = true, announced, lifeMs, spreadMs } = details;
  const { welcomed = stable || lifeMs !== undefined } = details;
  const servedMs = lifeMs ?? (stable ? TRANSPORT_DEFAULTS.reconnect.stableAfterMs : 0);
  return {
    cause: { code, reason, opened: true, by },
    line: { welcomedAt: welcomed ? NOW - servedMs : Infinity, counts, spreadMs, leavingWindow: () => announced },
  };
};

type More = Partial<PolicyOptions> & { readonly renewable?: boolean };

/** Decides after a sequence of losses: the window of the delay, or `stop`. */
function after(losses: readonly Loss[], { renewable = true, ...more }: More = {}): readonly [number, number] | 'stop' {
  const [low, high] = [0, 1].map((value) => {
    const policy = new ReconnectPolicy({ ...options, ...more, random: () => value }, { renewable });
    return losses.map(({ cause, line }) => policy.lost(cause, line, NOW)).at(-1)!;
  });
  return low === Infinity || high === Infinity ? 'stop' : [low!, high!];
}

const times = (n: number, one: Loss) => Array.from({ length: n }, () => one);

describe('what each close code leads to', () => {
  const stable = { stable: true };
  test.each([
    // Only this client can be concerned.
    [1009, 100, 1_100],
    [3008, 100, 1_100],
    [4408, 100, 1_100],
    [4409, 100, 1_100],
    [1002, 100, 1_100],
    // The cause may be shared: a server that dies is seen as 1006 by all its clients.
    [0, 100, 5_100],
    [1005, 100, 5_100],
    [1006, 100, 5_100],
    [4000, 100, 5_100],
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
      expect(after([loss(code), loss(1006, stable), loss(code)])).toEqual([100, 10_100]);
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

  test('overload counts by itself alone, and adds nothing to the backoff', () => {
    expect(after([...times(4, loss(1006)), loss(1013)])).toEqual([15_000, 60_000]);
    expect(after([...times(4, loss(1013)), loss(1006)])).toEqual([100, 5_100]);
    expect(after([loss(1013), loss(1006), loss(1013)])).toEqual([30_000, 120_000]);
  });

  test('a restart that the server tells adds nothing to the backoff', () => {
    const turnedAway = loss(1012, { reason: 'retry-after=1000' });
    expect(after([loss(1006, stable), ...times(4, turnedAway), loss(1006)])).toEqual([100, 10_100]);
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

  test('a failed attempt after a loss that may be shared doubles its window; after one of this client alone it draws from the first shared one', () => {
    const after1006 = [1, 2, 3].map((n) => after([loss(1006, { stable: true }), ...times(n, loss(1006))])[1]);
    expect(after1006).toEqual([10_100, 20_100, 30_100]);
    const after4408 = [1, 2].map((n) => after([loss(4408, { stable: true }), ...times(n, loss(1006))])[1]);
    expect(after4408).toEqual([5_100, 10_100]);
  });

  test.each(['probe', 'above'] as const)('a stable connection that was ended by %s: this client alone', (by) => {
    expect(after([loss(1006, { stable: true, by })])).toEqual([100, 1_100]);
    expect(after([loss(1006, { by })])).toEqual([100, 5_100]);
  });

  test('a connection that was welcomed but not stable is a failure', () => {
    expect(after(times(3, loss(1006, { welcomed: true })))).toEqual([100, 20_100]);
  });

  test('an attempt that does not count leaves the window as it was', () => {
    expect(after([loss(1006), ...times(5, loss(1006, { counts: false }))])).toEqual([100, 5_100]);
  });

  test('maxAttempts are attempts: a lost connection is none', () => {
    const more = { reconnect: { ...TRANSPORT_DEFAULTS.reconnect, maxAttempts: 2 } };
    expect(after([loss(1006, { stable: true }), loss(1006)], more)).toEqual([100, 10_100]);
    expect(after([loss(1006, { stable: true }), loss(1006), loss(1006)], more)).toBe('stop');
  });

  test('reconnect: false stops always', () => {
    expect(after([loss(1006, { stable: true })], { reconnect: false })).toBe('stop');
  });

  test('a failure and its draw are counted on, and nothing else', () => {
    const policy = new ReconnectPolicy({ ...options, random: () => 1 });
    const one = loss(1006);
    const delays = times(4, one).map(({ cause, line }) => policy.lost(cause, line, NOW));
    expect(delays).toEqual([5_100, 10_100, 20_100, 30_100]);
    expect([policy.outlook.attempt, policy.authReason]).toEqual([5, 'connect']);
    expect(one.cause).toEqual(loss(1006).cause);
  });
});

describe('time connected pays for attempts', () => {
  test.each([
    // Two seconds pay for one attempt: each of these lives has paid for the one before it.
    [2_000, [5_100, 5_100, 5_100, 5_100]],
    [3_000, [5_100, 5_100, 5_100, 5_100]],
    [9_999, [5_100, 5_100, 5_100, 5_100]],
    // Half of what it took.
    [1_000, [5_100, 7_171, 10_100, 14_242]],
    [0, [5_100, 10_100, 20_100, 30_100]],
  ])('a line that lives %i ms, again and again', (lifeMs, upTo) => {
    const one = loss(1006, { lifeMs });
    expect(upTo.map((_, n) => after(times(n + 1, one))[1])).toEqual(upTo);
  });

  test('a long outage is paid off in seconds, not in minutes', () => {
    const lives = times(4, loss(1006, { lifeMs: 8_000 }));
    expect(after([...times(1_000, loss(1006)), ...lives])).toEqual([100, 5_100]);
  });

  test('a life that pays for an attempt is no failed one', () => {
    const more = { reconnect: { ...TRANSPORT_DEFAULTS.reconnect, maxAttempts: 2 } };
    expect(after(times(9, loss(1006, { lifeMs: 2_000 })), more)).toEqual([100, 5_100]);
    expect(after(times(2, loss(1006, { lifeMs: 1_999 })), more)).toBe('stop');
  });
});

describe('what the server says of its clients', () => {
  const told = (spreadMs: number, lifeMs = 10_000) => loss(1006, { lifeMs, spreadMs });

  test.each([
    [0, 100],
    [250, 350],
    [25_000, 25_100],
    // A server may be wrong, or hostile.
    [1e300, 600_100],
  ])('%d ms: the first window is so wide, and no wider', (spreadMs, to) => {
    expect(after([told(spreadMs)])).toEqual([100, to]);
    expect(after(times(5, told(spreadMs, 3_000)))).toEqual([100, to]);
  });

  test('attempts in vain put the next one off, by half as much again each, up to the cap', () => {
    const windows = [1, 2, 3, 9, 1_000].map((n) => after([told(250), ...times(n, loss(1006))]));
    expect(windows).toEqual([
      [740, 1_150],
      [1_059, 1_549],
      [1_539, 2_149],
      [16_492, 20_840],
      [24_100, 30_350],
    ]);
  });

  test('a line that ends after its welcome, again and again, backs off as one that gets none', () => {
    expect(after(times(4, told(250, 0)))).toEqual(after([told(250), ...times(3, loss(1006))]));
  });

  test('a loss that concerns this client alone is not spread wider than without a word', () => {
    const own = loss(4408, { stable: true, spreadMs: 25_000 });
    expect(after([own])).toEqual([100, 1_100]);
    expect(after([loss(4408, { stable: true, spreadMs: 250 })])).toEqual([100, 350]);
  });

  test('counts until a server that says nothing welcomes, and less than what the app says', () => {
    expect(after([told(250), loss(1006, { lifeMs: 10_000 })])).toEqual([100, 5_100]);
    const reconnect = { ...TRANSPORT_DEFAULTS.reconnect, sharedFirstMs: 7 };
    expect(after([told(250)], { reconnect })).toEqual([100, 107]);
  });
});

describe('a window that the peer announced', () => {
  const announced: DelayWindow = [2_000, 3_000];

  test.each([1012, 1006, 1001])('is taken for %i, which may be how the announced end looks', (code) => {
    expect(after([loss(code, { stable: true, announced })])).toEqual([2_000, 3_000]);
  });

  test('that is far away keeps nobody away whose line was lost meanwhile, but for the end that was announced', () => {
    const far: DelayWindow = [3_600_000, 3_601_000];
    expect(after([loss(1006, { stable: true, announced: far })])).toEqual([100, 5_100]);
    expect(after([loss(1012, { stable: true, announced: far })])).toEqual([3_600_000, 3_601_000]);
  });

  test('that is wide is used up to the cap of any delay, but for the end that was announced', () => {
    const wide: DelayWindow = [0, 600_000];
    expect(after([loss(1012, { stable: true, announced: wide })])).toEqual([0, 600_000]);
    expect(after([loss(1006, { stable: true, announced: wide })])).toEqual([0, 30_000]);
  });

  test('gives way to a delay in the reason, to overload and to what stops', () => {
    expect(after([loss(1012, { announced, reason: 'retry-after=4200' })])).toEqual([4_200, 4_620]);
    expect(after([loss(1013, { announced })])).toEqual([15_000, 60_000]);
    expect(after([loss(4403, { announced })])).toBe('stop');
  });

  test('is for one loss: the attempts that fail after it back off, and it is none of them', () => {
    const planned = loss(1012, { stable: true, announced });
    expect(after([planned, loss(1006)])).toEqual([100, 5_100]);
    expect(after([planned, loss(1006), loss(1006)])).toEqual([100, 10_100]);
  });
});

describe('rules of the app', () => {
  const ruled = (onClose: CloseRules): Partial<PolicyOptions> => ({
    reconnect: { ...TRANSPORT_DEFAULTS.reconnect, onClose },
  });

  test('a table by code: retry, stop, a delay; other codes by the table of the protocol', () => {
    const rules = ruled({ 4403: 'retry', 1006: 'stop', 1012: { delayMs: 42 } });
    expect(after([loss(4403)], rules)).toEqual([100, 5_100]);
    expect(after([loss(1006)], rules)).toBe('stop');
    expect(after([loss(1012)], rules)).toEqual([42, 42]);
    expect(after([loss(1001)], rules)).toEqual([100, 5_100]);
  });

  test('a function gets the cause', () => {
    const causes: CloseCause[] = [];
    const rules = ruled((cause) => {
      causes.push(cause);
      return cause.reason === 'maintenance' ? { delayMs: 60_000 } : undefined;
    });
    const announced = loss(4500, { reason: 'maintenance' });
    expect(after([announced], rules)).toEqual([60_000, 60_000]);
    expect(after([loss(4500)], rules)).toBe('stop');
    expect(causes[0]).toBe(announced.cause);
  });

  test('“retry” keeps backing off, and maxAttempts holds', () => {
    const rules = ruled({ 4403: 'retry' });
    expect(after(times(3, loss(4403)), rules)).toEqual([100, 20_100]);
    const bounded = { reconnect: { ...TRANSPORT_DEFAULTS.reconnect, maxAttempts: 1, onClose: () => 'retry' as const } };
    expect(after([loss(1006)], bounded)).toBe('stop');
  });

  const error = new Error('from the rule');
  test.each([
    [
      'throws',
      () => {
        throw error;
      },
      error,
    ],
    ['gives a number', () => 5, expect.any(TypeError)],
    ['gives a delay that is none', () => ({ delayMs: NaN }), expect.any(TypeError)],
    ['gives a promise', () => Promise.resolve('stop'), expect.any(TypeError)],
  ])('a function that %s is reported, and the table of the protocol decides', (_, rule, reported) => {
    const errors: unknown[] = [];
    const more = { ...ruled(rule as never), onError: (thrown: unknown) => errors.push(thrown) };
    expect(after([loss(1006)], more)).toEqual([100, 5_100]);
    expect(errors).toEqual([reported, reported]);
  });
});

describe('rate guard', () => {
  /** A policy for which attempts began at these times. */
  const begun = (...starts: number[]) => {
    const policy = new ReconnectPolicy(options);
    for (const at of starts) policy.began(at);
    return policy;
  };
  const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

  test('lets nine go, holds the eleventh until the first is more than a minute old', () => {
    expect(begun(...ten.slice(1)).guardMs(10)).toBe(0);
    expect(begun(...ten).guardMs(10)).toBe(60_090);
    expect(begun(...ten).guardMs(60_100)).toBe(0);
    expect(begun(...ten, 60_100).guardMs(60_100)).toBe(1);
  });

  test('remembers ten', () => {
    const policy = begun(...Array.from({ length: 50 }, (_, n) => n));
    // The next ones take the place of 40, 41, 42, …
    for (let n = 40; n < 50; n++) {
      expect(policy.guardMs(50)).toBe(n + 60_100 - 50);
      policy.began(50);
    }
    expect(policy.guardMs(50)).toBe(60_100);
  });

  test('forgets one attempt for each 2 s of a connection, the latest first', () => {
    const policy = begun(...ten);
    policy.ended(loss(1006, { lifeMs: 1_999 }).line, NOW);
    expect(policy.guardMs(10)).toBe(60_090);
    policy.ended(loss(1006, { lifeMs: 5_999 }).line, NOW);
    for (const at of [20, 30]) {
      expect(policy.guardMs(at)).toBe(0);
      policy.began(at);
    }
    expect(policy.guardMs(31)).toBe(60_069);
    policy.ended(loss(1006).line, NOW);
    expect(policy.guardMs(31)).toBe(60_069);
  });

  test('gives whole ms, never too few', () => {
    expect(begun(...Array.from({ length: 10 }, () => 0.5)).guardMs(0.6)).toBe(60_100);
  });
});
