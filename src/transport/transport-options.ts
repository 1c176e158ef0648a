import { DEVELOPMENT } from '../development.ts';
import { checkTransportOptions } from './check-transport-options.ts';
import type { CloseRules } from './close-rule.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { WebSocketConstructor } from './web-socket-like.ts';

/** What a URL function is told. */
export interface UrlRequest {
  /** Number of this attempt in its series, from 1: an app can rotate hosts by it. */
  readonly attempt: number;
  /** Aborts when the attempt is given up. */
  readonly signal: AbortSignal;
}

/** What a credentials function is told. */
export interface AuthRequest {
  /**
   * `refused`: the server turned down the last credentials (close code 3000 or 4401), so get new ones. `refresh`: the
   * present ones expire soon; the socket lives on meanwhile.
   */
  readonly reason: 'connect' | 'refused' | 'refresh';
  /** Aborts when nobody waits for the answer any more, and after 10 s: then it comes too late. */
  readonly signal: AbortSignal;
}

/** Where to connect. `http(s)` maps to `ws(s)`; a relative URL resolves against the page, in every engine. */
export type UrlOption = string | URL | ((request: UrlRequest) => string | URL | Promise<string | URL>);

/** A token, and how long it is good for. */
export interface AuthToken {
  readonly token: string;
  /**
   * Wall clock, ms since the epoch (the `exp` of a JWT times 1000). At about 80 % of the time left the token is
   * refreshed on the live socket. A time in the past says nothing: the clocks differ. @default never refreshed
   */
  readonly expiresAt?: number | undefined;
}

/** What a credentials function gives: `undefined` for no token. */
export type AuthResult = string | AuthToken | undefined;

/**
 * Gives the token of one attempt. Asked anew for every attempt, and before the token expires; never twice at a time,
 * and for 10 s at most. A rejection is a failed attempt, unless it is a `StopReconnecting`.
 */
export type AuthOption = (request: AuthRequest) => AuthResult | Promise<AuthResult>;

/** How a lost connection is made again. Delays are drawn from windows: see `reconnect-policy.ts`. */
export interface ReconnectOptions {
  /** First window after the loss of a stable connection that concerns this client only, ms. @default 1_000 */
  readonly firstMs?: number | undefined;
  /**
   * First window where other clients may have lost theirs too, which a loss without a reason (1006) never rules out,
   * ms. Doubled with every failure. @default as wide as the server says that its clients need, else 5_000
   */
  readonly sharedFirstMs?: number | undefined;
  /** Widest window, ms. @default 30_000 */
  readonly capMs?: number | undefined;
  /**
   * A connection that lived this long after its welcome was stable: what went wrong before it is forgotten, ms. One that
   * lived less pays for one failed attempt with each 2 s. @default 10_000
   */
  readonly stableAfterMs?: number | undefined;
  /** Attempts that may fail in a row before it stops. @default Infinity */
  readonly maxAttempts?: number | undefined;
  /** Rules of the app for single losses, instead of the table in PROTOCOL.md. @default none */
  readonly onClose?: CloseRules | undefined;
}

/** When silence of the server becomes suspicious. */
export interface HeartbeatOptions {
  /** Interval in which the server is expected to be heard, ms. @default the server's hint, else 25_000 */
  readonly intervalMs?: number | undefined;
  /** Grace after the interval before the server is probed, ms. @default 10_000 */
  readonly timeoutMs?: number | undefined;
  /**
   * Time a probe has to be answered, ms; longer by what a line of 50 kB/s takes for the bytes that were written before
   * it and have no answer. @default 2_000
   */
  readonly probeMs?: number | undefined;
}

