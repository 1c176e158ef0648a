import { seededRandom } from '../../src/testing/faults/random.ts';
import type { DelayWindow } from '../../src/primitives/backoff.ts';
import { ReconnectPolicy } from '../../src/transport/reconnect-policy.ts';
import type { CloseCause } from '../../src/transport/transport.ts';
import { resolveTransportOptions } from '../../src/transport/transport-options.ts';

/** A crowd that loses its server at one moment. */
export interface Herd {
  readonly clients: number;
  /** What every client sees at that moment. */
  readonly code: number;
  readonly announced?: DelayWindow;
  /** What the server had told of all its clients, ms. */
  readonly spreadMs?: number;
  /** Connections that the server takes in a second, evenly. */
  readonly acceptsPerSecond: number;
  /** A refused attempt is noticed after this time, ms. */
  readonly refusalMs: number;
  /** The server takes nobody before, ms. */
  readonly downMs?: number;
  readonly seed: number;
}

export interface HerdResult {
  readonly attemptsPerClient: number;
  /** Most attempts that began within one of the spans of 100 ms. */
  readonly peakPer100Ms: number;
  /** Time until half, 99 %, and all of the clients were connected again, ms. */
  readonly halfBackMs: number;
  readonly almostAllBackMs: number;
  readonly allBackMs: number;
}

/** Lets every client decide by the real policy, with default options, on a virtual clock: no sockets, no timers. */
export function simulateHerd(herd: Herd): HerdResult {
  const { clients, code, announced, spreadMs, acceptsPerSecond, refusalMs, downMs = 0 } = herd;
  const random = seededRandom(herd.seed);
  const options = resolveTransportOptions({ url: 'ws://server.test', random });
  const queue = new EventQueue();
  const crowd = Array.from({ length: clients }, () => new ReconnectPolicy(options));
  const loseAt = (client: number, now: number, first: boolean) => {
    const cause: CloseCause = { code: first ? code : 1006, reason: '', opened: first, by: 'peer' };
    // The connection was stable.
    const line = {
      welcomedAt: first ? -Infinity : Infinity,
      counts: true,
      spreadMs,
      leavingWindow: () => (first ? announced : undefined),
    };
    const delayMs = crowd[client]!.lost(cause, line, now);
    if (delayMs === Infinity) throw new Error(`client ${client} stopped at ${now} ms`);
    queue.push(now + delayMs, client);
  };
  for (let client = 0; client < clients; client++) loseAt(client, 0, true);

  const tally = new Map<number, number>();
  const backAt: number[] = [];
  let attempts = 0;
  // A bucket that holds what the server takes in 100 ms.
  let room = acceptsPerSecond / 10;
  let filledAt = downMs;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { at, client } = next;
    attempts++;
    crowd[client]!.began(at);
    tally.set(Math.floor(at / 100), (tally.get(Math.floor(at / 100)) ?? 0) + 1);
    if (at >= downMs) {
      room = Math.min(acceptsPerSecond / 10, room + ((at - filledAt) * acceptsPerSecond) / 1_000);
      filledAt = at;
    }
    if (at >= downMs && room >= 1) {
      room--;
      backAt.push(at);
    } else loseAt(client, at + refusalMs, false);
  }
  return {
    attemptsPerClient: attempts / clients,
    peakPer100Ms: Math.max(...tally.values()),
    halfBackMs: backAt[Math.ceil(clients / 2) - 1]!,
    allBackMs: backAt.at(-1)!,
    almostAllBackMs: backAt[Math.ceil(clients * 0.99) - 1]!,
  };
}

interface Attempt {
  readonly at: number;
  readonly client: number;
}

/** Attempts by their time: one list a millisecond, because delays are whole ones. */
class EventQueue {
  readonly #slots: Attempt[][] = [];
  #first = 0;

  push(at: number, client: number): void {
    (this.#slots[Math.ceil(at)] ??= []).push({ at, client });
  }

  shift(): Attempt | undefined {
    for (; this.#first < this.#slots.length; this.#first++) {
      const attempt = this.#slots[this.#first]?.shift();
      if (attempt !== undefined) return attempt;
    }
    return undefined;
  }
}
