import { MAX_TIMER_MS } from '../primitives/deadlines.ts';
import { backoffWindow, drawDelay, type DelayWindow } from '../primitives/backoff.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction, parseRetryAfter, type CloseReaction } from '../protocol/close-reaction.ts';
import { checkCloseRule, type CloseRule } from './close-rule.ts';
import type { CloseCause } from './transport.ts';
import type { AuthRequest, ReconnectTimes, ResolvedTransportOptions } from './transport-options.ts';

/** What is lost: a connection, or an attempt to get one. */
export interface LostLine {
  /** Monotonic time of its welcome, ms; `Infinity` without one. */
  readonly welcomedAt: number;
  /** Its failure counts; not of an attempt that a wake signal began. */
  readonly counts: boolean;
  /** When the peer asked to be left, and to be asked again, as delays from now. */
  leavingWindow?(now: number): DelayWindow | undefined;
}

/** Options that the policy reads. */
export type PolicyOptions = Pick<ResolvedTransportOptions, 'reconnect' | 'url' | 'random' | 'onError'>;

/** Least delay of a retry, ms. */
const FLOOR_MS = 100;
/** 1012: the hybi text of the registry says "a randomized delay of 5 - 30s". */
const RESTART: DelayWindow = [5_000, 30_000];
/** 1013 and 4429, times 2 for each failure, until the latest end is 5 minutes. */
const OVERLOAD: DelayWindow = [15_000, 60_000];
const OVERLOAD_MOST = 5;
const AT_ONCE: DelayWindow = [0, 0];

/** At most this many attempts begin by themselves in {@link RATE_SPAN_MS}, whatever delays were drawn. */
const RATE_LIMIT = 10;
const RATE_SPAN_MS = 60_000;
/** A wake signal begins at most one attempt in this time, ms. */
const WAKE_SPACING_MS = 1_000;
/** Failed attempts in a row after which a server that never answered counts as unreachable. */
const UNREACHABLE_FAILURES = 5;

/**
 * Decides what follows a loss: what the app rules, else the table of close codes, with delays of full jitter. It
 * remembers what went wrong since the last stable connection, and when attempts began. Clocks are handed in.
 */
export class ReconnectPolicy {
  /** A socket has opened, some time. */
  reached = false;
  readonly #options: PolicyOptions;
  readonly #credentials: { readonly renewable: boolean } | undefined;
  /** Attempts that failed, or whose connection did not become stable. Attempts begun by a wake signal don't count. */
  #failures = 0;
  /** Delays that were drawn from a shared window: each doubles the next one. */
  #draws = 0;
  /** Refusals of credentials since the last welcome: the next credentials have to be fresh. */
  #refusals = 0;
  /** Reactions that a loss has led to. */
  readonly #met = new Set<CloseReaction>();
  /** Monotonic times at which the last attempts began, the latest first; a new series does not forget them. */
  #starts: readonly number[] = [];
  /** Monotonic time of the last attempt that a wake signal began. */
  #wokeAt = -Infinity;

  /** @param credentials - What may be renewed can be presented anew after it was refused. */
  constructor(options: PolicyOptions, credentials?: { readonly renewable: boolean }) {
    this.#options = options;
    this.#credentials = credentials;
  }

  /** What a status says of the attempt that comes next, or is being made: its number, from 1. */
  get outlook(): { readonly attempt: number; readonly unreachable?: true } {
    const attempt = this.#failures + 1;
    return this.reached || attempt <= UNREACHABLE_FAILURES ? { attempt } : { attempt, unreachable: true };
  }

  /** Why credentials are asked for. */
  get authReason(): AuthRequest['reason'] {
    return this.#refusals > 0 ? 'refused' : 'connect';
  }

  /** The app begins anew. */
  restart(): void {
    this.#failures = this.#draws = this.#refusals = 0;
    this.#met.clear();
  }

  /** A connection ends. Where it was stable, what went wrong before it counts no more. */
  ended(line: LostLine, now: number): boolean {
    const { reconnect } = this.#options;
    const stable = reconnect !== false && now - line.welcomedAt >= reconnect.stableAfterMs;
    if (stable) this.restart();
    return stable;
  }

  /** An attempt begins, for whatever reason: a wake signal, or another. */
  began(now: number, woken = false): void {
    this.#starts = [now, ...this.#starts.slice(0, RATE_LIMIT - 1)];
    if (woken) this.#wokeAt = now;
  }

