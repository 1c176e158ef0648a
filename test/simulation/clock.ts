import type { Random } from './random.ts';

/** Something that runs code of its own and can stop for a while: a page, or the servers. */
export interface Process {
  readonly name: string;
  /** Nothing of it runs before this time, ms. */
  frozenUntil: number;
}

interface Entry {
  at: number;
  order: number;
  readonly process: Process;
  /** Made by the library, not by the simulation. */
  readonly isTimer: boolean;
  readonly run: () => void;
  cancelled: boolean;
}

/** Latest that a timer may fire after its time, ms: timers of equal times change places. */
export const TIMER_JITTER_MS = 30;

const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis;
const real = { setTimeout, clearTimeout, setInterval, clearInterval };
const realDateNow = Date.now;
const realRandom = Math.random;

/**
 * Virtual time, for the library and for the world around it. All that is to happen is in one heap; between two
 * happenings every microtask runs. Timers that the library sets belong to the process that runs at that moment.
 */
export class Clock {
  now = 0;
  /** Happenings so far. */
  steps = 0;
  readonly #random: Random;
  readonly #heap: Entry[] = [];
  #order = 0;
  #process: Process;
  readonly #timers = new Map<Process, number>();

  constructor(random: Random, initial: Process) {
    this.#random = random;
    this.#process = initial;
  }

  /** Timers that the library has running in a process. */
  timersOf(process: Process): number {
    return this.#timers.get(process) ?? 0;
  }

  after(ms: number, process: Process, run: () => void): () => void {
    const entry = this.#add(ms, process, run, false);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Runs something as a part of a process. */
  as<Result>(process: Process, run: () => Result): Result {
    const before = this.#process;
    this.#process = process;
    try {
      return run();
    } finally {
      this.#process = before;
    }
  }

  /** Puts this clock in the place of the global one until it is disposed of. */
  install(): Disposable {
    const epoch = 1_700_000_000_000;
    Date.now = () => epoch + this.now;
    Math.random = this.#random.next;
    const { performance } = globalThis;
    Object.defineProperty(performance, 'now', { value: () => this.now, configurable: true });
    globalThis.setTimeout = ((run: () => void, ms = 0) => {
      const jitter = this.#random.chance(0.1) ? this.#random.below(TIMER_JITTER_MS) : 0;
      this.#timers.set(this.#process, this.timersOf(this.#process) + 1);
      return this.#add(Math.max(1, ms) + jitter, this.#process, run, true);
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((entry: Entry | undefined) => {
      if (entry === undefined || entry.cancelled) return;
      entry.cancelled = true;
      this.#timers.set(entry.process, this.timersOf(entry.process) - 1);
    }) as unknown as typeof clearTimeout;
    globalThis.setInterval = ((run: () => void, ms: number) => {
      const interval: { timer?: ReturnType<typeof setTimeout> } = {};
      const arm = (): void => {
        interval.timer = globalThis.setTimeout(() => {
          arm();
          run();
        }, ms);
      };
      arm();
      return interval;
    }) as unknown as typeof setInterval;
    globalThis.clearInterval = ((interval?: { timer?: ReturnType<typeof setTimeout> }) => {
      globalThis.clearTimeout(interval?.timer);
    }) as unknown as typeof clearInterval;
    return {
      [Symbol.dispose]() {
        Date.now = realDateNow;
        Math.random = realRandom;
        delete (performance as { now?: unknown }).now;
        Object.assign(globalThis, real);
      },
    };
  }

  /** Lets everything happen that is due before `untilMs`. */
  async run(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    await microtasks();
    for (let entry = this.#heap[0]; entry !== undefined && entry.at <= untilMs && !stop(); entry = this.#heap[0]) {
      this.#take();
      if (entry.cancelled) continue;
      const { process } = entry;
      this.now = Math.max(this.now, entry.at);
      if (process.frozenUntil > this.now) {
        entry.at = process.frozenUntil;
        entry.order = this.#order++;
        this.#put(entry);
        continue;
      }
      if (entry.isTimer) this.#timers.set(process, this.timersOf(process) - 1);
      entry.cancelled = true;
      this.#process = process;
      this.steps++;
      entry.run();
      await microtasks();
    }
    if (!stop()) this.now = Math.max(this.now, untilMs);
  }

  #add(ms: number, process: Process, run: () => void, isTimer: boolean): Entry {
    const entry: Entry = { at: this.now + ms, order: this.#order++, process, isTimer, run, cancelled: false };
    this.#put(entry);
    return entry;
  }

  #put(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isEarlier(heap[parent]!, entry)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #take(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child++;
      if (isEarlier(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isEarlier(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** Time stands still for microtasks: all of them have run when this resolves. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
