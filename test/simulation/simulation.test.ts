import { expect, test } from 'vitest';
import { trial } from './trial.ts';
import type { Totals } from './trial.ts';

/*
 * The real client and the real server, in simulated worlds in which everything goes wrong. A world that fails is run
 * again by its seed, with all that happened in it written to a file:
 *   SIMULATION_SEED=17 SIMULATION_TRACE=trace.txt vitest run test/simulation/simulation.test.ts
 * More worlds than usual, from another seed on: SIMULATION_SEED=100000 SIMULATION_WORLDS=5000.
 */
const { SIMULATION_SEED, SIMULATION_WORLDS, SIMULATION_TRACE } = process.env;
const isUsual = SIMULATION_SEED === undefined && SIMULATION_WORLDS === undefined;
const WORLDS = 165;
const first = Number(SIMULATION_SEED ?? 0);
const worlds = Number(SIMULATION_WORLDS ?? (SIMULATION_SEED === undefined ? WORLDS : 1));

/** The end of a trace, as far as a person reads it. */
const TRACED_LINES = 40;
const TRACED_LENGTH = 240;

/** Lets a world that failed live once more, to see what led to it. */
async function explain(seed: number): Promise<string> {
  const traced: string[] = [];
  const { violations } = await trial(seed, traced);
  if (SIMULATION_TRACE !== undefined) {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(SIMULATION_TRACE, `${traced.join('\n')}\n`);
  }
  const until = traced.findIndex((line) => line.includes('VIOLATION')) + 1;
  const last = traced.slice(Math.max(0, until - TRACED_LINES), until).map((line) => line.slice(0, TRACED_LENGTH));
  return [`The world of seed ${String(seed)} fails:`, ...violations.slice(0, 5), ...last].join('\n');
}

test('in worlds where everything goes wrong, calls and topics keep their promises', { timeout: 600_000 }, async () => {
  const sum: Partial<Record<keyof Totals, number>> = {};
  for (let seed = first; seed < first + worlds; seed++) {
    const { violations, totals } = await trial(seed);
    if (violations.length > 0) expect.fail(await explain(seed));
    for (const [name, value] of Object.entries(totals)) {
      sum[name as keyof Totals] = (sum[name as keyof Totals] ?? 0) + (value as number);
    }
  }
  console.log(`seeds ${String(first)} to ${String(first + worlds - 1)}: ${JSON.stringify(sum)}`);
  if (!isUsual) return;
  // The load was there: a simulation in which little happens proves little.
  expect(sum.cuts).toBeGreaterThan(20_000);
  expect(sum.resent).toBeGreaterThan(5_000);
  expect(sum.gaps).toBeGreaterThan(300);
  expect(sum.resumed).toBeGreaterThan(5_000);
  expect(sum.heard).toBeGreaterThan(50_000);
});
