/** What the maker of the items is told by an {@link ItemQueue}. */
export interface ItemQueueEvents {
  /** An item was handed to the reader. */
  readonly taken: () => void;
  /** Once: there is nothing left to read. */
  readonly finished: () => void;
}

interface Reader<Item> {
  readonly resolve: (result: IteratorResult<Item, void>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Items that wait for an asynchronous iterator to be asked for them, and questions that wait for items: of one of the two
 * there are none. How many items may wait is a matter between the maker and whoever makes it pause. An error is thrown
 * once, behind the items that came before it; afterwards the iterator is done, as a generator would be.
 */
export class ItemQueue<Item> {
  readonly #events: ItemQueueEvents;
  #items: Item[] = [];
  #readers: Reader<Item>[] = [];
  #hasEnded = false;
  #isFinished = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(events: ItemQueueEvents) {
    this.#events = events;
  }

  /** There is nothing left to read, and nothing will come. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Ignored when it has ended. */
  push(item: Item): void {
    if (this.#hasEnded) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#items.push(item);
    else this.#hand(reader, item);
  }

  /** No more items will come. The first end counts. */
  end(): void {
    this.#hasEnded = true;
    this.#settle();
  }

  /** Ends it with an error, told behind the items that are here. */
  fail(error: unknown): void {
    if (this.#hasEnded) return;
    this.#failure = { error };
    this.end();
  }

  /** Ends it at once: what waits is dropped, an error too. With `failure`, that is what the reader gets. */
  discard(failure?: { readonly error: unknown }): void {
    if (this.#isFinished && failure !== undefined) return;
    this.#items = [];
    this.#failure = failure;
    this.end();
  }

  /** The next item, when there is one. */
  next(): Promise<IteratorResult<Item, void>> {
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      if (this.#items.length > 0) this.#hand(reader, this.#items.shift() as Item);
      else this.#readers.push(reader);
      this.#settle();
    });
  }

  #hand(reader: Reader<Item>, value: Item): void {
    reader.resolve({ done: false, value });
    this.#events.taken();
  }

  /** After the end: tells it to whom it may concern, when there is nothing left to read. */
  #settle(): void {
    if (!this.#hasEnded || this.#items.length > 0) return;
    const readers = this.#readers;
    this.#readers = [];
    for (const { resolve, reject } of readers) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure === undefined) resolve({ done: true, value: undefined });
      else reject(failure.error);
    }
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#events.finished();
  }
}
