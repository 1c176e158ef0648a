/**
 * Where the window begins, and where it goes back to, in parts: with parts of 16 KiB what overtakes waits for 2 s of a
 * line of 20 kB/s at most. And the most, which is enough for 2.5 MB/s over 100 ms.
 */
const LEAST_PARTS = 2;
const MOST_PARTS = 16;

/** A part that is taken in sooner than this may have more beside it; after a part that took so long it has less, ms. */
const FAST_MS = 300;
const SLOW_MS = 1_000;

interface UnderWay<Whole> {
  readonly n: number;
  readonly bytes: number;
  readonly at: number;
  readonly whole: Whole;
}

/**
 * How much of what travels in parts may be on its way to a peer: what is written meanwhile waits behind no more than
 * that, wherever the bytes lie: kernels and proxies hide megabytes. Its figure grows on a fast line alone, for which so
 * little would be a brake. No timers, the clock is handed in.
 */
export class PartWindow<Whole> {
  #underWay: UnderWay<Whole>[] = [];
  #bytes = 0;
  #most: number;
  /** It does not grow: something on the line may take no more in one go. */
  isSteady = false;
  readonly #partBytes: number;

  constructor(partBytes: number) {
    this.#partBytes = partBytes;
    this.#most = LEAST_PARTS * partBytes;
  }

  get isEmpty(): boolean {
    return this.#underWay.length === 0;
  }

  get hasRoom(): boolean {
    return this.#bytes < this.#most;
  }

  /** A part was written, behind which something of this number or a higher one will be answered. */
  wrote(n: number, bytes: number, whole: Whole, now: number): void {
    this.#underWay.push({ n, bytes, at: now, whole });
    this.#bytes += bytes;
  }

  /** All through this number was taken in: tells of each part. */
  covered(n: number, now: number, tell: (whole: Whole) => void): void {
    for (let [first] = this.#underWay; first !== undefined && first.n <= n; [first] = this.#underWay) {
      this.#underWay.shift();
      const { bytes, at, whole } = first;
      this.#bytes -= bytes;
      if (now - at < FAST_MS && !this.isSteady) this.#most = Math.min(this.#most + bytes, MOST_PARTS * this.#partBytes);
      else if (now - at > SLOW_MS) this.#most = LEAST_PARTS * this.#partBytes;
      tell(whole);
    }
  }
}
