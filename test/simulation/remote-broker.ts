import type { Position } from '../../src/index.ts';
import type { Broker, Feed, FeedListener, StoredEvent } from '../../src/server/brokers/broker.ts';
import type { Clock, Process } from './clock.ts';
import type { Random } from './random.ts';

interface RemoteTopic {
  epoch: string;
  offset: number;
  history: StoredEvent[];
  readonly feeds: Set<RemoteFeed>;
}

interface RemoteFeed {
  head: Position;
  readonly listener: FeedListener;
  readonly link: Link;
  closed: boolean;
}

/** What one server hears of the broker: later, and in order. */
class Link {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #process: Process;
  #lastAt = 0;

  readonly #delayMs: number;

  constructor(clock: Clock, random: Random, process: Process) {
    this.#delayMs = random.pick([15, 15, 400]);
    this.#clock = clock;
    this.#random = random;
    this.#process = process;
  }

  carry(arrive: () => void): void {
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now + this.#random.below(this.#delayMs));
    this.#clock.after(this.#lastAt - this.#clock.now, this.#process, arrive);
  }
}

/** A broker in a process of its own, as one on Redis is: every answer takes time, and it can lose its history. */
export class RemoteBroker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #process: Process;
  readonly #size: number;
  readonly #noted: (name: string, position: Position, payload: string) => void;
  readonly #topics = new Map<string, RemoteTopic>();
  #epochs = 0;

  constructor(
    clock: Clock,
    random: Random,
    process: Process,
    size: number,
    noted: (name: string, position: Position, payload: string) => void,
  ) {
    this.#noted = noted;
    this.#clock = clock;
    this.#random = random;
    this.#process = process;
    this.#size = size;
  }

  /** The broker as one server has it. */
  connect(): Broker {
    const link = new Link(this.#clock, this.#random, this.#process);
    return {
      publish: (name, payload) => {
        const position = this.#publish(name, payload);
        return new Promise((resolve) => link.carry(() => resolve(position)));
      },
      subscribe: (name, listener) =>
        new Promise((resolve) => {
          this.#clock.after(this.#random.below(15), this.#process, () => {
            const feed = this.#attach(name, listener, link);
            link.carry(() => resolve(feed));
          });
        }),
      close: () => undefined,
    };
  }

  /** The history of a topic is lost, and told. */
  forget(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    topic.epoch = this.#newEpoch();
    topic.offset = 0;
    topic.history = [];
    const head: Position = [topic.epoch, 0];
    for (const feed of topic.feeds) {
      feed.link.carry(() => {
        if (feed.closed) return;
        feed.head = head;
        feed.listener.reset();
      });
    }
  }

  get names(): readonly string[] {
    return [...this.#topics.keys()];
  }

  #publish(name: string, payload: string): Position {
    const topic = this.#topic(name);
    topic.offset++;
    const event = { offset: topic.offset, payload };
    const position: Position = [topic.epoch, topic.offset];
    this.#noted(name, position, payload);
    topic.history.push(event);
    if (topic.history.length > this.#size) topic.history.shift();
    for (const feed of topic.feeds) {
      feed.link.carry(() => {
        if (feed.closed) return;
        feed.head = position;
        feed.listener.event(event);
      });
    }
    return position;
  }

  #attach(name: string, listener: FeedListener, link: Link): Feed {
    const topic = this.#topic(name);
    const feed: RemoteFeed = { head: [topic.epoch, topic.offset], listener, link, closed: false };
    topic.feeds.add(feed);
    return {
      get head() {
        return feed.head;
      },
      read: (after, limit) =>
        new Promise((resolve) => {
          // This replica has not heard of what is asked for.
          if (after[0] === feed.head[0] && after[1] > feed.head[1]) return resolve(undefined);
          this.#clock.after(this.#random.below(15), this.#process, () => {
            const events = this.#read(topic, after, limit);
            link.carry(() => resolve(events));
          });
        }),
      oldest: () =>
        new Promise((resolve) => {
          this.#clock.after(this.#random.below(15), this.#process, () => {
            const oldest: Position = [topic.epoch, topic.offset - topic.history.length];
            link.carry(() => resolve(oldest));
          });
        }),
      close: () => {
        feed.closed = true;
        topic.feeds.delete(feed);
      },
    };
  }

  #read(topic: RemoteTopic, [epoch, offset]: Position, limit: number): readonly StoredEvent[] | undefined {
    const first = topic.offset - topic.history.length;
    if (epoch !== topic.epoch || offset > topic.offset || offset < first) return undefined;
    return topic.history.slice(offset - first, offset - first + limit);
  }

  #topic(name: string): RemoteTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { epoch: this.#newEpoch(), offset: 0, history: [], feeds: new Set() };
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #newEpoch(): string {
    return `r${String(++this.#epochs)}`;
  }
}
