/** What {@link Heartbeat.next} says besides a time: ask the peer for a sign of life. */
export const PROBE = 0;
/** The peer is to be given up. */
export const DEAD = -1;

/** A line that carries less than this is not waited for, bytes a millisecond. */
const SLOWEST_LINE = 50;

/**
 * Decides whether a peer is alive from the times at which it was heard; no timers, the clock is handed in (wall
 * clock, ms). Any frame is life. Two things prove nothing against the peer: a clock that went back (the running
 * period starts anew) and a look that comes late (the page slept: one more probe instead of death).
 *
 * A probe waits behind what was written before it. Its time is longer by what that takes on the slowest line, and goes
 * on while bytes move: while what falls on a line that lives, as the engine's buffer, falls. Where nothing is seen of a
 * frame that is on its way here before its end, an answer that waits longer than `probeMs` behind a large one is taken
 * for none. What it cuts off comes again on the next socket; who has such frames and slow lines makes `probeMs` longer.
 */
export class Heartbeat {
  /** A probe was sent and nothing was heard since. */
  probing = false;
  readonly #quietMs: number;
  readonly #probeMs: number;
  /** Beginning and length of the running period: of silence, or of the wait for an answer. */
  #since = 0;
  #periodMs = 0;
  #falling: number | undefined;
  #probedAgain = false;

  /**
   * @param quietMs - Silence after which the peer is probed
   * @param probeMs - Time a probe has to be answered on a line that carries nothing else
   */
  constructor(quietMs: number, probeMs: number, now: number) {
    this.#quietMs = quietMs;
    this.#probeMs = probeMs;
    this.heard(now);
  }

  heard(now: number): void {
    this.#since = now;
    this.#periodMs = this.#quietMs;
    this.probing = false;
  }

  /**
   * A probe goes out now.
   * @param unanswered - Bytes that were written before it and that the peer is not known to have taken in
   * @param falling - What falls while bytes move, such as those that the engine has not yet passed on, where it tells
   */
  probed(now: number, unanswered = 0, falling?: number): void {
    this.#probedAgain = this.probing;
    this.probing = true;
    this.#await(now, unanswered, falling);
  }

  /**
   * Time until the next look, ms, or {@link PROBE}, or {@link DEAD}.
   * @param bytes - Those that are still before the probe
   */
  next(now: number, falling?: number, bytes: number = falling!): number {
    if (now < this.#since) this.#since = now;
    const ms = this.#since + this.#periodMs - now;
    if (ms > 0) return ms;
    if (!this.probing) return PROBE;
    // Where the engine does not tell, a comparison is false.
    if (falling! < this.#falling!) {
      this.#await(now, bytes, falling);
      return this.#periodMs;
    }
    const late = -ms > this.#probeMs;
    return late && !this.#probedAgain ? PROBE : DEAD;
  }

  #await(now: number, bytes: number, falling: number | undefined): void {
    this.#since = now;
    this.#periodMs = this.#probeMs + bytes / SLOWEST_LINE;
    this.#falling = falling;
  }
}
