import type { Socket } from 'node:net';
import type { Way, WayFaults } from './way-faults.ts';

/** One way of a line, chunk by chunk and in order. */
export class OneWay {
  readonly way: Way;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: WayFaults;
  readonly #cut: () => void;
  readonly #late: Array<{ readonly dueMs: number; readonly pass: () => void }> = [];
  #lateTimer: ReturnType<typeof setTimeout> | undefined;
  /** Runs while it may read no further, or it would be faster than it should be. */
  #pause: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(way: Way, sockets: { readonly from: Socket; readonly to: Socket }, faults: WayFaults, cut: () => void) {
    this.way = way;
    this.#from = sockets.from;
    this.#to = sockets.to;
    this.#faults = faults;
    this.#cut = cut;
    this.#from.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#from.on('end', () => this.#pass(() => this.#to.end()));
    this.look();
  }

  /** Looks again at the faults. */
  look(): void {
    const { frozen } = this.#faults;
    if (this.#isOver || this.#pause !== undefined || frozen.has(this.way)) this.#from.pause();
    else this.#from.resume();
    this.#deliver();
  }

  /** As if its sender had said that it is done. */
  end(): void {
    this.#to.end();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#lateTimer);
    clearTimeout(this.#pause);
    this.#late.length = 0;
  }

  #take(chunk: Buffer): void {
    const passing = this.#faults.passing(this.way, chunk.length);
    if (passing !== undefined) {
      this.#isOver = true;
      this.#from.pause();
      // What passes must be on its way before the reset, which throws away what is still buffered.
      this.#pass(() => this.#to.write(chunk.subarray(0, passing), () => setImmediate(this.#cut)));
      return;
    }
    this.#pass(() => this.#to.write(chunk));
    const pauseMs = (chunk.length / this.#faults.bytesPerSecond) * 1_000;
    if (pauseMs === 0) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.look();
    }, pauseMs);
    this.look();
  }

  #pass(pass: () => void): void {
    const dueMs = performance.now() + this.#faults.delayMs;
    this.#late.push({ dueMs: this.#faults.delayMs === 0 ? 0 : dueMs, pass });
    this.#deliver();
  }

  /** What is due passes: nothing overtakes what is later. */
  #deliver(): void {
    clearTimeout(this.#lateTimer);
    while (this.#late.length > 0 && !this.#faults.frozen.has(this.way)) {
      const waitMs = Math.ceil(this.#late[0]!.dueMs - performance.now());
      if (waitMs > 0) {
        this.#lateTimer = setTimeout(() => this.#deliver(), waitMs);
        return;
      }
      this.#late.shift()!.pass();
    }
  }
}
