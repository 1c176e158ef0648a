import { expect } from 'vitest';
import { trial } from './trial.ts';
import type { Totals } from './trial.ts';

/*
 * A world that fails is run again by its seed, with all that happened in it written to a file:
 *   SIMULATION_SEED=17 SIMULATION_TRACE=trace.txt vitest run test/simulation/simulation.test.ts
 * More worlds than usual, from another seed on: SIMULATION_SEED=100000 SIMULATION_WORLDS=5000.
 */
const { SIMULATION_SEED, SIMULATION_WORLDS, SIMULATION_TRACE } = process.env;

/** The worlds are those that always run, not those that somebody looks for. */
export const isUsual = SIMULATION_SEED === undefined && SIMULATION_WORLDS === undefined;

/** The end of a trace, as far as a person reads it. */
const TRACED_LINES = 40;
const TRACED_LENGTH = 240;

/** Lets a world that failed live once more, to see what led to it. */
export async function explained(
  seed: number,
  again: (traced: string[]) => Promise<{ readonly violations: readonly string[] }>,
): Promise<string> {
  const traced: string[] = [];
  const { violations } = await again(traced);
  if (SIMULATION_TRACE !== undefined) {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(SIMULATION_TRACE, `${traced.join('\n')}\n`);
  }
  const until = traced.findIndex((line) => line.includes('VIOLATION')) + 1;
  const last = traced.slice(Math.max(0, until - TRACED_LINES), until).map((line) => line.slice(0, TRACED_LENGTH));
  return [`The world of seed ${String(seed)} fails:`, ...violations.slice(0, 5), ...last].join('\n');
}

/**
 * Which worlds live, by their seeds.
 * @param usual - How many, where nobody asks for others
 * @param found - Beyond those: worlds that found a fault once
 */
export function seeds(usual: number, found: readonly number[] = []): readonly number[] {
  const first = Number(SIMULATION_SEED ?? 0);
  const count = Number(SIMULATION_WORLDS ?? (SIMULATION_SEED === undefined ? usual : 1));
  const asked = Array.from({ length: count }, (_, index) => first + index);
  return SIMULATION_SEED === undefined ? [...new Set([...asked, ...found])] : asked;
}

/** Lets so many worlds live; gives what happened in all of them. @param sharesCalls - As of {@link trial} */
export async function liveWorlds(usual: number, sharesCalls: boolean): Promise<Totals> {
  const all = seeds(usual);
  const sum: Record<string, number> = {};
  for (const seed of all) {
    const { violations, totals } = await trial(seed, sharesCalls);
    if (violations.length > 0) {
      expect.fail(await explained(seed, (traced) => trial(seed, sharesCalls, traced)));
    }
    for (const [name, value] of Object.entries(totals)) sum[name] = (sum[name] ?? 0) + (value as number);
  }
  console.log(`seeds ${String(all[0])} to ${String(all.at(-1))}: ${JSON.stringify(sum)}`);
  return sum as unknown as Totals;
}