  /** How long an attempt that begins by itself has to wait so as not to be the eleventh of a minute, ms. */
  guardMs(now: number): number {
    return leftMs(this.#starts[RATE_LIMIT - 1]! + RATE_SPAN_MS + FLOOR_MS, now);
  }

  /** Time until a wake signal may begin the next attempt, ms. */
  wakeRestMs(now: number): number {
    return leftMs(this.#wokeAt + WAKE_SPACING_MS, now);
  }

  /** Time until the next attempt, ms; `Infinity` to make none. It respects the rate guard. */
  lost(cause: CloseCause, line: LostLine, now: number): number {
    const { reconnect, random, url } = this.#options;
    const reaction = closeReaction(cause.code);
    const isShared = this.#count(cause, reaction, line, now);
    const isFirst = !this.#met.has(reaction);
    this.#met.add(reaction);
    if (!reconnect || this.#failures >= reconnect.maxAttempts) return Infinity;
    const rule = this.#ruleOf(cause, reconnect) ?? reaction;
    if (typeof rule === 'object') return this.guarded(rule.delayMs, now);
    const { firstMs, sharedFirstMs, capMs } = reconnect;
    // The first draw is from the first window.
    const n = Math.max(0, this.#draws - 1);
    let window = backoffWindow(n, isShared ? sharedFirstMs : firstMs, capMs, FLOOR_MS);
    // Some engines turn the 1012 that was announced into 1006; but it may as well be the client's own line, which must
    // not keep it away long before the window, or for longer than any other loss.
    const announced = line.leavingWindow?.(now);
    if (announced && announced[0] <= capMs) window = [announced[0], Math.min(announced[1], announced[0] + capMs)];
    switch (rule) {
      case 'stop':
        return Infinity;
      case 'retry-once':
        if (!isFirst) return Infinity;
        break;
      case 'other-identity':
        if (!isFirst) return Infinity;
        window = AT_ONCE;
        break;
      case 'credentials':
        // Only where another attempt can present other ones.
        if (this.#refusals > 1 || !(this.#credentials?.renewable || typeof url === 'function')) return Infinity;
        // At once the first time; a server that welcomes and then refuses, again and again, gets the usual backoff.
        if (isFirst) window = AT_ONCE;
        break;
      case 'restart':
        window = announced ?? RESTART;
        break;
      case 'overload': {
        const times = Math.min(2 ** n, OVERLOAD_MOST);
        window = [OVERLOAD[0] * times, OVERLOAD[1] * times];
        break;
      }
      default:
    }
    const hintMs = parseRetryAfter(cause.reason);
    // The server said when: not before it, and not all clients in the same instant.
    if (hintMs !== undefined) window = [hintMs, hintMs + Math.max(FLOOR_MS, hintMs / 10)];
    return this.guarded(drawDelay(window, random), now);
  }

  /** A delay that the rate guard allows, and a timer takes; the guard's where options of no sense made it no number. */
  guarded(delayMs: number, now: number): number {
    const guardMs = this.guardMs(now);
    return Math.min(delayMs > guardMs ? delayMs : guardMs, MAX_TIMER_MS);
  }

  /** Counts a loss. Gives whether other clients may have lost their connections at the same moment. */
  #count(cause: CloseCause, reaction: CloseReaction, line: LostLine, now: number): boolean {
    const stable = this.ended(line, now);
    const isShared = !stable || !concernsOne(cause, reaction);
    const welcomed = line.welcomedAt <= now;
    if (welcomed) this.#refusals = 0;
    if (reaction === 'credentials') this.#refusals++;
    if (welcomed || line.counts) {
      if (!stable) this.#failures++;
      if (isShared) this.#draws++;
    }
    return isShared;
  }

  /** What the app says of a loss; nothing when its function throws or gives nonsense, which is reported. */
  #ruleOf(cause: CloseCause, { onClose }: ReconnectTimes): CloseRule | undefined {
    try {
      const rule = typeof onClose === 'function' ? onClose(cause) : onClose[cause.code];
      if (rule !== undefined) checkCloseRule('what reconnect.onClose gives', rule);
      return rule;
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }
}

/**
 * Whether a loss of a stable connection concerns this client alone; else others may have lost theirs at the same moment.
 * A loss without a reason (1005, 1006) is what thousands see at once when their server or its proxy dies, so only a
 * cause that lies with this client is excepted: its own watchdog, which looks at a time of its own, or a close code about
 * what this client did. RFC 6455 7.2.3 asks for a random delay of 0 to 5 s after an abnormal closure; what concerns one
 * client alone mostly comes with a wake signal (a network change, a return to the page), and that ends the wait.
 */
function concernsOne({ by, code }: CloseCause, reaction: CloseReaction): boolean {
  return (
    by === 'probe' ||
    by === 'above' ||
    code === CloseCode.IANA_TIMEOUT ||
    code === CloseCode.TIMED_OUT ||
    reaction === 'retry-once' ||
    reaction === 'taken-over' ||
    reaction === 'too-large'
  );
}

/** In whole ms, never too few; 0 where there is no time to wait for. */
function leftMs(at: number, now: number): number {
  return at > now ? Math.ceil(at - now) : 0;
}
