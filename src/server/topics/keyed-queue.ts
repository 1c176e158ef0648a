import { SerialQueue } from '../../primitives/serial-queue.ts';

interface Entry {
  readonly queue: SerialQueue;
  waiting: number;
}

/** A {@link SerialQueue} for each key of which something is under way; where nothing is, a task runs at once, and without. */
export class KeyedQueue {
  #queues: Map<string, Entry> | undefined;

  /** Keys of which something is under way. */
  get size(): number {
    return this.#queues?.size ?? 0;
  }

  /** A task of this key would have to wait. */
  isBusy(key: string): boolean {
    return this.#queues?.has(key) === true;
  }

  /** Runs a task after those of its key. */
  run(key: string, task: () => void | Promise<void>): void {
    if (this.isBusy(key)) return this.#enter(key, task);
    const running = task();
    if (running !== undefined) this.#enter(key, () => running);
  }

  #enter(key: string, task: () => void | Promise<void>): void {
    this.#queues ??= new Map();
    const entry = this.#queues.get(key) ?? { queue: new SerialQueue(), waiting: 0 };
    this.#queues.set(key, entry);
    entry.waiting++;
    const done = (): void => {
      entry.waiting--;
      if (entry.waiting === 0) this.#queues?.delete(key);
    };
    entry.queue.run(() => {
      const running = task();
      if (running !== undefined) return running.then(done);
      done();
    });
  }
}
