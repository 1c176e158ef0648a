import { seededRandom } from './random.ts';

/** Client to server is `up`, server to client is `down`. */
export type Way = 'up' | 'down';

/** The faults of all lines of a proxy, as they are at the moment. */
export class WayFaults {
  readonly frozen: Set<Way> = new Set();
  /** Each chunk comes so much later, ms. */
  delayMs = 0;
  bytesPerSecond: number = Infinity;
  /** Lines that were cut by what passed. */
  cuts = 0;
  /** What may pass one way until the line that it passes on is cut. */
  budget: { readonly way: Way; left: number } | undefined;
  atRandom: { readonly everyChunks: number; left: number } | undefined;
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** How many of these bytes still pass before their line is cut; `undefined`: all of them, no cut. */
  passing(way: Way, bytes: number): number | undefined {
    const passing = this.#withinBudget(way, bytes) ?? this.#byChance(bytes);
    if (passing !== undefined) this.cuts++;
    return passing;
  }

  #withinBudget(way: Way, bytes: number): number | undefined {
    const { budget } = this;
    if (budget?.way !== way) return undefined;
    if (bytes < budget.left) {
      budget.left -= bytes;
      return undefined;
    }
    this.budget = undefined;
    return budget.left;
  }

  #byChance(bytes: number): number | undefined {
    const { atRandom } = this;
    if (atRandom === undefined || atRandom.left === 0 || this.#random() > 1 / atRandom.everyChunks) return undefined;
    atRandom.left--;
    return Math.floor(this.#random() * (bytes + 1));
  }
}
