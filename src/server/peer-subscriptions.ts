import { encodeUnsubscribed } from '../protocol/encode.ts';
import type { Position, WireError } from '../protocol/messages.ts';
import type { Client } from './client.ts';
import { whenReady } from './reporter.ts';
import type { Report } from './reporter.ts';
import { Subscription } from './subscription.ts';
import type { SubscriptionPeer } from './subscription.ts';
import type { FoundTopic, TopicHub } from './topic-hub.ts';

/** Options of {@link PeerSubscriptions}. */
export interface PeerSubscriptionsOptions {
  readonly hub: TopicHub;
  readonly client: Client;
  readonly most: number;
  readonly report: Report;
  readonly push: (message: string) => void;
  readonly isCongested: () => boolean;
  /** Something was left out: {@link PeerSubscriptions.resume} is wanted when there is room. */
  readonly fellBehind: () => void;
  /** A subscription was refused, or ended, with this code. */
  readonly refused: (code: string) => void;
  /** What `authenticate` said of the peer, at this moment. */
  readonly context: () => unknown;
}

/** States that are read at a time for a peer that was full: soon it is full again, and others would be read in vain. */
const STATES_AT_ONCE = 8;

/** The subscriptions of one socket, by topic. */
export class PeerSubscriptions implements SubscriptionPeer {
  readonly #options: PeerSubscriptionsOptions;
  readonly #byName = new Map<string, { readonly subscription: Subscription; readonly found: FoundTopic }>();
  readonly #behind = new Set<Subscription>();
  /** Those that wait for their state after they were held; of some it has come. */
  readonly #beginning = new Set<Subscription>();

  constructor(options: PeerSubscriptionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Some of them are waiting for room. */
  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  get congested(): boolean {
    return this.#options.isCongested();
  }

  push(message: string): void {
    this.#options.push(message);
  }

  hold(): void {
    this.#options.client.reads++;
  }

  release(): void {
    const { client } = this.#options;
    client.reads--;
    // Not at once: answers that come at once would go ever deeper.
    if (client.waiting.size > 0) queueMicrotask(() => this.#letNextAsk());
    // What was read is on its way when this runs: then those that were held may be next.
    if (this.#beginning.size > 0) queueMicrotask(() => this.resume());
  }

  fellBehind(subscription: Subscription): void {
    this.#behind.add(subscription);
    this.#options.fellBehind();
  }

  ended(subscription: Subscription, error: WireError | undefined): void {
    this.#behind.delete(subscription);
    this.#beginning.delete(subscription);
    this.#options.client.waiting.delete(subscription);
    if (this.#byName.get(subscription.name)?.subscription === subscription) this.#byName.delete(subscription.name);
    if (error !== undefined) this.#options.refused(error.code);
  }

  /** Replaces an earlier subscription of the topic, of which nothing follows. */
  subscribe(n: number, name: string, asked: Position | undefined): void {
    const { hub, most } = this.#options;
    this.unsubscribe(name);
    const found = hub.find(name);
    if (found === undefined) return this.refuse(n, name, 'NOT_FOUND', 'no topic has this name');
    if (this.#byName.size >= most) return this.refuse(n, name, 'RATE_LIMITED', `more than ${most} subscriptions`);
    const subscription = new Subscription(n, name, this);
    this.#byName.set(name, { subscription, found });
    this.#authorize(subscription, found, () => hub.join(subscription, found, asked));
  }

  unsubscribe(name: string): void {
    this.#byName.get(name)?.subscription.end();
  }

  refuse(n: number, name: string, code: string, message: string): void {
    this.#options.push(encodeUnsubscribed(n, name, { code, message }));
    this.#options.refused(code);
  }

  /** Other credentials are in force: asks again for each. */
  authorizeAgain(): void {
    const { waiting } = this.#options.client;
    for (const { subscription, found } of [...this.#byName.values()]) {
      // One that waits will be asked for with what is in force then.
      if (!waiting.has(subscription)) this.#authorize(subscription, found, () => undefined);
    }
  }

  /** There may be room again: those left out go on. */
  resume(): void {
    for (const subscription of this.#beginning) {
      if (subscription.state !== 'waiting') this.#beginning.delete(subscription);
    }
    for (const subscription of this.#behind) {
      if (this.congested) return;
      if (subscription.state === 'held' && this.#beginning.size >= STATES_AT_ONCE) continue;
      this.#behind.delete(subscription);
      subscription.resume();
      if (subscription.state === 'waiting') this.#beginning.add(subscription);
    }
  }

  close(): void {
    for (const { subscription } of [...this.#byName.values()]) subscription.end();
  }

  get #mayAsk(): boolean {
    const { client, most } = this.#options;
    return client.reads < 2 * most;
  }

  #letNextAsk(): void {
    const { waiting } = this.#options.client;
    const [next] = waiting;
    if (next === undefined || !this.#mayAsk) return;
    const [subscription, ask] = next;
    waiting.delete(subscription);
    ask();
  }

  /**
   * A client that reconnects asks for all its topics once more; the app never works at more than twice as many, and the
   * others wait.
   */
  #authorize(subscription: Subscription, found: FoundTopic, allowed: () => void): void {
    const { hub, client, context, report } = this.#options;
    if (!this.#mayAsk) {
      client.waiting.set(subscription, () => this.#authorize(subscription, found, allowed));
      return;
    }
    this.hold();
    void whenReady(
      () => hub.authorize(found, context(), 'subscribe'),
      (answer) => {
        this.release();
        if (subscription.ended) return;
        // Anything but `true` refuses: a forgotten return must not let anyone in.
        if (answer === true) allowed();
        else subscription.end({ code: 'FORBIDDEN', message: 'not allowed to subscribe to this topic' });
      },
      (error) => {
        this.release();
        report(error, { during: 'authorize', path: found.bound.topic.path });
        subscription.end({ code: 'INTERNAL', message: 'the server failed' });
      },
    );
  }
}
