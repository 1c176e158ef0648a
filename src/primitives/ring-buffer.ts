import { DEVELOPMENT } from '../development.ts';

/**
 * The last values of a sequence: a new one pushes the oldest out. Takes memory as it fills, gives it back when empty.
 */
export class RingBuffer<T> {
  readonly #capacity: number;
  #slots: Array<T | undefined> = [];
  #head = 0;
  #size = 0;

  /**
   * @param capacity - How many values it holds, at most; 0 holds none.
   * @throws RangeError in development, when the capacity is not a whole number, 0 or more.
   */
  constructor(capacity: number) {
    if (DEVELOPMENT && (!Number.isSafeInteger(capacity) || capacity < 0)) {
      throw new RangeError(`RingBuffer: the capacity is ${capacity}, give a whole number, 0 or more.`);
    }
    this.#capacity = capacity;
  }

  /** How many values it holds. */
  get size(): number {
    return this.#size;
  }

  /** Adds the newest value and returns the one that fell out, if any. */
  push(value: T): T | undefined {
    if (this.#capacity === 0) return value;
    const fallen = this.#size === this.#capacity ? this.shift() : undefined;
    this.#slots[this.#slot(this.#size)] = value;
    this.#size++;
    return fallen;
  }

  /** Removes the oldest value and returns it; `undefined` when there is none. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const oldest = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = this.#slot(1);
    this.#size--;
    if (this.#size === 0) this.clear();
    return oldest;
  }

  /** The value at an index: 0 is the oldest, -1 the newest. */
  at(index: number): T | undefined {
    const place = index < 0 ? this.#size + index : index;
    return place >= 0 && place < this.#size ? this.#slots[this.#slot(place)] : undefined;
  }

  /** The values from the oldest to the newest. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let index = 0; index < this.#size; index++) yield this.#slots[this.#slot(index)] as T;
  }

  clear(): void {
    this.#slots = [];
    this.#head = 0;
    this.#size = 0;
  }

  #slot(index: number): number {
    return (this.#head + index) % this.#capacity;
  }
}
