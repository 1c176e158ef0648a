import type { DelayWindow } from '../primitives/backoff.ts';
import { backoffWindow, drawDelay } from '../primitives/backoff.ts';
import type { CloseReaction } from '../protocol/close-reaction.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction, parseRetryAfter } from '../protocol/close-reaction.ts';
import { checkCloseRule, type CloseRule, type CloseRules } from './close-rule.ts';
import type { CloseCause } from './transport.ts';
import type { ReconnectTimes } from './transport-options.ts';

/** What went wrong since the last stable connection. */
export interface Streak {
  /** Attempts that failed, or whose connection did not become stable. Attempts begun by a wake signal don't count. */
  readonly failures: number;
  /** Delays that were drawn from a shared window: each doubles the next one. */
  readonly draws: number;
  /** Losses that earn one retry only: codes 1002, 1003, 1007, 4400. */
  readonly faults: number;
  /** Losses because this client belonged to another identity. */
  readonly strangers: number;
  /** Refusals of credentials. */
  readonly refusals: number;
  /** Refusals of credentials since the last welcome: the next credentials have to be fresh. */
  readonly refusedInARow: number;
}

/** Nothing went wrong. */
export const CALM: Streak = { failures: 0, draws: 0, faults: 0, strangers: 0, refusals: 0, refusedInARow: 0 };

/** One loss: of a connection, or of an attempt to get one. */
export interface Loss {
  readonly cause: CloseCause;
  readonly welcomed: boolean;
  /** It had lived for `stableAfterMs` after its welcome. */
  readonly stable: boolean;
  /** It counts as a failed attempt; one that a wake signal began doesn't. */
  readonly counts: boolean;
  /** When the peer asked to be left, and to be asked again, ms from now. */
  readonly announced?: DelayWindow | undefined;
}

/** What to do after a loss. */
export type Decision = { readonly action: 'retry'; readonly delayMs: number } | { readonly action: 'stop' };

/** What the policy needs to know of the options. */
export interface PolicyOptions {
  readonly reconnect: ReconnectTimes | false;
  /** Another attempt can present other credentials. */
  readonly renewable: boolean;
  readonly random: () => number;
  /** Gets what `reconnect.onClose` throws. */
  readonly onError: (error: unknown) => void;
}

/** Least delay of a retry, ms. */
const FLOOR_MS = 100;
/** 1012: the hybi text of the registry says "a randomized delay of 5 - 30s". */
const RESTART: DelayWindow = { fromMs: 5_000, toMs: 30_000 };
/** 1013 and 4429, times 2 for each failure, until the latest end is {@link OVERLOAD_CAP_MS}. */
const OVERLOAD: DelayWindow = { fromMs: 15_000, toMs: 60_000 };
const OVERLOAD_CAP_MS = 300_000;

/** The streak after a loss. */
export function advanceStreak(streak: Streak, loss: Loss): Streak {
  const { cause, welcomed, stable, counts } = loss;
  const before = stable ? CALM : streak;
  const reaction = closeReaction(cause.code);
  const refused = reaction === 'credentials' ? 1 : 0;
  return {
    failures: before.failures + (counts && !stable ? 1 : 0),
    draws: before.draws + (counts && isShared(loss) ? 1 : 0),
    faults: before.faults + (reaction === 'retry-once' ? 1 : 0),
    strangers: before.strangers + (reaction === 'other-identity' ? 1 : 0),
    refusals: before.refusals + refused,
    refusedInARow: (welcomed ? 0 : before.refusedInARow) + refused,
  };
}

/**
 * What to do after a loss, `streak` being the one that {@link advanceStreak} made of it: what the app rules, else the
 * table of close codes, with delays of full jitter. Pure but for `random` and the app's function.
 */
export function decideReconnect(loss: Loss, streak: Streak, options: PolicyOptions): Decision {
  const { reconnect, random, onError } = options;
  if (reconnect === false || streak.failures >= reconnect.maxAttempts) return STOP;
  const rule = ruleOf(reconnect.onClose, loss.cause, onError);
  if (rule === 'stop') return STOP;
  if (typeof rule === 'object') return { action: 'retry', delayMs: rule.delayMs };
  const delayWindow =
    rule === 'retry' ? usualWindow(loss, streak, reconnect) : windowOf(loss, streak, reconnect, options.renewable);
  if (delayWindow === undefined) return STOP;
  const hintMs = parseRetryAfter(loss.cause.reason);
  return { action: 'retry', delayMs: drawDelay(hintMs === undefined ? delayWindow : hinted(hintMs), random) };
}

