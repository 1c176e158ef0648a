import type { ClientConnection } from '../client/kernel/client-connection.ts';
import type { Connection } from '../client/kernel/connection.ts';

/** Options of `settled`. */
export interface SettledOptions {
  /** Connections of the app: then what waits in them counts as well, sent or not. @default those that the kit made */
  readonly connections?: readonly Connection[] | undefined;
  /** Longest time to wait, ms. @default 3_000 */
  readonly timeoutMs?: number | undefined;
}

// Those of the time of loading: a test with fake timers waits, too.
const { setTimeout: later } = globalThis;
const now: () => number = performance.now.bind(performance);

/** What one turn did may be seen in the next: it is over when nothing is left after so many. */
const QUIET_TURNS = 3;

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => void later(resolve, 0));
}

/**
 * Resolves when `left` has nothing to name, turn after turn.
 * @throws Error with what is left when the time is up: as a rejection.
 */
export async function settle(
  left: () => readonly string[],
  { timeoutMs = 3_000, passTurn = turn }: { readonly timeoutMs?: number | undefined; passTurn?: () => Promise<void> },
): Promise<void> {
  const until = now() + timeoutMs;
  for (let quiet = 0; quiet < QUIET_TURNS;) {
    await passTurn();
    const names = left();
    quiet = names.length === 0 ? quiet + 1 : 0;
    if (quiet === 0 && now() > until)
      throw new Error(`settled: after ${timeoutMs} ms there is still ${names.join(', ')}`);
  }
}

/** What a connection has not done yet, in words. */
export function leftAt(connection: Connection): string[] {
  const left: string[] = [];
  const { state } = connection.status;
  if (state === 'connecting' || state === 'waiting' || state === 'closing') left.push(`a connection that is ${state}`);
  const { messages } = connection.stats().queued;
  if (messages > 0) left.push(`${messages} messages that wait in a connection that is ${state}`);
  if (!(connection as Connection & Pick<ClientConnection, 'requests'>).requests.isIdle)
    left.push('a call, a stream or a publish of a client');
  return left;
}
