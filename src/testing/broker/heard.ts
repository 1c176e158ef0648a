import type { Broker, Feed, FeedListener } from '../../server/brokers/broker.ts';

/** What one server hears of a topic, and waiting for it. */
export class Heard {
  readonly payloads: string[] = [];
  /** The offset of each, and that of the feed's head when it came. */
  readonly offsets: Array<readonly [offset: number, head: number | undefined]> = [];
  resets = 0;
  feed: Feed | undefined;
  #waiting: Array<() => void> = [];

  readonly listener: FeedListener = {
    event: ({ offset, payload }) => {
      this.payloads.push(payload);
      this.offsets.push([offset, this.feed?.head[1]]);
      this.#look();
    },
    reset: () => {
      this.resets++;
      this.#look();
    },
  };

  static async of(broker: Broker, topic: string): Promise<Heard & { readonly feed: Feed }> {
    const heard = new Heard();
    heard.feed = await broker.subscribe(topic, heard.listener);
    return heard as Heard & { readonly feed: Feed };
  }

  /** Resolves when so many have come. */
  async until(count: number): Promise<void> {
    while (this.payloads.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when one came with this payload. */
  async untilLast(payload: string): Promise<void> {
    while (this.payloads.at(-1) !== payload) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #look(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** @throws Error that says what is not as it has to be */
export function same(what: string, got: unknown, expected: unknown): void {
  const [its, wanted] = [JSON.stringify(got) ?? 'undefined', JSON.stringify(expected) ?? 'undefined'];
  if (its !== wanted) throw new Error(`${what}: expected ${wanted.slice(0, 300)}, not ${its.slice(0, 300)}`);
}
