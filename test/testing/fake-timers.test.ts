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
