import { encodeUnsubscribed } from '../../protocol/encode.ts';
import type { Position, WireError } from '../../protocol/messages.ts';
import type { Client } from '../clients/client.ts';
import { whenReady } from '../app/reporter.ts';
import type { Report } from '../app/reporter.ts';
import { Follower } from './follower.ts';
import type { FollowerPeer } from './follower.ts';
import type { FoundTopic, TopicHub } from './topic-hub.ts';

/** Options of {@link PeerFollowers}. */
export interface PeerFollowersOptions {
  readonly hub: TopicHub;
  readonly client: Client;
  readonly most: number;
  readonly report: Report;
  readonly push: (message: string) => void;
  readonly isCongested: () => boolean;
  /** Something was left out: {@link PeerFollowers.resume} is wanted when there is room. */
  readonly fellBehind: () => void;
  /** A subscription was refused, or ended, with this code. */
  readonly refused: (code: string) => void;
  /** What `authenticate` said of the peer, at this moment. */
  readonly context: () => unknown;
}

/** States that are read at a time for a peer that was full: soon it is full again, and others would be read in vain. */
const STATES_AT_ONCE = 8;

/** The subscriptions of one socket, by topic. */
export class PeerFollowers implements FollowerPeer {
  readonly #options: PeerFollowersOptions;
  readonly #byName = new Map<string, { readonly follower: Follower; readonly found: FoundTopic }>();
  readonly #behind = new Set<Follower>();
  /** Those that wait for their state after they were held; of some it has come. */
  readonly #beginning = new Set<Follower>();

  constructor(options: PeerFollowersOptions) {
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

  fellBehind(follower: Follower): void {
    this.#behind.add(follower);
    this.#options.fellBehind();
  }

  ended(follower: Follower, error: WireError | undefined): void {
    this.#behind.delete(follower);
    this.#beginning.delete(follower);
    this.#options.client.waiting.delete(follower);
    if (this.#byName.get(follower.name)?.follower === follower) this.#byName.delete(follower.name);
    if (error !== undefined) this.#options.refused(error.code);
  }

  /** Replaces an earlier subscription of the topic, of which nothing follows. */
  subscribe(n: number, name: string, asked: Position | undefined): void {
    const { hub, most } = this.#options;
    this.unsubscribe(name);
    const found = hub.find(name);
    if (found === undefined) return this.refuse(n, name, 'NOT_FOUND', 'no topic has this name');
    if (this.#byName.size >= most) return this.refuse(n, name, 'RATE_LIMITED', `more than ${most} subscriptions`);
    const follower = new Follower(n, name, this);
    this.#byName.set(name, { follower, found });
    this.#authorize(follower, found, () => hub.join(follower, found, asked));
  }

  unsubscribe(name: string): void {
    this.#byName.get(name)?.follower.end();
  }

  refuse(n: number, name: string, code: string, message: string): void {
    this.#options.push(encodeUnsubscribed(n, name, { code, message }));
    this.#options.refused(code);
  }

  /** Other credentials are in force: asks again for each. */
  authorizeAgain(): void {
    const { waiting } = this.#options.client;
    for (const { follower, found } of [...this.#byName.values()]) {
      // One that waits will be asked for with what is in force then.
      if (!waiting.has(follower)) this.#authorize(follower, found, () => undefined);
    }
  }

  /** There may be room again: those left out go on. */
  resume(): void {
    for (const follower of this.#beginning) {
      if (follower.state !== 'waiting') this.#beginning.delete(follower);
    }
    for (const follower of this.#behind) {
      if (this.congested) return;
      if (follower.state === 'held' && this.#beginning.size >= STATES_AT_ONCE) continue;
      this.#behind.delete(follower);
      follower.resume();
      if (follower.state === 'waiting') this.#beginning.add(follower);
    }
  }

  close(): void {
    for (const { follower } of [...this.#byName.values()]) follower.end();
  }

  get #mayAsk(): boolean {
    const { client, most } = this.#options;
    return client.reads < 2 * most;
  }

  #letNextAsk(): void {
    const { waiting } = this.#options.client;
    const [next] = waiting;
    if (next === undefined || !this.#mayAsk) return;
    const [follower, ask] = next;
    waiting.delete(follower);
    ask();
  }

  /**
   * A client that reconnects asks for all its topics once more; the app never works at more than twice as many, and the
   * others wait.
   */
  #authorize(follower: Follower, found: FoundTopic, allowed: () => void): void {
    const { hub, client, context, report } = this.#options;
    if (!this.#mayAsk) {
      client.waiting.set(follower, () => this.#authorize(follower, found, allowed));
      return;
    }
    this.hold();
    void whenReady(
      () => hub.authorize(found, context(), 'subscribe'),
      (answer) => {
        this.release();
        if (follower.ended) return;
        // Anything but `true` refuses: a forgotten return must not let anyone in.
        if (answer === true) allowed();
        else follower.end({ code: 'FORBIDDEN', message: 'not allowed to subscribe to this topic' });
      },
      (error) => {
        this.release();
        report(error, { during: 'authorize', path: found.bound.topic.path });
        follower.end({ code: 'INTERNAL', message: 'the server failed' });
      },
    );
  }
}