/** What the app says of a loss; nothing when its function throws or gives nonsense, which is reported. */
function ruleOf(rules: CloseRules, cause: CloseCause, onError: (error: unknown) => void): CloseRule | undefined {
  if (typeof rules !== 'function') return rules[cause.code];
  try {
    const rule = rules(cause);
    if (rule !== undefined) checkCloseRule('what reconnect.onClose gives', rule);
    return rule;
  } catch (error) {
    onError(error);
    return undefined;
  }
}

const STOP: Decision = { action: 'stop' };
const AT_ONCE: DelayWindow = { fromMs: 0, toMs: 0 };

/** Window of the delay by the table; `undefined` to stop. */
function windowOf(loss: Loss, streak: Streak, times: ReconnectTimes, renewable: boolean): DelayWindow | undefined {
  const reaction = closeReaction(loss.cause.code);
  switch (reaction) {
    case 'stop':
      return undefined;
    case 'retry':
    case 'retry-shared':
    case 'taken-over':
    case 'too-large':
      return usualWindow(loss, streak, times);
    case 'retry-once':
      return streak.faults > 1 ? undefined : usualWindow(loss, streak, times);
    case 'restart':
      return loss.announced ?? RESTART;
    case 'overload':
      return overloaded(doublings(streak));
    case 'credentials':
      if (!renewable || streak.refusedInARow > 1) return undefined;
      // At once the first time; a server that welcomes and then refuses, again and again, gets the usual backoff.
      return streak.refusals > 1 ? usualWindow(loss, streak, times) : AT_ONCE;
    case 'other-identity':
      return streak.strangers > 1 ? undefined : AT_ONCE;
    default:
      return reaction satisfies never;
  }
}

/**
 * What the peer announced, else the backoff. Some engines turn the 1012 that was announced into 1006; but it may as well
 * be the client's own line, which must not keep it away long before the window, or for longer than any other loss.
 */
function usualWindow(loss: Loss, streak: Streak, { firstMs, sharedFirstMs, capMs }: ReconnectTimes): DelayWindow {
  const { announced } = loss;
  if (announced !== undefined && announced.fromMs <= capMs)
    return { ...announced, toMs: Math.min(announced.toMs, announced.fromMs + capMs) };
  return backoffWindow(doublings(streak), isShared(loss) ? sharedFirstMs : firstMs, capMs, FLOOR_MS);
}

/**
 * Whether other clients may have lost their connections at the same moment. A loss without a reason (1005, 1006) is
 * what thousands see at once when their server or its proxy dies, so only a cause that lies with this client is
 * excepted: its own watchdog, which looks at a time of its own, or a close code about what this client did. RFC 6455
 * 7.2.3 asks for a random delay of 0 to 5 s after an abnormal closure; what concerns one client alone mostly comes with
 * a wake signal (a network change, a return to the page), and that ends the wait.
 */
function isShared({ cause: { by, code }, stable }: Loss): boolean {
  if (!stable) return true;
  if (by === 'probe' || by === 'above') return false;
  if (code === CloseCode.IANA_TIMEOUT || code === CloseCode.TIMED_OUT) return false;
  return !OWN_FAULTS.has(closeReaction(code));
}

const OWN_FAULTS: ReadonlySet<CloseReaction> = new Set<CloseReaction>(['retry-once', 'taken-over', 'too-large']);

/** The first draw is from the first window. */
function doublings({ draws }: Streak): number {
  return Math.max(0, draws - 1);
}

function overloaded(n: number): DelayWindow {
  const factor = Math.min(2 ** n, OVERLOAD_CAP_MS / OVERLOAD.toMs);
  return { fromMs: OVERLOAD.fromMs * factor, toMs: OVERLOAD.toMs * factor };
}

/** The server said when: not before it, and not all clients in the same instant. */
function hinted(hintMs: number): DelayWindow {
  return { fromMs: hintMs, toMs: hintMs + Math.max(FLOOR_MS, hintMs / 10) };
}

/** At most this many attempts begin by themselves in {@link RATE_SPAN_MS}, whatever delays were drawn. */
const RATE_LIMIT = 10;
const RATE_SPAN_MS = 60_000;

/** Adds a beginning to those of the last attempts; keeps as many as the rate guard looks at. */
export function noteStart(starts: readonly number[], now: number): readonly number[] {
  return [...starts.slice(1 - RATE_LIMIT), now];
}

/** How long an attempt that begins by itself has to wait so as not to be the eleventh of a minute, ms. */
export function guardDelayMs(starts: readonly number[], now: number): number {
  const tenthLast = starts.length < RATE_LIMIT ? undefined : starts[0];
  return tenthLast === undefined ? 0 : Math.max(0, Math.ceil(tenthLast + RATE_SPAN_MS + FLOOR_MS - now));
}
