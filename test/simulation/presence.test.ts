import { expect, test } from 'vitest';
import { presenceTrial, type PresenceTotals } from './presence/presence-trial.ts';
import { explained, isUsual, seeds } from './worlds.ts';

/** Of those beyond the usual ones: worlds that found a fault once, or that a rule is missing. */
const FOUND = [127, 412, 466, 588];

/* People in rooms: the real client and one to three real servers, with the store of presences of Redis, which is simulated. */

test(
  'whatever goes wrong, a presence shows who is there, once each, and nobody else',
  { timeout: 600_000 },
  async () => {
    const sum: PresenceTotals = { cuts: 0, told: 0, left: 0, pages: 0, steps: 0 };
    const all = seeds(120, FOUND);
    for (const seed of all) {
      const { violations, totals } = await presenceTrial(seed);
      if (violations.length > 0) expect.fail(await explained(seed, (traced) => presenceTrial(seed, traced)));
      for (const name of Object.keys(sum) as Array<keyof PresenceTotals>) sum[name] += totals[name];
    }
    console.log(`people in rooms, ${String(all.length)} worlds: ${JSON.stringify(sum)}`);
    if (!isUsual) return;
    expect(sum.cuts).toBeGreaterThan(1_000);
    expect(sum.left).toBeGreaterThan(1_000);
  },
);