/** Options of a transport. */
export interface TransportOptions {
  readonly url: UrlOption;
  /** Subprotocols to ask for. Where any is asked for, a server that chooses none of them is refused with 4406. @default none */
  readonly protocols?: readonly string[] | undefined;
  /** Credentials for the greeting. @default none */
  readonly auth?: AuthOption | undefined;
  /** Constructor to use: a fake, `ws`, a wrapper. @default the global WebSocket, looked up at each attempt */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** Limit of one attempt, from asking for URL and credentials to the welcome, ms. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** `false`: the first loss ends the connection. */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** `false`: silence proves nothing, and nothing is probed. */
  readonly heartbeat?: HeartbeatOptions | false | undefined;
  /** Where signals of the host come from; `false` for nowhere. @default the page's, where there is a `document` */
  readonly lifecycle?: Lifecycle | false | undefined;
  /**
   * Time after which a connection of a hidden app drops its socket and all timers until somebody looks again, ms.
   * Saves the battery of a phone; 0 for at once. @default never
   */
  readonly suspendAfterHiddenMs?: number | undefined;
  /** Randomness of the delays, [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
  /** Gets what callbacks of the layer above throw. @default the global `reportError`, else an uncaught error */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** All properties there, none undefined. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** {@link ReconnectOptions} with defaults; without a first shared window the server's word counts. */
export type ReconnectTimes = Complete<Omit<ReconnectOptions, 'sharedFirstMs'>> &
  Pick<ReconnectOptions, 'sharedFirstMs'>;
/** {@link HeartbeatOptions} with defaults; without an interval the server's hint counts. */
export type HeartbeatSettings = Complete<Omit<HeartbeatOptions, 'intervalMs'>> & Pick<HeartbeatOptions, 'intervalMs'>;

/** {@link TransportOptions} with defaults. */
export interface ResolvedTransportOptions {
  readonly url: UrlOption;
  readonly protocols: readonly string[];
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly connectTimeoutMs: number;
  readonly reconnect: ReconnectTimes | false;
  readonly heartbeat: HeartbeatSettings | false;
  readonly lifecycle?: Lifecycle | false | undefined;
  readonly suspendAfterHiddenMs?: number | undefined;
  readonly random: () => number;
  /** Never throws. */
  readonly onError: (error: unknown) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;

export const RECONNECT_DEFAULTS: ReconnectTimes = {
  firstMs: 1_000,
  capMs: 30_000,
  stableAfterMs: 10_000,
  maxAttempts: Infinity,
  onClose: {},
};

/** Where neither the option nor the server names an interval, ms. */
export const HEARTBEAT_HINT_MS = 25_000;
const HEARTBEAT_DEFAULTS: HeartbeatSettings = { intervalMs: undefined, timeoutMs: 10_000, probeMs: 2_000 };

/** Defaults of {@link TransportOptions}. */
export const TRANSPORT_DEFAULTS: {
  readonly connectTimeoutMs: number;
  readonly reconnect: ReconnectTimes;
  /** `hintMs` stands for the interval where neither the option nor the server names one. */
  readonly heartbeat: { readonly timeoutMs: number; readonly probeMs: number; readonly hintMs: number };
} = {
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  reconnect: RECONNECT_DEFAULTS,
  heartbeat: { ...HEARTBEAT_DEFAULTS, hintMs: HEARTBEAT_HINT_MS },
};

/**
 * Fills in the defaults. What a programmer writes is checked in development.
 * @throws TypeError for a value of the wrong type
 * @throws RangeError for a number that makes no sense
 */
export function resolveTransportOptions(options: TransportOptions): ResolvedTransportOptions {
  if (DEVELOPMENT) checkTransportOptions(options);
  const { protocols = [], onError = reportUncaught } = options;
  return withTransportDefaults({
    ...options,
    onError: (error) => {
      try {
        onError(error);
      } catch (thrown) {
        reportUncaught(thrown);
      }
    },
    // As it is now.
    protocols: [...protocols],
  });
}

/** As {@link resolveTransportOptions}, of options whose `onError` never throws and whose `protocols` never change. */
export function withTransportDefaults(
  options: TransportOptions & Pick<ResolvedTransportOptions, 'onError' | 'protocols'>,
): ResolvedTransportOptions {
  if (DEVELOPMENT) checkTransportOptions(options);
  const { reconnect, heartbeat } = options;
  const rules = reconnect && reconnect.onClose;
  return {
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    random: Math.random,
    ...definedOf(options),
    reconnect: reconnect !== false && {
      ...RECONNECT_DEFAULTS,
      ...definedOf(reconnect),
      onClose: typeof rules === 'function' ? rules : { ...rules },
    },
    heartbeat: heartbeat !== false && { ...HEARTBEAT_DEFAULTS, ...definedOf(heartbeat) },
  };
}

/** Without the properties that are `undefined`, which erase no default. */
export function definedOf<T extends object>(
  options: T = {} as T,
): { readonly [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

/** Hands an error to the host as one that nobody caught, without unwinding the caller. */
function reportUncaught(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else {
    queueMicrotask(() => {
      throw error;
    });
  }
}
