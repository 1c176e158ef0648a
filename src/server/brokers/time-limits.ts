import { TautlineError, type Outcome } from '../../errors.ts';

/** Waits for things outside of this process, each for a while, and none longer than until it is closed. */
export class TimeLimits {
  /** Begins each message. */
  readonly #owner: string;
  readonly #timeoutMs: number;
  /** Lets each go that waits for something. */
  readonly #lettingGo = new Set<() => void>();
  #isClosed = false;

  constructor(owner: string, timeoutMs: number) {
    this.#owner = owner;
    this.#timeoutMs = timeoutMs;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Waits for a promise. @throws what `tooLate` makes; TautlineError `CLOSED`, of this outcome, when it was closed meanwhile
   */
  wait<T>(promise: Promise<T>, outcome: Outcome, tooLate: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const letGo = (): void => reject(new TautlineError('CLOSED', `${this.#owner} is closed`, { outcome }));
      if (this.#isClosed) {
        promise.catch(() => undefined);
        return letGo();
      }
      const timer = setTimeout(() => reject(tooLate()), this.#timeoutMs);
      const end = (): void => {
        clearTimeout(timer);
        this.#lettingGo.delete(end);
        letGo();
      };
      this.#lettingGo.add(end);
      promise.then(resolve, reject).finally(end);
    });
  }

  /** Lets those go who wait, as `CLOSED`. */
  close(): void {
    this.#isClosed = true;
    for (const letGo of [...this.#lettingGo]) letGo();
  }
}
