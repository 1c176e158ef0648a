/** Between these two figures writing stops and begins again, bytes. */
export interface FlowMarks {
  /** At most so much lies between the writer and the peer. */
  readonly highWaterMark: number;
  /** Once it was reached, writing goes on when less than this is left. */
  readonly lowWaterMark: number;
}

/** Shortest and longest time between two looks at a buffer, ms. */
const FIRST_LOOK_MS = 16;
const LONGEST_LOOK_MS = 500;

interface Barrier {
  readonly n: number;
  /** All that was written before it, in bytes and in messages. */
  readonly written: number;
  readonly messages: number;
}

/**
 * Decides when to write to one socket, from numbers that are handed in; no timers, no socket. Two bounds hold together:
 *
 * - The window: bytes that were written and are not covered by the answer to a ping written after them. It holds
 *   everywhere, also where the engine's figure is missing, constant or too low (React Native has none, WebKit's falls
 *   to 0 as soon as the network process has the bytes, kernels and proxies hide megabytes).
 * - The engine's `bufferedAmount`, where it is a number: an extra brake. It is above the window only where an engine
 *   counts more than bytes of text. One that stays high when an answer has covered all that was written is wrong, and
 *   is not believed on this socket any more.
 */
export class FlowControl {
  readonly #marks: FlowMarks;
  /** A ping follows every so many bytes; below the low mark, so that what no ping covers never holds writing up. */
  readonly #barrierBytes: number;
  /** Messages that an answer has covered. */
  messages = 0;
  #written = 0;
  #covered = 0;
  #barriers: Barrier[] = [];
  #paused = false;
  #believes = true;
  #lookMs = FIRST_LOOK_MS;

  constructor(marks: FlowMarks) {
    this.#marks = marks;
    this.#barrierBytes = Math.min(marks.highWaterMark / 4, marks.lowWaterMark / 2);
  }

  /** Bytes that were written and that the peer is not known to have taken in. */
  get unanswered(): number {
    return this.#written - this.#covered;
  }

  /** A ping is to be written now: enough went out since the last, or writing waits for what no ping covers. */
  get barrierDue(): boolean {
    const uncovered = this.#written - (this.#barriers.at(-1)?.written ?? this.#covered);
    return uncovered > 0 && (this.#paused || uncovered >= this.#barrierBytes);
  }

  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** A ping was written, whatever for; numbers count up. */
  pinged(n: number, messages = 0): void {
    // A ping that covers no more than the one before it tells nothing more.
    if ((this.#barriers.at(-1)?.written ?? this.#covered) === this.#written) return;
    this.#barriers.push({ n, written: this.#written, messages });
  }

  /** An answer: all that was written before that ping was taken in. */
  ponged(n: number, buffered: number | undefined): void {
    let answered = 0;
    for (; answered < this.#barriers.length && this.#barriers[answered]!.n <= n; answered++) {
      ({ written: this.#covered, messages: this.messages } = this.#barriers[answered]!);
    }
    this.#barriers.splice(0, answered);
    if (this.unanswered === 0 && (buffered ?? 0) >= this.#marks.lowWaterMark) this.#believes = false;
  }

  /**
   * Whether so many bytes may be written now; `pending` were let pass and are on their way to the socket. What alone is
   * above the high mark passes when nothing else is under way.
   */
  admits(bytes: number, pending: number, buffered: number | undefined): boolean {
    const { highWaterMark, lowWaterMark } = this.#marks;
    const underWay = Math.max(this.unanswered, this.#brake(buffered)) + pending;
    if (this.#paused && underWay > 0 && underWay >= lowWaterMark) return false;
    this.#paused = underWay > 0 && underWay + bytes > highWaterMark;
    if (!this.#paused) this.#lookMs = FIRST_LOOK_MS;
    return !this.#paused;
  }

  /**
   * When to look at the buffer again, ms, twice as long after each look; `undefined` where writing is not held up, or
   * where the answer to a ping will tell.
   */
  nextLookMs(buffered: number | undefined): number | undefined {
    const { lowWaterMark } = this.#marks;
    if (!this.#paused || this.#brake(buffered) < lowWaterMark || this.unanswered >= lowWaterMark) return undefined;
    const ms = this.#lookMs;
    this.#lookMs = Math.min(ms * 2, LONGEST_LOOK_MS);
    return ms;
  }

  /** The engine's figure, as far as it is one. */
  #brake(buffered: number | undefined): number {
    return this.#believes && typeof buffered === 'number' && buffered > 0 && this.unanswered > 0 ? buffered : 0;
  }
}
