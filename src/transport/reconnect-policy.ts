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
  /** How wide its server wants the window in which all of its clients come back, ms; a peer may have made anything of it. */
  readonly spreadMs?: unknown;
  /** When the peer asked to be left, and to be asked again, as delays from now. */
  leavingWindow?(now: number): DelayWindow | undefined;
}

/** Options that the policy reads. */
export type PolicyOptions = Pick<ResolvedTransportOptions, 'reconnect' | 'url' | 'random' | 'onError'>;

/** Least delay of a retry, ms. */
const FLOOR_MS = 100;
/** Where other clients may be concerned, and neither the app nor the server says how wide the first window is, ms. */
const SHARED_FIRST_MS = 5_000;
/** Widest window that a server may ask for, ms. */
const MOST_SPREAD_MS = 600_000;
/** Where the server says how wide: attempts in vain put off the next one by {@link STREAK_MS} times 1.5 for each. */
const STREAK_MS = 533;
const STREAK_GROWTH = 1.5;
/** 1012: the hybi text of the registry says "a randomized delay of 5 - 30s". */
const RESTART: DelayWindow = [5_000, 30_000];
/** 1013 and 4429: from this to four times this, ms, times 2 for each of them, until the latest end is 5 minutes. */
const OVERLOAD_MS = 15_000;
const OVERLOAD_MOST = 5;
const AT_ONCE: DelayWindow = [0, 0];

/** A connection pays for one attempt with each of these that it lived after its welcome, ms. */
const PAYS_MS = 2_000;
/** More attempts than this are not owed: after them the delay is at its cap. */
const MOST_DEBT = 11;
/** At most this many attempts for which no connection paid begin by themselves in {@link RATE_SPAN_MS}, whatever delays were drawn. */
const RATE_LIMIT = 10;
const RATE_SPAN_MS = 60_000;
/** A wake signal begins at most one attempt in this time, ms. */
const WAKE_SPACING_MS = 1_000;
/** Failed attempts in a row after which a server that never answered counts as unreachable. */
const UNREACHABLE_FAILURES = 5;

/**
 * Decides what follows a loss: what the app rules, else the table of close codes. Two things make a delay. *The streak*,
 * of this client: attempts that came to nothing put off the next one, exponentially; time connected pays for them. *The
 * herd*, of all clients of a server: they spread over a window that fits their number, which the server tells; where it
 * does not, over one that doubles with each attempt in vain. Clocks are handed in.
 */
export class ReconnectPolicy {
  /** A socket has opened, some time. */
  reached = false;
  readonly #options: PolicyOptions;
  readonly #credentials: { readonly renewable: boolean } | undefined;
  /** Attempts in a row that failed, or whose connection did not pay for one. Attempts begun by a wake signal don't count. */
  #failures = 0;
  /** Losses that time connected has not paid for. */
  #debt = 0;
  /** What the last server said: {@link LostLine.spreadMs}, bounded; `NaN` where it said nothing. */
  #spreadMs = NaN;
  /** Refusals of credentials since the last welcome: the next credentials have to be fresh. */
  #refusals = 0;
  /** How often each reaction was met since the last stable connection. */
  #met: { [Reaction in CloseReaction]?: number } = {};
  /** Monotonic times at which the last unpaid attempts began, the latest first; a new series does not forget them. */
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
    this.#failures = this.#debt = this.#refusals = 0;
    this.#met = {};
  }

  /**
   * A connection ends. Where it was stable, what went wrong before it counts no more; else its life pays for some of it.
   * Gives whether it has paid for itself.
   */
  ended({ welcomedAt }: LostLine, now: number): boolean {
    const { reconnect } = this.#options;
    const livedMs = now - welcomedAt;
    const paid = livedMs / PAYS_MS;
    if (paid > 0) {
      this.#debt = Math.max(0, this.#debt - paid);
      this.#starts = this.#starts.slice(paid);
    }
    if (paid >= 1) this.#failures = 0;
    if (reconnect && livedMs >= reconnect.stableAfterMs) this.restart();
    return paid >= 1;
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
    // Some engines turn the 1012 that was announced into 1006; but it may as well be the client's own line, which must
    // not keep it away long before the window, or for longer than any other loss.
    const announced = line.leavingWindow?.(now);
    const isShared = this.#count(cause, reaction, line, now, !announced);
    const times = this.#met[reaction] ?? 0;
    const isFirst = !times;
    this.#met[reaction] = times + 1;
    if (!reconnect || this.#failures >= reconnect.maxAttempts) return Infinity;
    const rule = this.#ruleOf(cause, reconnect) ?? reaction;
    if (typeof rule === 'object') return this.guarded(rule.delayMs, now);
    const { capMs } = reconnect;
    let window = this.#window(reconnect, isShared);
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
        const leastMs = OVERLOAD_MS * Math.min(2 ** times, OVERLOAD_MOST);
        window = [leastMs, leastMs * 4];
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

  /** The usual window: the first one is that of a loss for which nothing is owed. */
  #window({ firstMs, sharedFirstMs, capMs }: ReconnectTimes, isShared: boolean): DelayWindow {
    const n = Math.max(0, this.#debt - 1);
    const spreadMs = this.#spreadMs;
    if (sharedFirstMs || !(spreadMs >= 0))
      return backoffWindow(n, isShared ? (sharedFirstMs ?? SHARED_FIRST_MS) : firstMs, capMs, FLOOR_MS);
    const streakMs = n && Math.min(capMs, STREAK_MS * STREAK_GROWTH ** n);
    return [FLOOR_MS + streakMs * 0.8, FLOOR_MS + streakMs + (isShared ? spreadMs : Math.min(firstMs, spreadMs))];
  }

  /**
   * Counts a loss. Gives whether other clients may have lost their connections at the same moment.
   * @param adds - It makes later delays longer. Not where the server said when to come: that is no reason to stay away
   * from the next one.
   */
  #count(cause: CloseCause, reaction: CloseReaction, line: LostLine, now: number, adds: boolean): boolean {
    const hasPaid = this.ended(line, now);
    const isShared = !hasPaid || !concernsOne(cause, reaction);
    const welcomed = line.welcomedAt <= now;
    if (welcomed) {
      this.#refusals = 0;
      this.#spreadMs = readSpread(line.spreadMs);
    }
    if (reaction === 'credentials') this.#refusals++;
    if (welcomed || line.counts) {
      if (!hasPaid) this.#failures++;
      if (isShared && adds && reaction !== 'restart' && reaction !== 'overload')
        this.#debt = Math.min(this.#debt + 1, MOST_DEBT);
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
 * Whether a loss of a connection that has paid for itself concerns this client alone; else others may have lost theirs at the same moment.
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

/** What a server says of all its clients, ms, bounded; `NaN` for what makes no sense. */
export function readSpread(spreadMs: unknown): number {
  return Math.min(spreadMs as number, MOST_SPREAD_MS);
}

/** In whole ms, never too few; 0 where there is no time to wait for. */
function leftMs(at: number, now: number): number {
  return at > now ? Math.ceil(at - now) : 0;
}
