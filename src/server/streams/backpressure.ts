/**
 * How far a stream may go: the items that its consumer asked for, less those that were made, and no more ahead of what it
 * has taken than the server keeps. A producer that asks for room waits here until there is some.
 */
export class Backpressure {
  readonly #most: number;
  #upTo = 0;
  #acknowledged = 0;
  #wake: ((goOn: boolean) => void) | undefined;

  /** At most so many items are kept, whatever the client asks for. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Number of the last item that the consumer has taken, 0 before the first. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The consumer took the items through `after`, and wants those through `upTo`. The highest that was heard counts. */
  more(after: number, upTo: number): void {
    if (after > this.#acknowledged) this.#acknowledged = after;
    if (upTo > this.#upTo) this.#upTo = upTo;
  }

  /** Whether an item may be made behind the last one. */
  lets(last: number): boolean {
    return last < this.#upTo && last - this.#acknowledged < this.#most;
  }

  /** Resolves when {@link Backpressure.wake} is called, with what it is given. */
  wait(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Somebody waits for room. */
  get isWaiting(): boolean {
    return this.#wake !== undefined;
  }

  /** Lets the producer make the next item, or tells it that none is wanted any more. */
  wake(goOn: boolean): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.(goOn);
  }
}
