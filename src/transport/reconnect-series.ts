import type { Decision, Loss, PolicyOptions } from './reconnect-policy.ts';
import { advanceStreak, CALM, decideReconnect, guardDelayMs, noteStart } from './reconnect-policy.ts';
import type { AuthRequest, ResolvedTransportOptions } from './transport-options.ts';
import type { CredentialSource } from './transport-parts.ts';

/** Failed attempts in a row after which a server that never answered counts as unreachable. */
const UNREACHABLE_FAILURES = 5;

/** A wake signal begins at most one attempt in this time, ms. */
const WAKE_SPACING_MS = 1_000;

/** What one transport remembers between its attempts, so that the reconnect policy can stay pure. */
export class ReconnectSeries {
  readonly #options: PolicyOptions;
  #streak = CALM;
  /** Monotonic times at which the last attempts began; a new series does not forget them. */
  #starts: readonly number[] = [];
  /** Monotonic time of the last attempt that a wake signal began. */
  #wokeAt = -Infinity;
  /** A socket has opened, some time. */
  #reached = false;

  /** @param credentials - They may be replaced at any time. */
  constructor({ reconnect, url, random, onError }: ResolvedTransportOptions, credentials?: CredentialSource) {
    this.#options = {
      reconnect,
      random,
      onError,
      get renewable() {
        return credentials?.renewable === true || typeof url === 'function';
      },
    };
  }

  /** Number of the attempt that comes next, from 1. */
  get attempt(): number {
    return this.#streak.failures + 1;
  }

  /** Why credentials are asked for. */
  get authReason(): AuthRequest['reason'] {
    return this.#streak.refusedInARow > 0 ? 'refused' : 'connect';
  }

  /** What a status says where many attempts failed and no socket has ever opened. */
  get reach(): { readonly unreachable?: true } {
    return !this.#reached && this.#streak.failures >= UNREACHABLE_FAILURES ? { unreachable: true } : {};
  }

  /** Whether a connection that ends now was stable. */
  isStable(welcomedAt: number, now: number): boolean {
    const { reconnect } = this.#options;
    return reconnect !== false && now - welcomedAt >= reconnect.stableAfterMs;
  }

  /** The app begins anew. */
  restart(): void {
    this.#streak = CALM;
  }

  /** Time until an attempt may begin by itself, ms. */
  guardMs(now: number): number {
    return guardDelayMs(this.#starts, now);
  }

  /** An attempt begins, for whatever reason: a wake signal, or another. */
  began(now: number, woken = false): void {
    this.#starts = noteStart(this.#starts, now);
    if (woken) this.#wokeAt = now;
  }

  /** Time until a wake signal may begin the next attempt, ms. */
  wakeRestMs(now: number): number {
    return Math.max(0, Math.ceil(this.#wokeAt + WAKE_SPACING_MS - now));
  }

  /** A socket opened. */
  opened(): void {
    this.#reached = true;
  }

  /** What to do after a loss. The delay respects the rate guard. */
  lost(loss: Loss, now: number): Decision {
    this.#streak = advanceStreak(this.#streak, loss);
    const decision = decideReconnect(loss, this.#streak, this.#options);
    if (decision.action === 'stop') return decision;
    return { action: 'retry', delayMs: Math.max(decision.delayMs, this.guardMs(now)) };
  }
}
