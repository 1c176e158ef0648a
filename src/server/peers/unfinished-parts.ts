/** A socket of which parts are held. */
export interface PartsHolder {
  /** They take up too much: it goes, and comes back later. */
  giveUp(): void;
}

/**
 * Counts the parts of messages that are not yet whole, of all sockets. Where they are too many, the socket goes that was
 * silent for the longest: whoever sends on keeps what it has sent.
 */
export class UnfinishedParts {
  readonly #most: number;
  #held = 0;
  /** How much each holds; the one that was silent for the longest is the first. */
  readonly #holders: Map<PartsHolder, number> = new Map();

  constructor(most: number) {
    this.#most = most;
  }

  /** A holder got a part, or let go: so much it holds now. */
  hold(holder: PartsHolder, units: number): void {
    this.#held += units - (this.#holders.get(holder) ?? 0);
    this.#holders.delete(holder);
    if (units > 0) this.#holders.set(holder, units);
    while (this.#held > this.#most) {
      const [silent] = this.#holders.keys();
      this.hold(silent!, 0);
      silent!.giveUp();
    }
  }
}
