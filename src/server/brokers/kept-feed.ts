import type { Deadline } from '../../primitives/deadlines.ts';
import { whenReady } from '../app/now-or-later.ts';
import type { Engine } from '../engine.ts';
import { openFeed } from '../topics/open-feed.ts';
import type { Broker, Feed } from './broker.ts';

/** Where the broker can't be followed it is asked again after this time, ms. */
const AGAIN_MS = 2000;

const READ_AT_ONCE = 256;

/** Who hears what servers tell each other on a topic. */
export interface KeptFeedListener {
  /** It is followed from now on, the first time or after it could not be. */
  followed(isLate: boolean): void;
  /** What it throws is reported. */
  told(message: unknown): void;
  /** Some of what was told may be lost. What the history holds that took its place is told next. */
  reset(): void;
}

/** Follows a topic on which servers tell each other, as long as the server lives. */
export class KeptFeed {
  readonly #engine: Engine;
  readonly #broker: Broker;
  readonly #topic: string;
  readonly #listener: KeptFeedListener;
  #feed: Feed | undefined;
  #again: Deadline | undefined;
  #isLate = false;
  #closed = false;

  constructor(engine: Engine, broker: Broker, topic: string, listener: KeptFeedListener) {
    this.#engine = engine;
    this.#broker = broker;
    this.#topic = topic;
    this.#listener = listener;
  }

  /** There once it is followed. */
  get feed(): Feed | undefined {
    return this.#feed;
  }

  follow(): void {
    const { deadlines, report } = this.#engine;
    const listener = {
      event: ({ payload }: { readonly payload: string }) => this.#told(payload),
      reset: () => {
        this.#listener.reset();
        this.#readNew();
      },
    };
    void whenReady(
      () => openFeed(this.#broker, deadlines, this.#topic, listener),
      (feed) => {
        if (this.#closed) return feed.close();
        this.#feed = feed;
        this.#listener.followed(this.#isLate);
      },
      (error) => {
        report(error, { during: 'broker' });
        this.#isLate = true;
        this.#later(() => this.follow());
      },
    );
  }

  close(): void {
    this.#closed = true;
    this.#feed?.close();
    if (this.#again !== undefined) this.#engine.deadlines.remove(this.#again);
  }

  /** What is there already by the time at which a loss is found is told to nobody. */
  #readNew(): void {
    this.#readAll().catch((error: unknown) => {
      this.#engine.report(error, { during: 'broker' });
      this.#later(() => this.#readNew());
    });
  }

  async #readAll(): Promise<void> {
    const feed = this.#feed;
    let after = await feed?.oldest?.();
    while (feed !== undefined && after !== undefined && !this.#closed) {
      const events = await feed.read(after, READ_AT_ONCE);
      for (const { payload } of events ?? []) this.#told(payload);
      const last = events?.at(-1);
      after = last && [after[0], last.offset];
    }
  }

  #told(payload: string): void {
    try {
      this.#listener.told(JSON.parse(payload));
    } catch (error) {
      this.#engine.report(error, { during: 'broker' });
    }
  }

  #later(what: () => void): void {
    if (!this.#closed) this.#again = this.#engine.deadlines.add(performance.now() + AGAIN_MS, what);
  }
}
