import type { TautlineError } from '../../errors.ts';

/** Being there, for as long as it is held: across lost connections, and as whoever the connection speaks for. */
export interface Stay<Info> {
  /**
   * Resolves when the server has taken what was said last; rejects when it refuses that, and when it was left before.
   * It has no deadline. A refusal that nobody asks for is reported by the connection.
   */
  readonly ready: Promise<void>;
  /** Says something else. What comes while an earlier word is on its way replaces what has not gone yet. */
  update(this: void, info: Info): void;
  /** Ends it; a second call does nothing. He is there as long as another stay of this client is held, or another client. */
  leave(this: void): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

interface Deciding {
  readonly promise: Promise<void>;
  readonly decide: (error: TautlineError | undefined) => void;
}

/** One who holds a room. */
export class Holder {
  /** What he says, as it is published. */
  words: readonly unknown[];
  /** How the last words were decided; nothing while they are not. */
  #decided: { readonly error: TautlineError | undefined } | undefined;
  #ready: Deciding | undefined;

  constructor(info: unknown) {
    this.words = [info];
  }

  /** Made when somebody asks for it. */
  get ready(): Promise<void> {
    this.#ready ??= deciding();
    if (this.#decided !== undefined) this.#ready.decide(this.#decided.error);
    return this.#ready.promise;
  }

  say(info: unknown): void {
    this.words = [info];
    if (this.#decided !== undefined) this.#ready = this.#decided = undefined;
  }

  /** The last words were taken, or not; that they were decided before stays. */
  decide(error: TautlineError | undefined): void {
    this.#decided ??= { error };
    this.#ready?.decide(error);
  }

  /** Somebody hears of it. */
  get isHeard(): boolean {
    return this.#ready !== undefined;
  }
}

function deciding(): Deciding {
  let decide!: Deciding['decide'];
  const promise = new Promise<void>((resolve, reject) => {
    decide = (error) => (error === undefined ? resolve() : reject(error));
  });
  // Whoever awaits it sees its rejection; nobody must.
  promise.catch(() => undefined);
  return { promise, decide };
}
