/**
 * Keeps tasks in order when some of them are asynchronous. While none is, each runs at once, without a promise.
 * Tasks must not throw or reject: their owner reports.
 */
export class SerialQueue {
  #tail: Promise<void> | undefined;

  /** Nothing is under way: a task runs at once. */
  get isIdle(): boolean {
    return this.#tail === undefined;
  }

  run(task: () => void | Promise<void>): void {
    if (this.#tail !== undefined) {
      this.#follow(this.#tail.then(task));
      return;
    }
    const running = task();
    if (running !== undefined) this.#follow(running);
  }

  #follow(tail: Promise<void>): void {
    const settled = tail.finally(() => {
      if (this.#tail === settled) this.#tail = undefined;
    });
    this.#tail = settled;
  }
}
