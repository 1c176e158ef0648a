import type { FlowMarks } from '../../primitives/flow-control.ts';

/** What a {@link Backlog} watches and tells. */
export interface BacklogParts {
  readonly marks: FlowMarks;
  /** Bytes that wait for the socket, and those that the peer is not known to have taken in. */
  readonly bytes: () => number;
  readonly tell: (event: 'congested' | 'drained') => void;
}

/** Tells producers when to pause: once above the high mark, and once when it is below the low mark again. */
export class Backlog {
  readonly #parts: BacklogParts;
  #congested = false;
  #waiting: Array<() => void> = [];

  constructor(parts: BacklogParts) {
    this.#parts = parts;
  }

  /** Looks at the level after it may have changed. */
  look(): void {
    const bytes = this.#parts.bytes();
    const { highWaterMark, lowWaterMark } = this.#parts.marks;
    if (bytes < lowWaterMark) this.#ease();
    else if (bytes >= highWaterMark && !this.#congested) {
      this.#congested = true;
      this.#parts.tell('congested');
    }
  }

  /** Resolves when the level is below the low mark; at once when it is. */
  drained(): Promise<void> {
    if (this.#parts.bytes() < this.#parts.marks.lowWaterMark) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #ease(): void {
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    }
    if (!this.#congested) return;
    this.#congested = false;
    this.#parts.tell('drained');
  }
}
