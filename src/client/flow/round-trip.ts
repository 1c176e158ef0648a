/** Weight of a new sample in the smoothed figure (RFC 6298 section 2: alpha). */
const ALPHA = 1 / 8;

/** The round-trip time, smoothed, from pings of which one at a time counts; anew on each socket. */
export class RoundTrip {
  #lastPing = 0;
  /** Number of the ping that is timed; 0 for none. The next is timed when its answer is here. */
  #timed = 0;
  #sentAt = 0;
  #smoothedMs: number | undefined;
  #fresh = true;

  get smoothedMs(): number | undefined {
    return this.#smoothedMs;
  }

  /** Another socket: its first sample replaces the figure. */
  restart(): void {
    this.#timed = 0;
    this.#fresh = true;
  }

  /** Number of the ping to send now. */
  ping(now: number): number {
    const n = ++this.#lastPing;
    if (this.#timed === 0) {
      this.#timed = n;
      this.#sentAt = now;
    }
    return n;
  }

  pong(n: number, now: number): void {
    if (n !== this.#timed) return;
    const sample = Math.max(0, now - this.#sentAt);
    this.#timed = 0;
    const before = this.#fresh ? sample : (this.#smoothedMs ?? sample);
    this.#smoothedMs = before + ALPHA * (sample - before);
    this.#fresh = false;
  }
}
