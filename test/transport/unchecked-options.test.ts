import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watched } from './reconnecting-harness.ts';
import { harness } from './transport-harness.ts';

// As in production, where options are not checked: what makes no sense must harm nobody but its app.
vi.mock('../../src/development.ts', () => ({ DEVELOPMENT: false }));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['capMs', NaN],
  ['capMs', 'x'],
  ['capMs', Infinity],
  ['sharedFirstMs', NaN],
  ['sharedFirstMs', -1],
  ['stableAfterMs', -1],
  ['maxAttempts', NaN],
])('reconnect: { %s: %s } makes at most ten attempts a minute', async (name, value) => {
  const bench = harness({ reconnect: { [name]: value }, random: () => 0.5 });
  await bench.dial();
  for (let n = 0; n < 2_000; n++) {
    if (bench.fake.last().readyState < 2) bench.fake.last().end(1006);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(bench.fake.made.length).toBeLessThanOrEqual(11);
  bench.transport.close();
});

test.each([
  ['intervalMs', Infinity],
  ['intervalMs', NaN],
  ['probeMs', NaN],
])('heartbeat: { %s: %s } sets no timer that runs all the time', async (name, value) => {
  const bench = harness({ heartbeat: { [name]: value } }, ([what]) => {
    if (what === 'probe') bench.fake.last().message('x');
  });
  await bench.connect();
  const set = vi.spyOn(globalThis, 'setTimeout');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(set.mock.calls.length).toBeLessThan(50);
  bench.transport.close();
});

test.each([{ maxMessages: NaN }, { maxBytes: 'x' as never }])('queue: %j is refused: it would be endless', (queue) => {
  expect(() => watched({ queue })).toThrow(RangeError);
});
