/** What could not be written is tried again after this, ms. */
const AGAIN_MS = 1000;

/** Writes that others wait for: each is tried until it is done, or nobody can. */
export class Retries {
  readonly #onError: (error: unknown) => void;
  /** Lets each go that waits to be tried again. */
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  async untilDone(write: () => Promise<unknown>): Promise<void> {
    while (!this.#closed) {
      try {
        await write();
        return;
      } catch (error) {
        this.#onError(error);
        await this.#pause();
      }
    }
  }

  /** Nothing is tried any more. */
  close(): void {
    this.#closed = true;
    for (const letGo of [...this.#waiting]) letGo();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const letGo = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(letGo);
        resolve();
      };
      const timer = setTimeout(letGo, AGAIN_MS);
      // It keeps no process alive, where there are processes.
      (timer as Partial<{ unref(): void }>).unref?.();
      this.#waiting.add(letGo);
    });
  }
}
