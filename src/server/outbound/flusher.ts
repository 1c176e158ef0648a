import type { Report } from '../app/reporter.ts';

/** What gathers, and is told when to let go of it. */
export interface Gatherer {
  flush(): void;
  /** The turn of the event loop ends. */
  turnEnded(): void;
}

/** Where the runtime tells the end of a turn: see {@link ServerSocket.later}. */
export interface Turns {
  later(task: () => void): void;
}

/**
 * Tells all sockets of a server when to write what they gathered: in one microtask, or in one callback at the end of the
 * present turn of the event loop. A publication to many thus costs one of them, not one for each socket. One that fails
 * keeps no other waiting.
 */
export class Flusher {
  readonly #report: Report;
  #soon: Gatherer[] = [];
  #later: Gatherer[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  /** Flushes in a microtask. */
  soon(gatherer: Gatherer): void {
    if (this.#soon.push(gatherer) === 1) queueMicrotask(this.#flushSoon);
  }

  /** Tells when the turn ends. */
  later(gatherer: Gatherer, turns: Turns): void {
    if (this.#later.push(gatherer) === 1) turns.later(this.#endTurn);
  }

  readonly #flushSoon = (): void => {
    const gatherers = this.#soon;
    this.#soon = [];
    for (const gatherer of gatherers) this.#isolate(() => gatherer.flush());
  };

  readonly #endTurn = (): void => {
    const gatherers = this.#later;
    this.#later = [];
    for (const gatherer of gatherers) this.#isolate(() => gatherer.turnEnded());
  };

  #isolate(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#report(error, { during: 'session' });
    }
  }
}
