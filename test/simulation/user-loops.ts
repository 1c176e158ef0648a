import { isTautlineError } from '../../src/index.ts';
import type { Gap, Position } from '../../src/index.ts';
import type { TopicPath } from './contract.ts';
import type { User } from './user.ts';
import type { World } from './world.ts';

/** How somebody loops over the events of a topic. */
export interface Loop {
  readonly path: TopicPath;
  readonly id: string;
  /** Events that may wait. */
  readonly buffer: number;
  /** Longest that one event takes, ms. */
  readonly readMs: number;
  /** Leaves after so many. */
  readonly count: number;
  /** Goes on after a gap. */
  readonly takesGaps: boolean;
}

const text = (position: Position | undefined): string => position?.join(':') ?? 'nowhere';

/** Reads events one after the other, however slowly: each once and in order, or a gap is told, and nothing of somebody else. */
export async function loopOverEvents(world: World, user: User, loop: Loop): Promise<void> {
  const { clock, random, publications, plan } = world;
  const { path, id, buffer, readMs, count, takesGaps } = loop;
  const { process } = user;
  const handle = user.client[path]({ id });
  const violation = (what: string): void => world.violation(`${process.name} loops over ${handle.name}: ${what}`);
  let at: Position | undefined;
  /** Of whom the first event was: until then it goes on with who is there. */
  let era: string | undefined;
  const gap = ({ from, to }: Gap): void => {
    if (at !== undefined && text(from) !== text(at)) violation(`gap from ${text(from)}, at ${text(at)}`);
    if (keepsHistory(world)) violation(`gap to ${text(to)}, though nothing was lost`);
    at = to;
  };
  const snapshot = (_state: unknown, position: Position): void => {
    at = position;
  };
  const events = handle.events({ buffer, snapshot, ...(takesGaps && { gap }) });
  let left = count;
  user.loops.add(events);
  try {
    for await (const fact of events) {
      const position = events.position!;
      const published = publications.at(handle.name, position);
      if (published?.token !== fact.token || published.ballast !== fact.ballast)
        violation(`event ${String(fact.token)} at ${text(position)} is not what was published there`);
      era ??= user.era;
      if (plan.identities !== 'none' && user.era !== era) violation(`an event of ${era} in ${user.era}`);
      if (at !== undefined && (position[0] !== at[0] || position[1] !== at[1] + 1))
        violation(`event at ${text(position)} follows on ${text(at)}`);
      at = position;
      if (--left <= 0 || user.closing) break;
      await new Promise<void>((resolve) => clock.after(random.below(readMs + 1), process, resolve));
    }
  } catch (error) {
    const code = isTautlineError(error) ? error.code : String(error);
    const mayEnd =
      (code === 'GAP' && !takesGaps && !keepsHistory(world)) ||
      (code === 'CLOSED' && user.leaves > 0) ||
      (code === 'UNAUTHENTICATED' && plan.identities !== 'none') ||
      (code === 'FORBIDDEN' && path === 'own') ||
      code === 'INTERNAL';
    if (!mayEnd) violation(`ends with ${String(error)}`);
  } finally {
    user.loops.delete(events);
  }
}

function keepsHistory({ plan }: World): boolean {
  return plan.broker === 'memory' && plan.historySize > 1_000 && !plan.deaths;
}
