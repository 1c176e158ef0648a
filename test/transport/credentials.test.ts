import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Credentials } from '../../src/transport/credentials/credentials.ts';
import type { AuthRequest, AuthResult } from '../../src/transport/transport-options.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** A function whose answers are given by hand. */
function byHand() {
  const answers: Array<(result: AuthResult) => void> = [];
  const auth = vi.fn((_request: AuthRequest) => new Promise<AuthResult>((resolve) => answers.push(resolve)));
  const asked = () => auth.mock.calls.map(([{ reason, signal }]) => [reason, signal.aborted]);
  return { auth, answers, asked, credentials: new Credentials(auth) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('a credentials function', () => {
  test('is asked once by all who ask meanwhile', async () => {
    const { credentials, answers, asked } = byHand();
    const tokens = Promise.all([credentials.get('refresh'), credentials.get('connect', new AbortController().signal)]);
    await settle();
    answers[0]!('T');
    expect(await tokens).toEqual(['T', 'T']);
    expect(asked()).toEqual([['refresh', false]]);
    void credentials.get('connect');
    await settle();
    expect(asked()).toHaveLength(2);
    answers[1]!('T');
    await settle();
  });

  test('that was asked before a refusal is asked anew after it', async () => {
    const { credentials, answers, asked } = byHand();
    const before = expect(credentials.get('refresh')).rejects.toThrow('the credentials were refused');
    await settle();
    const after = Promise.all([credentials.get('refused'), credentials.get('refused')]);
    await before;
    expect(asked()).toEqual([
      ['refresh', true],
      ['refused', false],
    ]);
    answers[0]!('stale');
    answers[1]!('fresh');
    expect(await after).toEqual(['fresh', 'fresh']);
  });

  test('has 10 s, then its signal aborts', async () => {
    const { credentials, asked } = byHand();
    const hung = expect(credentials.get('refresh')).rejects.toThrow('auth gave nothing within 10000 ms');
    await vi.advanceTimersByTimeAsync(9_999);
    expect(asked()).toEqual([['refresh', false]]);
    await vi.advanceTimersByTimeAsync(1);
    await hung;
    expect(asked()).toEqual([['refresh', true]]);
  });

  test('that answered while the page slept was not too late', async () => {
    const { credentials, answers } = byHand();
    const token = credentials.get('connect');
    await settle();
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersToNextTimer();
    answers[0]!('T');
    expect(await token).toBe('T');
  });

  test('that is no longer waited for is aborted, and gives nothing to anybody', async () => {
    const { credentials, answers, asked } = byHand();
    const attempt = new AbortController();
    const given = expect(credentials.get('connect', attempt.signal)).rejects.toThrow('given up');
    await settle();
    attempt.abort(new Error('given up'));
    await given;
    expect(asked()).toEqual([['connect', true]]);
    answers[0]!({ token: 'late', expiresAt: Date.now() + 1_000 });
    await settle();
    expect(credentials.leftMs(1)).toBeUndefined();
  });

  test('that was replaced gives nothing to anybody', async () => {
    const { credentials, answers } = byHand();
    const given = expect(credentials.get('connect')).rejects.toThrow('other credentials are in force');
    await settle();
    credentials.replace(undefined);
    answers[0]!({ token: 'old identity', expiresAt: Date.now() + 1_000 });
    await given;
    expect(await credentials.get('connect')).toBeUndefined();
    expect(credentials.leftMs(1)).toBeUndefined();
    expect(credentials.renewable).toBe(false);
  });

  test('is not asked when nobody waits for it any more', async () => {
    const { credentials, auth } = byHand();
    const given = expect(credentials.get('connect')).rejects.toThrow();
    credentials.abort('over');
    await given;
    expect(auth).not.toHaveBeenCalled();
  });

  test('may come back to its connection while it runs', async () => {
    const credentials: Credentials = new Credentials(() => {
      credentials.replace(() => 'new');
      return 'old';
    });
    await expect(credentials.get('connect')).rejects.toThrow('other credentials are in force');
    expect(await credentials.get('connect')).toBe('new');
  });

  test.each([
    [null, /^auth must give a string, \{ token, expiresAt \}, or undefined for none, not a value of type object$/],
    [{}, /type object$/],
    [5, /type number$/],
    [{ token: 'T', expiresAt: '2026' }, /^auth must give expiresAt in ms since the epoch, not 2026$/],
    [{ token: 'T', expiresAt: NaN }, /not NaN$/],
  ])('that gives %j is told what it must give', async (result, message) => {
    await expect(new Credentials(() => result as never).get('connect')).rejects.toThrow(message);
  });

  test('must be one', () => {
    expect(() => new Credentials('token' as never)).toThrow(/^auth must be a function, not "token"$/);
    expect(() => new Credentials(undefined).replace(5 as never)).toThrow(TypeError);
  });
});

describe('the life of a token', () => {
  test('is known by its end; each answer replaces the last', async () => {
    const results: AuthResult[] = [{ token: 'A', expiresAt: Date.now() + 1_000 }, { token: 'B' }];
    const credentials = new Credentials(() => results.shift());
    expect(await credentials.get('connect')).toBe('A');
    vi.setSystemTime(Date.now() + 100);
    expect([credentials.leftMs(0.8), credentials.leftMs(1)]).toEqual([700, 900]);
    expect(await credentials.get('refresh')).toBe('B');
    expect(credentials.leftMs(1)).toBeUndefined();
  });

  test('is over when another function takes the place of the one that gave it', async () => {
    const credentials = new Credentials(() => ({ token: 'T', expiresAt: Date.now() + 1_000 }));
    await credentials.get('connect');
    credentials.replace(undefined);
    expect(credentials.leftMs(1)).toBeUndefined();
  });

  test('is unknown when the token is over before it was used: the clocks differ', async () => {
    const credentials = new Credentials(() => ({ token: 'T', expiresAt: Date.now() }));
    expect(await credentials.get('connect')).toBe('T');
    expect(credentials.leftMs(1)).toBeUndefined();
  });
});
