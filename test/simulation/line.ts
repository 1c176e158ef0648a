import type { Clock, Process } from './clock.ts';
import type { Random } from './random.ts';

interface Item {
  at: number;
  readonly bytes: number;
  readonly arrive: () => void;
}

/** How a line behaves while nothing is wrong with it. */
export interface LineQuality {
  readonly latencyMs: readonly [least: number, most: number];
  /** What the kernel takes before the sender sees that nothing leaves, bytes. */
  readonly kernelBytes: number;
}

/** One direction of a connection: everything arrives in order, later, or not at all. */
export class Line {
  /** Its end is over, or will be with what is under way: what is sent now goes nowhere. */
  over = false;
  /** Runs when the sender's buffer has emptied. */
  drained: () => void = () => undefined;
  /** Bytes a millisecond while the line is slow. */
  bytesPerMs = Infinity;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #receiver: Process;
  readonly #quality: LineQuality;
  #queue: Item[] = [];
  #bytes = 0;
  #lastAt = 0;
  #stalledUntil = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, random: Random, receiver: Process, quality: LineQuality) {
    this.#clock = clock;
    this.#random = random;
    this.#receiver = receiver;
    this.#quality = quality;
  }

  /** Bytes that have not left the sender. */
  get buffered(): number {
    const { now } = this.#clock;
    const halts = this.#stalledUntil > now || this.#receiver.frozenUntil > now;
    return !this.over && this.bytesPerMs === Infinity && !halts
      ? 0
      : Math.max(0, this.#bytes - this.#quality.kernelBytes);
  }

  get underWay(): number {
    return this.#queue.length;
  }

  carry(bytes: number, arrive: () => void): void {
    this.#bytes += bytes;
    if (this.over) return;
    this.#enter(bytes, arrive, this.#latency());
  }

  /** Nothing more is sent after this. */
  end(arrive: () => void): void {
    if (this.over) return;
    this.#enter(0, arrive, this.#latency());
    this.over = true;
  }

  /** Nothing arrives for so long. */
  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#clock.now + ms);
  }

  /** All is well again. */
  heal(): void {
    this.#stalledUntil = 0;
    this.bytesPerMs = Infinity;
    this.#schedule();
  }

  /**
   * It breaks: some of what is under way arrives, the first of it. The receiver notices after so many ms, `undefined`
   * for never. Gives the number of items that were lost.
   */
  cut(noticeMs: number | undefined, notice: () => void): number {
    if (this.over) return 0;
    const kept = this.#random.between(0, this.#queue.length);
    const lost = this.#queue.length - kept;
    this.#queue = this.#queue.slice(0, kept);
    this.#lastAt = this.#queue.at(-1)?.at ?? this.#clock.now;
    if (noticeMs !== undefined) this.#enter(0, notice, noticeMs);
    this.over = true;
    this.#schedule();
    return lost;
  }

  #latency(): number {
    const [least, most] = this.#quality.latencyMs;
    return this.#random.between(least, most);
  }

  #enter(bytes: number, arrive: () => void, delayMs: number): void {
    const at = Math.max(this.#lastAt, this.#clock.now + delayMs) + Math.ceil(bytes / this.bytesPerMs);
    this.#lastAt = at;
    this.#queue.push({ at, bytes, arrive });
    if (this.#queue.length === 1) this.#schedule();
  }

  #schedule(): void {
    this.#cancel();
    const [head] = this.#queue;
    if (head === undefined) return;
    const at = Math.max(head.at, this.#stalledUntil);
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now), this.#receiver, () => this.#arrive());
  }

  #arrive(): void {
    if (this.#stalledUntil > this.#clock.now) return this.#schedule();
    const buffered = this.buffered;
    const { bytes, arrive } = this.#queue.shift()!;
    this.#bytes -= bytes;
    this.#schedule();
    arrive();
    if (buffered > 0 && this.buffered === 0) this.drained();
  }
}
