import { encodeUnsubscribed } from '../../protocol/encode.ts';
import type { Position, WireError } from '../../protocol/messages.ts';
import type { Client } from '../clients/client.ts';
import type { LargeMessages } from '../outbound/large-messages.ts';
import type { PeerLink } from '../peers/peer-link.ts';
import { whenReady } from '../app/now-or-later.ts';
import { refusalOf } from '../app/refusal.ts';
import { Follower } from './follower.ts';
import type { FollowerPeer } from './follower.ts';

/** Whose followers they are. */
export interface FollowingPeer {
  readonly client: Client;
  readonly large: LargeMessages;
  /** What `authenticate` said of it, at this moment. */
  readonly context: unknown;
  /** Something was left out: {@link PeerFollowers.resume} is wanted when there is room. */
  fellBehind(): void;
}

/** A client comes back after it, as after any code that no table names. */
const REVOKED = 4000;

/**
 * States that are read at a time for a peer, at most: each is held until it is told. Where they are large it is full after
 * the first, the others are read in vain, and there are fewer from then on.
 */
const STATES_AT_ONCE = 8;

/** The subscriptions of one socket, by topic. */
export class PeerFollowers implements FollowerPeer {
  readonly #link: PeerLink;
  readonly #peer: FollowingPeer;
  readonly #client: Client;
  readonly #most: number;
  readonly #byName = new Map<string, Follower>();
  readonly #behind = new Set<Follower>();
  /** Those that wait for their state; of some it has come. */
  readonly #beginning = new Set<Follower>();
  #statesAtOnce = STATES_AT_ONCE;
  /** Those whose state was read and could not be told: they wait until something else has changed. */
  readonly #inVain = new Set<Follower>();

  constructor(link: PeerLink, peer: FollowingPeer) {
    this.#link = link;
    this.#peer = peer;
    this.#client = peer.client;
    this.#most = link.engine.limits.subscriptions;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Some of them are waiting for room. */
  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  get large(): LargeMessages {
    return this.#peer.large;
  }

  get congested(): boolean {
    return this.#link.isCongested;
  }

  push(message: string): void {
    this.#link.push(message, 'bulk');
  }

  tell(message: string): void {
    this.#link.push(message, 'ordered answer');
  }

  hold(): void {
    this.#client.reads++;
  }

  release(): void {
    const client = this.#client;
    client.reads--;
    // Not at once: answers that come at once would go ever deeper.
    if (client.waiting.size > 0) queueMicrotask(() => this.#letNextAsk());
    // What was read is on its way when this runs: then those that were held may be next.
    if (this.#beginning.size > 0) queueMicrotask(() => this.#goOn());
  }

  mayBegin(follower: Follower, hasState: boolean): boolean {
    if (this.congested) return false;
    if (!hasState) return true;
    this.#forgetBegun();
    if (this.#beginning.size >= this.#statesAtOnce) return false;
    this.#beginning.add(follower);
    return true;
  }

  fellBehind(follower: Follower): void {
    if (follower.state === 'held' && this.#beginning.delete(follower)) {
      this.#statesAtOnce = this.#statesAtOnce >> 1 || 1;
      this.#inVain.add(follower);
    }
    this.#behind.add(follower);
    this.#peer.fellBehind();
  }

  ended(follower: Follower, error: WireError | undefined): void {
    this.#behind.delete(follower);
    this.#beginning.delete(follower);
    this.#inVain.delete(follower);
    this.#client.waiting.delete(follower);
    if (this.#byName.get(follower.name) === follower) this.#byName.delete(follower.name);
    if (error !== undefined) this.#observeRefusal(error.code);
  }

  /** Replaces an earlier subscription of the topic, of which nothing follows. */
  subscribe(n: number, name: string, asked: Position | undefined): void {
    const { hub } = this.#link.engine;
    this.unsubscribe(name);
    const found = hub.find(name);
    if (found === undefined) return this.refuse(n, name, 'NOT_FOUND', 'no topic has this name');
    const most = this.#most;
    if (this.#byName.size >= most) return this.refuse(n, name, 'RATE_LIMITED', `more than ${most} subscriptions`);
    const follower = new Follower(n, found, this);
    this.#byName.set(name, follower);
    this.#authorize(follower, () => hub.join(follower, asked));
  }

  unsubscribe(name: string): void {
    this.#byName.get(name)?.end();
  }

  /** Ends what there is of a topic; what waits of it is not handed over. */
  revoke(name: string, error: WireError): void {
    const follower = this.#byName.get(name);
    if (follower !== undefined) this.#end(follower, error);
  }

  /**
   * Of one that was told something already more may wait for its socket: then that goes, and all that waits with it. Its
   * client comes back, and goes on from where it is with what it still may have.
   */
  #end(follower: Follower, error: WireError): void {
    const mayWait = follower.generation > 0 && this.#link.isHolding;
    follower.end(error);
    if (mayWait) this.#link.cutOff(REVOKED, 'what waited may not be delivered any more');
  }

  refuse(n: number, name: string, code: string, message: string): void {
    this.tell(encodeUnsubscribed(n, name, { code, message }));
    this.#observeRefusal(code);
  }

  /**
   * Other credentials are in force, or something has changed: asks again for each, which may have to wait for the answer.
   * @param after - When to ask. @default at once
   */
  authorizeAgain(mustWait: boolean, after?: Promise<void>): void {
    const { waiting } = this.#client;
    for (const follower of [...this.#byName.values()]) {
      // One that waits will be asked for with what is in force then.
      if (waiting.has(follower)) continue;
      if (mustWait) follower.question();
      const ask = (): void => this.#authorize(follower, () => mustWait && follower.answered());
      if (after === undefined) ask();
      else void after.then(() => follower.ended || ask());
    }
  }

  /** There may be room again: those left out go on. */
  resume(): void {
    this.#inVain.clear();
    this.#goOn();
  }

  #goOn(): void {
    for (const follower of [...this.#behind]) {
      if (this.congested) return;
      if (follower.isQuestioned || this.#inVain.has(follower)) continue;
      this.#behind.delete(follower);
      follower.resume();
    }
  }

  #forgetBegun(): void {
    for (const follower of this.#beginning) if (follower.state !== 'waiting') this.#beginning.delete(follower);
  }

  close(): void {
    for (const follower of [...this.#byName.values()]) follower.end();
  }

  get #mayAsk(): boolean {
    return this.#client.reads < 2 * this.#most;
  }

  #letNextAsk(): void {
    const { waiting } = this.#client;
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
  #authorize(follower: Follower, allowed: () => unknown): void {
    const { hub, report } = this.#link.engine;
    const { found } = follower;
    if (!this.#mayAsk) {
      this.#client.waiting.set(follower, () => this.#authorize(follower, allowed));
      return;
    }
    this.hold();
    void whenReady(
      () => hub.authorize(found, this.#peer.context, 'subscribe'),
      (answer) => {
        this.release();
        if (follower.ended) return;
        // Anything but `true` refuses: a forgotten return must not let anyone in.
        if (answer === true) allowed();
        else this.#end(follower, { code: 'FORBIDDEN', message: 'not allowed to subscribe to this topic' });
      },
      (error) => {
        this.release();
        const refusal = refusalOf(error);
        if (refusal === undefined) report(error, { during: 'authorize', path: found.bound.topic.path });
        if (refusal === undefined) follower.end({ code: 'INTERNAL', message: 'the server failed' });
        else this.#end(follower, refusal);
      },
    );
  }
  #observeRefusal(code: string): void {
    this.#link.engine.observer?.tell({ type: 'refused', code });
  }
}
