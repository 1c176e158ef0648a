import { DEVELOPMENT } from '../development.ts';

/** A deadline that {@link Deadlines.add} gave out: the ticket to remove it. */
export interface Deadline {
  /** On the clock of its {@link Deadlines}, ms. */
  readonly atMs: number;
}

/** Options of {@link Deadlines}. */
export interface DeadlinesOptions {
  /** The clock of all deadlines, ms. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** Gets what an `expired` callback throws. @default thrown again in a microtask, as an uncaught error */
  readonly onError?: ((error: unknown) => void) | undefined;
}

interface Entry extends Deadline {
  readonly expired: () => void;
  /** Number of the `add`: equal times expire in the order in which they were added. */
  readonly order: number;
  /** Where it lies in the heap, as long as it does. */
  index: number;
}

/** Longest delay that timers take: a longer one wraps around and fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Any number of deadlines on one timer. A binary heap: adding one that is later than the others, the usual case, and
 * reading the earliest take constant time, removing one at most the logarithm of their number.
 * The timer is armed only while there is something to wait for; until then a process that has nothing else may end.
 */
export class Deadlines {
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  #heap: Entry[] = [];
  #added = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires. It may be earlier than any deadline, when that was removed. */
  #timerAtMs = Infinity;

  constructor(options: DeadlinesOptions = {}) {
    // eslint-disable-next-line no-restricted-properties -- the default of an injected clock
    this.#now = options.now ?? (() => Date.now());
    this.#onError = options.onError ?? throwLater;
  }

  /** How many deadlines are waited for. */
  get size(): number {
    return this.#heap.length;
  }

  /**
   * Calls `expired` once, from a timer, when the clock has reached `atMs`; `Infinity` never comes.
   * @throws RangeError when the time is no number.
   */
  add(atMs: number, expired: () => void): Deadline {
    if (typeof atMs !== 'number' || Number.isNaN(atMs)) {
      throw new RangeError(DEVELOPMENT ? `the time of a deadline is ${String(atMs)}, give milliseconds` : 'atMs');
    }
    const entry: Entry = { atMs, expired, order: this.#added++, index: this.#heap.length };
    this.#heap.push(entry);
    this.#rise(entry);
    this.#arm();
    return entry;
  }

  /** Forgets a deadline; nothing happens when it has expired or was removed before. */
  remove(deadline: Deadline): void {
    const entry = deadline as Entry;
    if (this.#heap[entry.index] !== entry) return;
    this.#take(entry);
    // With others left the timer stays: to fire once too early is cheaper than a new timer for every removal.
    if (this.#heap.length === 0) this.#disarm();
  }

  /** Forgets all deadlines, and the timer. */
  close(): void {
    this.#heap = [];
    this.#disarm();
  }

  #arm(): void {
    const atMs = this.#heap[0]?.atMs ?? Infinity;
    if (atMs >= this.#timerAtMs) return;
    this.#disarm();
    this.#timerAtMs = atMs;
    const delayMs = Math.min(Math.max(Math.ceil(atMs - this.#now()), 0), MAX_TIMER_MS);
    // eslint-disable-next-line no-restricted-globals -- the one timer that this class is for, looked up when it is armed
    this.#timer = setTimeout(() => this.#fired(), delayMs);
  }

  #disarm(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
  }

  #fired(): void {
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    const nowMs = this.#now();
    // What the callbacks add waits for the next timer, so that they can't keep this loop going.
    const end = this.#added;
    try {
      for (let first = this.#heap[0]; isDue(first, nowMs, end); first = this.#heap[0]) {
        this.#take(first);
        this.#run(first);
      }
    } finally {
      this.#arm();
    }
  }

  #run(entry: Entry): void {
    try {
      entry.expired();
    } catch (error) {
      this.#onError(error);
    }
  }

  #take(entry: Entry): void {
    const last = this.#heap.pop();
    if (last !== undefined && last !== entry) {
      this.#put(last, entry.index);
      this.#rise(last);
      this.#sink(last);
    }
  }

  #rise(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1]!;
      if (isEarlier(parent, entry)) return;
      this.#swap(parent, entry);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      const child = right !== undefined && isEarlier(right, left!) ? right : left;
      if (child === undefined || isEarlier(entry, child)) return;
      this.#swap(entry, child);
    }
  }

  #swap(parent: Entry, child: Entry): void {
    const { index } = parent;
    this.#put(parent, child.index);
    this.#put(child, index);
  }

  #put(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }
}

function isDue(entry: Entry | undefined, nowMs: number, end: number): entry is Entry {
  return entry !== undefined && entry.atMs <= nowMs && entry.order < end;
}

function isEarlier(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
