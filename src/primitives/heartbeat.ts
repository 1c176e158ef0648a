/** Times of a {@link Heartbeat}. */
export interface HeartbeatTimes {
  /** Silence after which the peer is probed, ms. */
  readonly quietMs: number;
  /** Time a probe has to be answered, ms. */
  readonly probeMs: number;
}

/** What to do now: look again after `ms`, ask the peer for a sign of life, or give it up. */
export type HeartbeatStep =
  { readonly act: 'wait'; readonly ms: number } | { readonly act: 'probe' } | { readonly act: 'dead' };

/**
 * Decides whether a peer is alive from the times at which it was heard; no timers, the clock is handed in (wall
 * clock, ms). Any frame is life. Two things prove nothing against the peer: a clock that went back (the running
 * period starts anew) and a look that comes late (the page slept: one more probe instead of death).
 */
export class Heartbeat {
  readonly #times: HeartbeatTimes;
  #heardAt: number;
  #probedAt: number | undefined;
  #probedAgain = false;

  constructor(times: HeartbeatTimes, now: number) {
    this.#times = times;
    this.#heardAt = now;
  }

  /** A probe was sent and nothing was heard since. */
  get probing(): boolean {
    return this.#probedAt !== undefined;
  }

  heard(now: number): void {
    this.#heardAt = now;
    this.#probedAt = undefined;
  }

  /** A probe goes out now. */
  probed(now: number): void {
    this.#probedAgain = this.probing;
    this.#probedAt = now;
  }

  next(now: number): HeartbeatStep {
    const { quietMs, probeMs } = this.#times;
    if (this.#probedAt === undefined) {
      if (now < this.#heardAt) this.#heardAt = now;
      const ms = this.#heardAt + quietMs - now;
      return ms > 0 ? { act: 'wait', ms } : { act: 'probe' };
    }
    if (now < this.#probedAt) this.#probedAt = now;
    const ms = this.#probedAt + probeMs - now;
    if (ms > 0) return { act: 'wait', ms };
    const late = -ms > probeMs;
    return late && !this.#probedAgain ? { act: 'probe' } : { act: 'dead' };
  }
}
