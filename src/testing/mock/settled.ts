import type { Connection } from '../../client/kernel/connection.ts';

/** Options of `settled`. */
export interface SettledOptions {
  /** Connections of the app: then what waits in them counts as well, sent or not. @default those that the kit made */
  readonly connections?: readonly Connection[] | undefined;
  /** Longest time to wait, ms. @default 3_000 */
  readonly timeoutMs?: number | undefined;
}

/** What one turn did may be seen in the next: it is over when nothing is left after so many. */
const QUIET_TURNS = 3;

/** Taken before a test may put fake ones in their place, for hosts without a `MessageChannel`, such as jsdom in jest. */
const [realTimeout, realNow] = [globalThis.setTimeout, Date.now];

/** One turn of the event loop; gives the time, ms. Neither is what fake timers put in the place of the real thing. */
export function turn(): Promise<number> {
  if (typeof MessageChannel === 'undefined') return new Promise((resolve) => realTimeout(() => resolve(realNow())));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ timeStamp }) => {
      port1.close();
      resolve(timeStamp);
    };
    port2.postMessage(undefined);
  });
}

/**
 * Resolves when `left` has nothing to name, turn after turn.
 * @throws Error with what is left when the time is up: as a rejection.
 */
export async function settle(
  left: () => readonly string[],
  passTurn: () => Promise<number>,
  timeoutMs: number = 3_000,
): Promise<void> {
  const until = (await passTurn()) + timeoutMs;
  for (let quiet = 0; quiet < QUIET_TURNS;) {
    const now = await passTurn();
    const names = left();
    quiet = names.length === 0 ? quiet + 1 : 0;
    if (quiet === 0 && now > until)
      throw new Error(`settled: after ${timeoutMs} ms there is still ${names.join(', ')}`);
  }
}

/** What a connection has not done yet, or is about to become, in words. */
export function leftAt(connection: Connection): string[] {
  const left: string[] = [];
  const { state } = connection.status;
  const { queued, inFlight } = connection.stats();
  if (state === 'connecting' || state === 'waiting' || state === 'closing') left.push(`a connection that is ${state}`);
  if (queued.messages > 0) left.push(`${queued.messages} messages that wait in a connection that is ${state}`);
  if (inFlight > 0) left.push(`${inFlight} calls or streams of a client`);
  return left;
}
