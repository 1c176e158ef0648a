import { expect, test } from 'vitest';
import { isUsual, liveWorlds } from './worlds.ts';

/*
 * The same with two and three servers, to any of which a client may come, and what they remember calls in together: the
 * call store of Redis, on a Redis that is simulated, and goes wrong, too.
 */

test('with several servers that remember calls together, nothing runs twice', { timeout: 600_000 }, async () => {
  const sum = await liveWorlds(165, true);
  if (!isUsual) return;
  expect(sum.cuts).toBeGreaterThan(10_000);
  expect(sum.resent).toBeGreaterThan(3_000);
});
