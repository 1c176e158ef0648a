import { seededRandom } from '../../src/testing/faults/random.ts';

/** Draws of one simulated world: the same for the same seed. */
export class Random {
  /** [0, 1). */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** Time until the next of events that come at random, ms. */
  pause(meanMs: number): number {
    return Math.ceil(-Math.log(1 - this.next()) * meanMs);
  }

  /** One of several, by weight. */
  weighted<Item>(items: ReadonlyArray<readonly [weight: number, item: Item]>): Item {
    let rest = this.next() * items.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of items) {
      rest -= weight;
      if (rest < 0) return item;
    }
    return items.at(-1)![1];
  }
}
