import { RingBuffer } from '../../primitives/ring-buffer.ts';
import type { Position } from '../../protocol/messages.ts';
import { randomName } from '../random-name.ts';
import { resolveNumbers } from '../app/server-options.ts';
import type { Broker, Feed, FeedListener, StoredEvent } from './broker.ts';

/** Options of {@link memoryBroker}. */
export interface MemoryBrokerOptions {
  /** How much of each topic can be caught up with. */
  readonly history?: {
    /** Publications. @default 1_000 */
    readonly size?: number | undefined;
    /** Age, ms. @default 300_000 */
    readonly ttlMs?: number | undefined;
  };
  /** Topics without a subscriber whose history is kept; the longest unused are forgotten first. @default 10_000 */
  readonly idleTopics?: number | undefined;
}

/** Defaults of {@link MemoryBrokerOptions}. */
export const MEMORY_BROKER_DEFAULTS: { readonly size: number; readonly ttlMs: number; readonly idleTopics: number } = {
  size: 1000,
  ttlMs: 300_000,
  idleTopics: 10_000,
};

/**
 * Carries publications within one process. Offsets never go back within an epoch: a topic that was forgotten comes
 * back under a new one.
 */
export function memoryBroker(options: MemoryBrokerOptions = {}): Broker {
  const { size, ttlMs, idleTopics } = resolveNumbers('memoryBroker: ', MEMORY_BROKER_DEFAULTS, {
    size: options.history?.size,
    ttlMs: options.history?.ttlMs,
    idleTopics: options.idleTopics,
  });
  return new MemoryBroker(size, ttlMs, idleTopics);
}

interface Timed extends StoredEvent {
  readonly atMs: number;
}

class MemoryTopic {
  readonly epoch: string = randomName();
  readonly listeners: Set<FeedListener> = new Set();
  readonly history: RingBuffer<Timed>;
  offset = 0;
  head: Position = [this.epoch, 0];

  constructor(size: number) {
    this.history = new RingBuffer(size);
  }

  /** Counts a publication. */
  next(): number {
    this.offset++;
    this.head = [this.epoch, this.offset];
    return this.offset;
  }
}

class MemoryBroker implements Broker {
  readonly #size: number;
  readonly #ttlMs: number;
  readonly #idleTopics: number;
  readonly #topics = new Map<string, MemoryTopic>();
  /** Topics without a subscriber, the longest unused first. */
  readonly #idle = new Set<string>();

  constructor(size: number, ttlMs: number, idleTopics: number) {
    this.#size = size;
    this.#ttlMs = ttlMs;
    this.#idleTopics = idleTopics;
  }

  publish(name: string, payload: string): Position {
    const topic = this.#topic(name);
    const event = { offset: topic.next(), payload, atMs: Date.now() };
    topic.history.push(event);
    if (topic.listeners.size === 0) this.#rest(name);
    if (topic.listeners.size === 1) topic.listeners.values().next().value!.event(event);
    else for (const listener of [...topic.listeners]) listener.event(event);
    // Not the head itself: what the app is given is its own.
    return [topic.epoch, event.offset];
  }

  subscribe(name: string, listener: FeedListener): Feed {
    const topic = this.#topic(name);
    // An object of its own for each feed: the same listener may be there twice.
    const entry: FeedListener = { event: (event) => listener.event(event), reset: () => listener.reset() };
    topic.listeners.add(entry);
    this.#idle.delete(name);
    return {
      get head() {
        return topic.head;
      },
      read: (after, limit) => this.#read(topic, after, limit),
      oldest: () => this.#oldest(topic),
      close: () => {
        if (topic.listeners.delete(entry) && topic.listeners.size === 0) this.#rest(name);
      },
    };
  }

  close(): void {
    this.#topics.clear();
    this.#idle.clear();
  }

  /**
   * An offset beyond the head, under an epoch that this process made up and never let go back, can only be invented:
   * it gets no more than an unknown epoch does. (A broker whose counter can go back starts a new epoch there.)
   */
  #read(topic: MemoryTopic, [epoch, offset]: Position, limit: number): readonly StoredEvent[] | undefined {
    if (epoch !== topic.epoch || offset > topic.offset) return undefined;
    this.#expire(topic);
    const { history } = topic;
    const first = topic.offset - history.size;
    if (offset < first) return undefined;
    const events: StoredEvent[] = [];
    for (let index = offset - first; index < history.size && events.length < limit; index++) {
      events.push(history.at(index)!);
    }
    return events;
  }

  #oldest(topic: MemoryTopic): Position {
    this.#expire(topic);
    return [topic.epoch, topic.offset - topic.history.size];
  }

  #expire({ history }: MemoryTopic): void {
    const oldest = Date.now() - this.#ttlMs;
    for (let first = history.at(0); first !== undefined && first.atMs < oldest; first = history.at(0)) history.shift();
  }

  #topic(name: string): MemoryTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new MemoryTopic(this.#size);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #rest(name: string): void {
    this.#idle.delete(name);
    this.#idle.add(name);
    for (const oldest of this.#idle) {
      if (this.#idle.size <= this.#idleTopics) return;
      this.#idle.delete(oldest);
      this.#topics.delete(oldest);
    }
  }
}
