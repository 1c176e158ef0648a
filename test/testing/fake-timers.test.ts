import { mock } from 'node:test';
import { expect, onTestFinished, test, vi } from 'vitest';
import { defineContract, query } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

/* The fake timers of runners are the clock of a pair: time passes when the test says so. */

const contract = defineContract({ get: query({}), never: query({}) });
const pairOf = () => connectedPair(contract, { get: () => undefined, never: () => new Promise<void>(() => undefined) });

type Clock = { readonly start: () => void; readonly pass: (ms: number) => unknown; readonly stop: () => void };

const clocks: Readonly<Record<string, Clock>> = {
  vitest: {
    start: () => vi.useFakeTimers(),
    pass: (ms) => vi.advanceTimersByTimeAsync(ms),
    stop: () => vi.useRealTimers(),
  },
  'node:test': {
    start: () => {
      mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
      // It leaves the monotonic clock as it is.
      mock.method(performance, 'now', () => Date.now());
    },
    pass: (ms) => mock.timers.tick(ms),
    stop: () => {
      mock.timers.reset();
      mock.restoreAll();
    },
  },
};

test.each(Object.entries(clocks))(
  'with the clock of %s a lost line comes back when its time has come',
  async (_, clock) => {
    clock.start();
    onTestFinished(clock.stop);
    await using pair = pairOf();
    await pair.client.get();
    pair.cut();
    await new Promise<void>((lost) => pair.connection.on('status', ({ state }) => state === 'waiting' && lost()));
    const answer = pair.client.get();
    await clock.pass(6_000);
    await answer;
    expect(pair.connection.status.state).toBe('connected');
  },
);

test.each(Object.entries(clocks))('with the clock of %s a call ends when its time is up', async (_, clock) => {
  clock.start();
  onTestFinished(clock.stop);
  await using pair = pairOf();
  await pair.client.get();
  const ended = pair.client.never(undefined, { timeoutMs: 5_000 }).safe();
  await clock.pass(5_000);
  expect((await ended).error?.code).toBe('TIMEOUT');
});

/** What an app shows of its connection. */
function banner({ connection }: ReturnType<typeof pairOf>): string {
  const { status } = connection;
  return status.state === 'waiting' ? `back in ${Math.ceil((status.retryAt - Date.now()) / 1_000)} s` : status.state;
}

test('an app counts down to its next attempt, each failed one with a longer time, and is back', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const options = { reconnect: { firstMs: 3_800, sharedFirstMs: 3_800 }, random: () => 0.999 };
  await using pair = connectedPair(contract, { get: () => undefined }, { partial: true, connect: options });
  await pair.client.get();
  pair.refuse();
  pair.cut();
  await vi.advanceTimersByTimeAsync(0);
  expect(banner(pair)).toBe('back in 4 s');
  await vi.advanceTimersByTimeAsync(3_000);
  expect(banner(pair)).toBe('back in 1 s');
  await vi.advanceTimersByTimeAsync(1_000);
  const second = banner(pair);
  expect(second).toMatch(/^back in ([5-9]|\d\d) s$/);
  pair.accept();
  await vi.advanceTimersToNextTimerAsync();
  await pair.client.get();
  expect(banner(pair)).toBe('connected');
});

test('a server that closes waits for a call as long as it was told, and no longer', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  await using pair = pairOf();
  await pair.client.get();
  const ended = pair.client.never(undefined, { timeoutMs: 60_000 }).safe();
  await vi.advanceTimersByTimeAsync(0);
  let isClosed = false;
  const closing = pair.server.close({ withinMs: 5_000 }).then(() => (isClosed = true));
  await vi.advanceTimersByTimeAsync(4_999);
  expect([isClosed, pair.calls('never')]).toMatchObject([false, [{ outcome: 'pending' }]]);
  await vi.advanceTimersByTimeAsync(1);
  await closing;
  await pair.connection.close();
  expect((await ended).error).toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
});
