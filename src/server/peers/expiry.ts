import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';

/** The wall clock may be set: it is looked at this often, ms. */
const LOOK_MS = 60_000;

export const EXPIRED = 'the credentials have expired';

/** Credentials until then, on the wall clock, ms, are in force no longer. */
export function isOver(expiresAt: number = Infinity): boolean {
  // Many have no end: the clock is not read for them.
  return expiresAt !== Infinity && Date.now() >= expiresAt;
}

/** The end of somebody's credentials. */
export class Expiry {
  readonly #deadlines: Deadlines;
  readonly #expired: () => void;
  #at = Infinity;
  #deadline: Deadline | undefined;

  constructor(deadlines: Deadlines, expired: () => void) {
    this.#deadlines = deadlines;
    this.#expired = expired;
  }

  /** In force from now on: until then, on the wall clock, ms; `undefined` for ever. */
  set(expiresAt: number | undefined): void {
    this.close();
    this.#at = expiresAt ?? Infinity;
    this.#look();
  }

  /** They are in force no longer: timers may be late, messages are not taken by them. */
  get isOver(): boolean {
    return isOver(this.#at);
  }

  /** They have expired. */
  end(): void {
    this.close();
    this.#expired();
  }

  close(): void {
    if (this.#deadline !== undefined) this.#deadlines.remove(this.#deadline);
    this.#deadline = undefined;
  }

  #look(): void {
    if (this.#at === Infinity) return;
    if (this.isOver) return this.end();

    const leftMs = Math.min(this.#at - Date.now(), LOOK_MS);
    this.#deadline = this.#deadlines.add(performance.now() + leftMs, () => this.#look());
  }
}
