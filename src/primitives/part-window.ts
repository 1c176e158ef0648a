/** So many parts are on their way at least: of 8 KiB each, what overtakes waits for them 1.2 s on a line of 20 kB/s. */
const LEAST = 3;
/** Enough for 2.5 MB/s over 100 ms. */
const MOST = 32;

/** A part that is taken in sooner than this lets half of one more on its way; one that took so long takes all that back, ms. */
const FAST_MS = 300;
const SLOW_MS = 1_000;

interface UnderWay<Whole> {
  readonly n: number;
  readonly at: number;
  readonly whole: Whole;
}

/**
 * How many parts may be on their way to a peer: what is written meanwhile waits behind no more than those, wherever the
 * bytes lie: kernels and proxies hide megabytes. More on a fast line alone, for which so little would be a brake. No
 * timers, the clock is handed in.
 */
export class PartWindow<Whole> {
  /** It does not grow: something on the line may take no more in one go. */
  isSteady = false;
  #underWay: UnderWay<Whole>[] = [];
  #most = LEAST;

  get isEmpty(): boolean {
    return this.#underWay.length === 0;
  }

  /** Parts that may be on their way now. */
  get most(): number {
    return this.#most;
  }

  get hasRoom(): boolean {
    return this.#underWay.length + 1 <= this.#most;
  }

  /** A part was written. What comes back with this number or a higher one says that it was taken in. */
  wrote(n: number, whole: Whole, now: number): void {
    this.#underWay.push({ n, at: now, whole });
  }

  /** All through this number was taken in: tells of each part. */
  covered(n: number, now: number, tell: (whole: Whole) => void): void {
    const still = this.#underWay.filter((part) => part.n > n);
    for (const { at, whole } of this.#underWay.splice(0, this.#underWay.length - still.length)) {
      const ms = now - at;
      if (ms > SLOW_MS) this.#most = LEAST;
      else if (ms < FAST_MS && !this.isSteady) this.#most = Math.min(this.#most + 0.5, MOST);
      tell(whole);
    }
  }
}
