import type { Decision, Loss, PolicyOptions } from './reconnect-policy.ts';
import { advanceStreak, CALM, decideReconnect, guardDelayMs, noteStart } from './reconnect-policy.ts';
import type { AuthRequest, ResolvedTransportOptions } from './transport-options.ts';

/** What one transport remembers between its attempts, so that the reconnect policy can stay pure. */
export class ReconnectSeries {
  readonly #options: PolicyOptions;
  #streak = CALM;
  /** Monotonic times at which the last attempts began; a new series does not forget them. */
  #starts: readonly number[] = [];

  constructor({ reconnect, auth, url, random }: ResolvedTransportOptions) {
    this.#options = { reconnect, random, renewable: auth !== undefined || typeof url === 'function' };
  }

  /** Number of the attempt that comes next, from 1. */
  get attempt(): number {
    return this.#streak.failures + 1;
  }

  /** Why credentials are asked for. */
  get authReason(): AuthRequest['reason'] {
    return this.#streak.refusedInARow > 0 ? 'refused' : 'connect';
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

  /** An attempt begins, for whatever reason. */
  began(now: number): void {
    this.#starts = noteStart(this.#starts, now);
  }

  /** What to do after a loss. The delay respects the rate guard. */
  lost(loss: Loss, now: number): Decision {
    this.#streak = advanceStreak(this.#streak, loss);
    const decision = decideReconnect(loss, this.#streak, this.#options);
    if (decision.action === 'stop') return decision;
    return { action: 'retry', delayMs: Math.max(decision.delayMs, guardDelayMs(this.#starts, now)) };
  }
}
