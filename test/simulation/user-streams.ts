import { isTautlineError } from '../../src/index.ts';
import type { Attempt } from './ledger.ts';
import type { User } from './user.ts';
import type { World } from './world.ts';

/** How somebody reads a stream. */
export interface Reading {
  /** Items that there are. */
  readonly count: number;
  /** Time between two items at the server, and that the reader takes for one, ms. */
  readonly itemMs: number;
  readonly readMs: number;
  /** Leaves the loop after so many. */
  readonly leaveAfter: number;
  /** Leaves it after this time, wherever it is then, ms. */
  readonly leaveAfterMs?: number;
}

/** Reads one stream to its end: items have to come each once and in order, of one run, and then the end. */
export async function readStream(world: World, user: User, attempt: Attempt, reading: Reading): Promise<void> {
  const { clock, random, ledger, plan, violation } = world;
  const { count, itemMs, readMs, leaveAfter, leaveAfterMs } = reading;
  const { token, identity } = attempt;
  const what = `stream ${String(token)}`;
  const controller = new AbortController();
  if (random.chance(0.1)) {
    clock.after(random.below(2_000), user.process, () => {
      ledger.aborted(attempt);
      controller.abort();
    });
  }
  const items = user.client.tail(
    { token, count, itemMs },
    { timeoutMs: attempt.deadlineAt - clock.now, signal: controller.signal },
  );
  let seen = 0;
  let isLeft = false;
  if (leaveAfterMs !== undefined) {
    clock.after(leaveAfterMs, user.process, () => {
      isLeft = true;
      void items.return();
    });
  }
  try {
    for await (const item of items) {
      seen++;
      attempt.deadlineAt = Infinity;
      if (plan.identities !== 'none' && attempt.era !== user.era)
        violation(`${what} of ${attempt.era} gave an item in ${user.era}`);
      if (item.token !== token) violation(`${what} got an item of ${String(item.token)}`);
      if (item.seq !== seen) violation(`${what} got item ${String(item.seq)} as its ${String(seen)}.`);
      if (identity !== undefined && item.user !== identity)
        violation(`${what} of ${identity} got an item of ${item.user}`);
      if (seen === leaveAfter) break;
      if (readMs > 0) await world.pause(random.below(readMs), user.process);
    }
    if (isLeft) return ledger.left(attempt);
    if (seen < Math.min(count, leaveAfter))
      violation(`${what} is done after ${String(seen)} of ${String(count)} items`);
    ledger.answered(attempt, undefined);
  } catch (error) {
    if (isTautlineError(error)) ledger.failed(attempt, error);
    else violation(`${what} failed with ${String(error)}`);
  }
}

/** Streams that one page has the server run at a time. */
export const STREAMS = 8;

/**
 * In quiet: as many streams at once as there are slots, each left at some moment, mostly while its end is on its way;
 * and again. None may have to wait for the slot of one that was left.
 */
export async function leaveStreams(world: World, user: User, attempt: () => Attempt): Promise<void> {
  const { clock, random, plan, violation } = world;
  const [, latencyMs] = plan.latencyMs;
  const longestMs = 500 + 20 * latencyMs;
  const leave = async (): Promise<void> => {
    const begun = clock.now;
    const moment = random.chance(0.3) ? { leaveAfterMs: random.below(3 * latencyMs + 1) } : {};
    // Some would never end by themselves.
    const count = random.chance(0.3) ? 1_000_000 : 2;
    const itemMs = random.below(2 * latencyMs + 1);
    await readStream(world, user, attempt(), { count, itemMs, readMs: 0, leaveAfter: 1, ...moment });
    if (clock.now - begun > longestMs) violation(`${user.process.name} waits for the slot of a stream that it left`);
  };
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: STREAMS }, leave));
}
