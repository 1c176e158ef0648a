import { MAX_TIMER_MS } from '../../primitives/deadlines.ts';
import { LEAST_PART_BYTES } from '../../protocol/parts.ts';

/** What one server grants its peers. */
export interface ServerLimits {
  /** Largest frame that a client may send, bytes. @default 1_048_576 */
  readonly frameBytes?: number | undefined;
  /**
   * Largest message that a client may send in parts, as newer clients do, bytes. A socket that leaves four times as much
   * unread is closed with 4429. @default 16_777_216
   */
  readonly messageBytes?: number | undefined;
  /**
   * Parts of messages that are not yet whole, of all clients together, bytes of ASCII. Beyond it the socket that has been
   * silent for the longest is closed with 1013: its client comes back later, and sends the message again. At least
   * `messageBytes`.
   * @default 268_435_456, or `messageBytes` where that is more
   */
  readonly unfinishedBytes?: number | undefined;
  /**
   * A message above this goes in parts, each of about half of it, both ways: what is small goes between them, bytes. At
   * least 1024.
   * @default 16_384
   */
  readonly partBytes?: number | undefined;
  /** Calls and publishes of one socket that are not yet answered, 8 to 1024; a client may run twice as many handlers. @default 1_024, less where `streams` are many */
  readonly calls?: number | undefined;
  /**
   * Streams of one socket that have not ended; a client may have twice as many generators at work. With `calls` at
   * most 1088.
   * @default 16
   */
  readonly streams?: number | undefined;
  /**
   * Items of one stream that are made ahead of what its consumer has taken: after so many the generator waits. It
   * waits, too, when those of all streams of a client that no socket has room for take `answerBytes`.
   * @default 256
   */
  readonly items?: number | undefined;
  /** Topics that one socket may be subscribed to; of one client twice as many are opened at a time, others wait. @default 1_000 */
  readonly subscriptions?: number | undefined;
  /**
   * Messages of any kind that one client may send in the long run, a second; what says that items of a stream were taken
   * is not counted. Above it calls, publishes and subscriptions wait for their time, as many as a client within the limits
   * can have under way; more are answered `RATE_LIMITED`, and a socket that takes no notice is closed with 4429.
   * @default 100_000
   */
  readonly messagesPerSecond?: number | undefined;
  /**
   * Messages of any kind that one client may send at once before `messagesPerSecond` counts. At least `subscriptions` +
   * `calls` + `streams` + 112, or a client could not reconnect. The default holds a full queue of a client besides.
   * @default 100_000, or that least where it is more
   */
  readonly messageBurst?: number | undefined;
  /**
   * Clients that the server can take in a second when they come back. Told, not enforced: clients that lose it together
   * spread over the time that all of them need at this rate, and a quarter more.
   * @default 500
   */
  readonly connectionsPerSecond?: number | undefined;
  /**
   * A peer with more than this on its way gets no events until it drains: they wait in the history, bytes. Answers do
   * not wait behind them.
   * @default 262_144
   */
  readonly bufferedBytes?: number | undefined;
  /**
   * Answers that are remembered for one client, entries; past it the oldest ids become `UNKNOWN_OUTCOME`. At least
   * `calls` + `streams` + 64: so many may not have arrived, as far as the client has told.
   * @default 1_152
   */
  readonly answers?: number | undefined;
  /**
   * Answers, and items of streams that were not taken, that are remembered for one client whatever others need, bytes. More are kept as long as all answers fit
   * `memoryBytes`; when they don't, the oldest of those above it become `UNKNOWN_OUTCOME`.
   * @default 1_048_576
   */
  readonly answerBytes?: number | undefined;
  /** Clients without a socket that are remembered for one identity; anonymous ones are not counted. @default 32 */
  readonly clientsPerIdentity?: number | undefined;
  /** Clients without a socket that are remembered in all. @default 10_000 */
  readonly clients?: number | undefined;
  /**
   * Answers that are remembered in all, bytes: past it those above a client's `answerBytes` go, then clients without
   * a socket are forgotten, oldest first.
   * @default 67_108_864
   */
  readonly memoryBytes?: number | undefined;
}

/** Times of a server. */
export interface ServerTimes {
  /** Time for a peer to say hello, and then for `authenticate` to answer, ms. @default 10_000 */
  readonly helloTimeoutMs?: number | undefined;
  /** Silence, in either direction, after which a peer is pinged, ms. @default 25_000 */
  readonly heartbeatMs?: number | undefined;
  /** Time to answer a ping, ms. @default 10_000 */
  readonly pongTimeoutMs?: number | undefined;
  /** How long a client without a socket is remembered, ms. @default 120_000 */
  readonly windowMs?: number | undefined;
  /**
   * How long somebody without a socket is still there, in a presence, ms; no longer than `windowMs`. A client that says
   * goodbye has left at once. @default 10_000
   */
  readonly presenceGraceMs?: number | undefined;
}

/** Options with every value there. */
export type Resolved<Options> = { readonly [Name in keyof Options]-?: NonNullable<Options[Name]> };

/** {@link ServerLimits} with defaults. */
export type ResolvedLimits = Resolved<ServerLimits>;
/** {@link ServerTimes} with defaults. */
export type ResolvedTimes = Resolved<ServerTimes>;

