import { RingBuffer } from '../../primitives/ring-buffer.ts';
import type { Position } from '../../protocol/messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import { randomName } from '../random-name.ts';
import { resolveNumbers } from '../app/server-options.ts';
import type { Broker, Feed, FeedListener, PublishOptions, StoredEvent } from './broker.ts';

/** Options of {@link memoryBroker}. */
export interface MemoryBrokerOptions {
  /** How much of each topic can be caught up with. */
  readonly history?: {
    /** Publications. @default 1_000 */
    readonly size?: number | undefined;
    /**
     * Bytes of publications, as they go to clients; the last one is kept however large it is. A topic of large ones that
     * slow clients or loops must be able to catch up with wants more. @default 4_194_304
     */
    readonly bytes?: number | undefined;
    /** Age, ms. What is older is not read any more, and gone from memory a tenth of it later. @default 300_000 */
    readonly ttlMs?: number | undefined;
  };
  /** Topics without a subscriber whose history is kept; the longest unused are forgotten first. @default 10_000 */
  readonly idleTopics?: number | undefined;
}

/** Defaults of {@link MemoryBrokerOptions}. */
export const MEMORY_BROKER_DEFAULTS: {
  readonly size: number;
  readonly bytes: number;
  readonly ttlMs: number;
  readonly idleTopics: number;
} = {
  size: 1000,
  bytes: 4 * 1024 * 1024,
  ttlMs: 300_000,
  idleTopics: 10_000,
};

/**
 * Carries publications within one process. Offsets never go back within an epoch: a topic that was forgotten comes
 * back under a new one.
 */
export function memoryBroker(options: MemoryBrokerOptions = {}): Broker {
  const { history, idleTopics } = options;
  return new MemoryBroker(resolveNumbers('memoryBroker: ', MEMORY_BROKER_DEFAULTS, { ...history, idleTopics }));
}

interface Stored extends StoredEvent {
  /** Monotonic time, ms: a clock that is set makes nothing old. */
  readonly atMs: number;
  readonly bytes: number;
  readonly key: string | undefined;
}

/** Of `ttlMs`: so long after it what is too old is still in memory, at most. */
const SWEEP_PART = 0.1;

class MemoryTopic {
  readonly epoch: string = randomName();
  readonly listeners: Set<FeedListener> = new Set();
  readonly history: RingBuffer<Stored>;
  /** Offsets of those in the history that have a key. */
  #keys: Map<string, number> | undefined;
  bytes = 0;
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

  /** Keeps a publication, and of the others as many as there are bytes for. */
  store(event: Stored, mostBytes: number): void {
    this.bytes += event.bytes;
    if (event.key !== undefined) (this.#keys ??= new Map()).set(event.key, event.offset);
    const gone = this.history.push(event);
    if (gone !== undefined) this.#gone(gone);
    while (this.bytes > mostBytes && this.history.size > 1) this.#drop();
  }

  /** Forgets what was published before a time. */
  expire(beforeMs: number): void {
    for (let first = this.history.at(0); first !== undefined && first.atMs < beforeMs; first = this.history.at(0)) {
      this.#drop();
    }
  }

  /** Offset of the publication that has this key. */
  offsetOf(key: string): number | undefined {
    return this.#keys?.get(key);
  }

  #drop(): void {
    this.#gone(this.history.shift()!);
  }

  #gone({ bytes, key }: Stored): void {
    this.bytes -= bytes;
    if (key !== undefined) this.#keys!.delete(key);
  }
}

class MemoryBroker implements Broker {
  readonly #options: typeof MEMORY_BROKER_DEFAULTS;
  readonly #topics = new Map<string, MemoryTopic>();
  /** Topics with a history, and the one timer that looks at them, as long as there are some. */
  readonly #aging = new Set<MemoryTopic>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Topics without a subscriber, the longest unused first. */
  readonly #idle = new Set<string>();

  constructor(options: typeof MEMORY_BROKER_DEFAULTS) {
    this.#options = options;
  }

  publish(name: string, payload: string, options?: PublishOptions): Position {
    const topic = this.#topic(name);
    const key = options?.key;
    if (key !== undefined) {
      this.#expire(topic);
      const known = topic.offsetOf(key);
      if (known !== undefined) return [topic.epoch, known];
    }
    const event = { offset: topic.next(), payload, atMs: performance.now(), bytes: utf8Length(payload), key };
    topic.store(event, this.#options.bytes);
    this.#aging.add(topic);
    this.#timer ??= this.#sweepLater();
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
    this.#aging.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
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

  #expire(topic: MemoryTopic): void {
    topic.expire(performance.now() - this.#options.ttlMs);
  }

  #sweepLater(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => this.#sweep(), Math.ceil(this.#options.ttlMs * SWEEP_PART));
    // It keeps no process alive, where there are processes.
    (timer as Partial<{ unref(): void }>).unref?.();
    return timer;
  }

  #sweep(): void {
    const beforeMs = performance.now() - this.#options.ttlMs;
    for (const topic of this.#aging) {
      topic.expire(beforeMs);
      if (topic.history.size === 0) this.#aging.delete(topic);
    }
    this.#timer = this.#aging.size === 0 ? undefined : this.#sweepLater();
  }

  #topic(name: string): MemoryTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new MemoryTopic(this.#options.size);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #rest(name: string): void {
    this.#idle.delete(name);
    this.#idle.add(name);
    for (const oldest of this.#idle) {
      if (this.#idle.size <= this.#options.idleTopics) return;
      this.#idle.delete(oldest);
      this.#aging.delete(this.#topics.get(oldest)!);
      this.#topics.delete(oldest);
    }
  }
}
