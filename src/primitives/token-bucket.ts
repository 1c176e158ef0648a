/** What a {@link TokenBucket} holds, and how fast it fills. */
export interface TokenBucketOptions {
  /** Tokens that it holds at most, and at first. */
  readonly capacity: number;
  readonly perSecond: number;
}

/**
 * Limits a rate and lets bursts pass. The clock is handed in (wall clock, ms); one that went back fills nothing. Who
 * takes more than there is runs up a debt, which the same rate pays off.
 */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perSecond: number;
  /** In thousandths, which a whole number of ms fills exactly: who waits as long as it was told finds a token. */
  #milli: number;
  #filledAt: number;

  constructor({ capacity, perSecond }: TokenBucketOptions, now: number) {
    this.#capacity = capacity * 1000;
    this.#perSecond = perSecond;
    this.#milli = this.#capacity;
    this.#filledAt = now;
  }

  /** Takes one token, or more, and returns what is left: below 0 is a debt. */
  take(now: number, tokens = 1): number {
    const filled = Math.max(0, now - this.#filledAt) * this.#perSecond;
    this.#milli = Math.min(this.#capacity, this.#milli + filled) - tokens * 1000;
    this.#filledAt = now;
    return this.#milli / 1000;
  }

  /** Time until one can be taken without a debt, as of the last {@link TokenBucket.take}, whole ms. */
  get waitMs(): number {
    return Math.max(0, Math.ceil((1000 - this.#milli) / this.#perSecond));
  }
}
