import { SerialQueue } from '../../primitives/serial-queue.ts';

/** A {@link SerialQueue} for each key, as long as something of it is under way. */
export class KeyedQueue {
  readonly #queues = new Map<string, { readonly queue: SerialQueue; waiting: number }>();

  /** Keys of which something is under way. */
  get size(): number {
    return this.#queues.size;
  }

  /** Runs a task after those of its key. */
  run(key: string, task: () => void | Promise<void>): void {
    const entry = this.#queues.get(key) ?? { queue: new SerialQueue(), waiting: 0 };
    this.#queues.set(key, entry);
    entry.waiting++;
    const done = (): void => {
      entry.waiting--;
      if (entry.waiting === 0) this.#queues.delete(key);
    };
    entry.queue.run(() => {
      const running = task();
      if (running !== undefined) return running.then(done);
      done();
    });
  }
}
