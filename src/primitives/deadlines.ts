import { DEVELOPMENT } from '../development.ts';
import { throwLater } from './emit.ts';

/** A deadline that {@link Deadlines.add} gave out: the ticket to remove it. */
export interface Deadline {
  /** On the clock of its {@link Deadlines}, ms. */
  readonly atMs: number;
}

/** Whose time can be over. */
export interface Expiring {
  expired(): void;
}

/** Options of {@link Deadlines}. */
export interface DeadlinesOptions {
  /** The clock of all deadlines, ms. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** Gets what an `expired` callback throws. @default thrown again in a microtask, as an uncaught error */
  readonly onError?: ((error: unknown) => void) | undefined;
}

interface Entry extends Deadline {
  /** None when it was removed or has expired: the heap forgets it when its turn comes. */
  target: (() => void) | Expiring | undefined;
  readonly owner: Deadlines;
  /** Number of the `add`: equal times expire in the order in which they were added. */
  readonly order: number;
}

/** Longest delay that timers take (HTML, timers: a signed 32-bit number of ms): a longer one fires at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** So many removed ones may lie in the heap, whatever the number of the others. */
const FEW = 64;

/**
 * Any number of deadlines on one timer. A binary heap: adding one that is later than the others, the usual case, and
 * removing one take constant time (over many of them), reading the earliest at most the logarithm of their number.
 * The timer is armed only while there is something to wait for; until then a process that has nothing else may end.
 */
export class Deadlines {
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  #heap: Entry[] = [];
  #size = 0;
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
    return this.#size;
  }

  /**
   * Calls `expired` once, from a timer, when the clock has reached `atMs`; `Infinity` never comes.
   * @throws RangeError when the time is no number.
   */
  add(atMs: number, target: (() => void) | Expiring): Deadline {
    if (typeof atMs !== 'number' || Number.isNaN(atMs)) {
      throw new RangeError(DEVELOPMENT ? `the time of a deadline is ${String(atMs)}, give milliseconds` : 'atMs');
    }
    const entry: Entry = { atMs, target, owner: this, order: this.#added++ };
    this.#size++;
    this.#rise(entry, this.#heap.length);
    if (atMs < this.#timerAtMs) this.#arm();
    return entry;
  }

  /** Forgets a deadline; nothing happens when it has expired or was removed before. */
  remove(deadline: Deadline): void {
    const entry = deadline as Entry;
    if (entry.owner !== this || entry.target === undefined) return;
    entry.target = undefined;
    this.#size--;
    // With others left the timer stays: to fire once too early is cheaper than a new timer for every removal.
    if (this.#size === 0) this.close();
    else if (this.#heap.length > 2 * this.#size + FEW) this.#sweep();
  }

  /** Forgets all deadlines, and the timer. */
  close(): void {
    for (const entry of this.#heap) entry.target = undefined;
    this.#heap = [];
    this.#size = 0;
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
        this.#takeFirst();
        this.#run(first);
      }
    } finally {
      this.#arm();
    }
  }

  #run(entry: Entry): void {
    const { target } = entry;
    if (target === undefined) return;
    entry.target = undefined;
    this.#size--;
    try {
      if (typeof target === 'function') target();
      else target.expired();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Takes the removed ones out. A sorted list is a heap. */
  #sweep(): void {
    this.#heap = this.#heap.filter(({ target }) => target !== undefined).sort(compare);
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
  }

  #rise(entry: Entry, index: number): void {
    for (let at = index; ; at = (at - 1) >> 1) {
      const parent = at === 0 ? undefined : this.#heap[(at - 1) >> 1]!;
      if (parent === undefined || compare(parent, entry) < 0) {
        this.#heap[at] = entry;
        return;
      }
      this.#heap[at] = parent;
    }
  }

  /** Puts an entry where the first was, and as deep as it belongs. */
  #sink(entry: Entry): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const [one, other] = [this.#heap[left], this.#heap[left + 1]];
      const [child, index] = other !== undefined && compare(other, one!) < 0 ? [other, left + 1] : [one, left];
      if (child === undefined || compare(entry, child) < 0) {
        this.#heap[at] = entry;
        return;
      }
      this.#heap[at] = child;
      at = index;
    }
  }
}

/** A removed one is taken out when it is seen. */
function isDue(entry: Entry | undefined, nowMs: number, end: number): entry is Entry {
  return entry !== undefined && (entry.target === undefined || (entry.atMs <= nowMs && entry.order < end));
}

function compare(one: Entry, other: Entry): number {
  // Not their difference alone: that of two infinite times is no number.
  return one.atMs === other.atMs ? one.order - other.order : one.atMs - other.atMs;
}
