/** Times of a {@link Heartbeat}. */
export interface HeartbeatTimes {
  /** Silence after which the peer is probed, ms. */
  readonly quietMs: number;
  /** Time a probe has to be answered on a line that carries nothing else, ms. */
  readonly probeMs: number;
}

/** What a probe waits behind. */
export interface AheadOfProbe {
  /** Bytes that were written and that the peer is not known to have taken in. */
  readonly unanswered: number;
  /** Bytes that the engine has not yet passed on; `undefined` where it does not tell. */
  readonly buffered: number | undefined;
}

const NOTHING: AheadOfProbe = { unanswered: 0, buffered: undefined };

/** A line that carries less than this is not waited for, bytes a millisecond. */
const SLOWEST_LINE = 50;

/** What to do now: look again after `ms`, ask the peer for a sign of life, or give it up. */
export type HeartbeatStep =
  { readonly act: 'wait'; readonly ms: number } | { readonly act: 'probe' } | { readonly act: 'dead' };

/**
 * Decides whether a peer is alive from the times at which it was heard; no timers, the clock is handed in (wall
 * clock, ms). Any frame is life. Two things prove nothing against the peer: a clock that went back (the running
 * period starts anew) and a look that comes late (the page slept: one more probe instead of death).
 *
 * A probe waits behind what was written before it. Its time is longer by what that takes on the slowest line, and goes
 * on while the engine's buffer falls: on a dead line it does not. The other way there is nothing to look at: of a frame
 * that is on its way here nothing is seen before its end, so an answer that waits longer than `probeMs` behind a large
 * one is taken for none. What it cuts off comes again on the next socket; who has such frames and slow lines makes
 * `probeMs` longer.
 */
export class Heartbeat {
  readonly #times: HeartbeatTimes;
  #heardAt: number;
  #probedAt: number | undefined;
  #answerMs = 0;
  #buffered: number | undefined;
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

  /** A probe goes out now, behind all this. */
  probed(now: number, ahead: AheadOfProbe = NOTHING): void {
    this.#probedAgain = this.probing;
    this.#await(now, ahead.unanswered, ahead.buffered);
  }

  /** @param ahead - What is still ahead of the probe, where one is awaited. */
  next(now: number, ahead: AheadOfProbe = NOTHING): HeartbeatStep {
    const { quietMs, probeMs } = this.#times;
    if (this.#probedAt === undefined) {
      if (now < this.#heardAt) this.#heardAt = now;
      const ms = this.#heardAt + quietMs - now;
      return ms > 0 ? { act: 'wait', ms } : { act: 'probe' };
    }
    if (now < this.#probedAt) this.#probedAt = now;
    const ms = this.#probedAt + this.#answerMs - now;
    if (ms > 0) return { act: 'wait', ms };
    if (fell(this.#buffered, ahead.buffered)) {
      this.#await(now, ahead.buffered ?? 0, ahead.buffered);
      return { act: 'wait', ms: this.#answerMs };
    }
    const late = -ms > probeMs;
    return late && !this.#probedAgain ? { act: 'probe' } : { act: 'dead' };
  }

  #await(now: number, bytes: number, buffered: number | undefined): void {
    this.#probedAt = now;
    this.#answerMs = this.#times.probeMs + bytes / SLOWEST_LINE;
    this.#buffered = buffered;
  }
}

/** The line took something on: what is left is less. */
function fell(before: number | undefined, after: number | undefined): boolean {
  return before !== undefined && after !== undefined && after < before;
}