/** Defaults of {@link ServerLimits}. */
export const DEFAULT_LIMITS: ResolvedLimits = {
  frameBytes: 1024 * 1024,
  messageBytes: 16 * 1024 * 1024,
  unfinishedBytes: 256 * 1024 * 1024,
  partBytes: 16 * 1024,
  calls: 1024,
  streams: 16,
  items: 256,
  subscriptions: 1000,
  messagesPerSecond: 100_000,
  messageBurst: 100_000,
  connectionsPerSecond: 500,
  bufferedBytes: 256 * 1024,
  answers: 1152,
  answerBytes: 1024 * 1024,
  clientsPerIdentity: 32,
  clients: 10_000,
  memoryBytes: 64 * 1024 * 1024,
};

/** Defaults of {@link ServerTimes}. */
export const DEFAULT_TIMES: ResolvedTimes = {
  helloTimeoutMs: 10_000,
  heartbeatMs: 25_000,
  pongTimeoutMs: 10_000,
  windowMs: 120_000,
  presenceGraceMs: 10_000,
};

/** Least values that make sense: a hello fits 16 KiB, and a client may send 8 calls before it knows a limit. */
const LEAST: Partial<Record<string, number>> = {
  frameBytes: 16 * 1024,
  partBytes: LEAST_PART_BYTES,
  calls: 8,
  clientsPerIdentity: 0,
  clients: 0,
  withinMs: 0,
};

/** A greeting names the ids in flight, and has 16 KiB for them. */
const MOST_CALLS = 1024;

/** A floor excepts as many ids in flight as this: see `floorProblem`. */
const MOST_IN_FLIGHT = 1024 + 64;

/** A client tells every 64 settled ids what it no longer needs. */
const FLOOR_EVERY = 64;

/** What a reconnecting client says besides its subscriptions, calls and streams: a floor, pings, credentials, how far streams came. */
const RECONNECT_SPARE = 112;

/** Lays options over their defaults and checks each. @throws TypeError, RangeError */
export function resolveNumbers<Defaults extends Readonly<Record<string, number>>>(
  what: string,
  defaults: Defaults,
  given: { readonly [Name in keyof Defaults]?: number | undefined },
): Defaults {
  const resolved: Record<string, number> = {};
  for (const [name, fallback] of Object.entries(defaults)) {
    const value: unknown = given[name] ?? fallback;
    const least = LEAST[name] ?? 1;
    const most = name === 'calls' ? MOST_CALLS : name.endsWith('Ms') ? MAX_TIMER_MS : Number.MAX_SAFE_INTEGER;
    if (typeof value !== 'number') {
      throw new TypeError(`${what}${name} must be a number, not ${typeof value}: leave it off for ${fallback}`);
    }
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new RangeError(`${what}${name} is ${value}: give a whole number from ${least} to ${most}`);
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved) as Defaults;
}

/** @throws TypeError, RangeError as {@link resolveNumbers}; RangeError for limits that contradict each other. */
export function resolveLimits(given: ServerLimits): ResolvedLimits {
  const { messageBurst, ...resolved } = resolveNumbers('limits.', DEFAULT_LIMITS, given);
  // Who asks for more streams alone gets fewer calls.
  const mostCalls = Math.max(LEAST.calls!, MOST_IN_FLIGHT - resolved.streams);
  const { messageBytes } = resolved;
  const unfinishedBytes = given.unfinishedBytes ?? Math.max(resolved.unfinishedBytes, messageBytes);
  if (unfinishedBytes < messageBytes) {
    throw new RangeError(
      `limits.unfinishedBytes is ${unfinishedBytes}: give at least limits.messageBytes, ${messageBytes}, or no message ` +
        'of that size could be taken',
    );
  }
  const others = { ...resolved, unfinishedBytes, calls: given.calls ?? Math.min(resolved.calls, mostCalls) };
  const inFlight = others.calls + others.streams;
  if (inFlight > MOST_IN_FLIGHT) {
    throw new RangeError(
      `limits.calls and limits.streams are ${inFlight} together: give at most ${MOST_IN_FLIGHT}, ` +
        'or a client could not name what it still waits for',
    );
  }
  const reconnect = reconnectMessages(others);
  if (given.messageBurst !== undefined && messageBurst < reconnect) {
    throw new RangeError(
      `limits.messageBurst is ${messageBurst}: give at least limits.subscriptions + limits.calls + limits.streams + ` +
        `${RECONNECT_SPARE}, ${reconnect}, or a client could not reconnect`,
    );
  }
  const limits = { ...others, messageBurst: Math.max(messageBurst, reconnect) };
  const least = inFlight + FLOOR_EVERY;
  if (limits.answers < least) {
    throw new RangeError(
      `limits.answers is ${limits.answers}: give at least limits.calls + limits.streams + ${FLOOR_EVERY}, ${least}, ` +
        'or answers that are still on their way would be forgotten',
    );
  }
  return Object.freeze(limits);
}

/** As many messages as a client within the limits may have to send at once. */
export function reconnectMessages({
  subscriptions,
  calls,
  streams,
}: Pick<ResolvedLimits, 'subscriptions' | 'calls' | 'streams'>): number {
  return subscriptions + calls + streams + RECONNECT_SPARE;
}

/** @throws TypeError naming the option that is there and no function. */
export function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw new TypeError(`${name} is ${describe(value)}: give a function, or leave it off`);
}

/** @throws TypeError naming the method that an option of several methods has not. */
export function checkMethods(name: string, value: unknown, methods: readonly string[], what: string): void {
  if (value === undefined) return;
  for (const method of methods) {
    if (typeof (value as Readonly<Record<string, unknown>> | null)?.[method] === 'function') continue;
    throw new TypeError(`${name} has no method ${method}: give ${what}, or leave it off`);
  }
}

/** A value as a message can show it. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
