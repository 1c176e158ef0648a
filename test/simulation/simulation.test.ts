import { expect, test } from 'vitest';
import { isUsual, liveWorlds } from './worlds.ts';

/* The real client and the real server, in simulated worlds in which everything goes wrong: `worlds.ts` says how to look at one. */

test('in worlds where everything goes wrong, calls and topics keep their promises', { timeout: 600_000 }, async () => {
  const sum = await liveWorlds(165, false);
  if (!isUsual) return;
  // The load was there: a simulation in which little happens proves little.
  expect(sum.cuts).toBeGreaterThan(20_000);
  expect(sum.resent).toBeGreaterThan(5_000);
  expect(sum.gaps).toBeGreaterThan(300);
  expect(sum.resumed).toBeGreaterThan(5_000);
  expect(sum.heard).toBeGreaterThan(50_000);
});
