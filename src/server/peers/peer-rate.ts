import { TokenBucket } from '../../primitives/token-bucket.ts';
import { encodeError, encodeUnsubscribed } from '../../protocol/encode.ts';
import type { ClientMessage, WireError } from '../../protocol/messages.ts';
import type { ResolvedLimits } from '../app/server-options.ts';
import type { Client } from '../clients/client.ts';
import type { Delivery } from '../outbound/frame-writer.ts';

const CODE = 'RATE_LIMITED';
/** So many ids are looked at in the time that one small message takes. */
const IDS_PER_MESSAGE = 128;

/** The peer of a {@link PeerRate}. */
export interface RatedPeer {
  /** Something is remembered of an id of it: then it can't be told that nothing was done. */
  readonly client: Client;
  /** The earlier subscription of a topic is over, whatever becomes of the new one. */
  unsubscribe(topic: string): void;
  refuse(message: string, code: string, delivery: Delivery): void;
  /** It takes no notice of refusals. */
  flooded(reason: string): void;
}

/**
 * How many messages one socket may send: each counts, whatever it is, but a `more` that takes items: the server paces
 * those by what it sends. Above the rate, what has an id or a number is refused by it and lossy publishes are dropped;
 * what has none is cheap and goes on. Who takes no notice, and owes a whole burst, is closed.
 */
export class PeerRate {
  readonly #limits: ResolvedLimits;
  readonly #peer: RatedPeer;
  readonly #bucket: TokenBucket;

  constructor(limits: ResolvedLimits, peer: RatedPeer) {
    const { messageBurst: capacity, messagesPerSecond: perSecond } = limits;
    this.#limits = limits;
    this.#peer = peer;
    this.#bucket = new TokenBucket({ capacity, perSecond }, performance.now());
  }

  /** Counts one message, or more, and closes the socket at a flood. `true` when it is within the rate. */
  count(now: number, messages = 1): boolean {
    const left = this.#bucket.take(now, messages);
    if (left >= 0) return true;
    if (left < -this.#limits.messageBurst) this.#peer.flooded(this.#problem);
    return false;
  }

  /** Counts a message; `false` when it must not be carried out: then its sender was told, where it can be. */
  admits(message: ClientMessage, now: number): boolean {
    if (message[0] === 'more' && this.#takesItems(message[1], message[2])) return true;
    return this.count(now) || this.#admitsAboveRate(message);
  }

  /** A message made the server look at so many ids: that is work as of some messages more. */
  worked(ids: number, now: number): void {
    if (ids >= IDS_PER_MESSAGE) this.count(now, Math.floor(ids / IDS_PER_MESSAGE));
  }

  #admitsAboveRate(message: ClientMessage): boolean {
    switch (message[0]) {
      case 'call':
      case 'open':
      case 'publish':
        if (message[1] === 0) return false;
        if (this.#peer.client.calls.knows(message[1])) return true;
        return this.#refuse(encodeError(message[1], this.#error, ''));
      case 'auth':
        return this.#refuse(encodeError(message[1], this.#error, ''));
      case 'subscribe': {
        const [, n, topic] = message;
        this.#peer.unsubscribe(topic);
        return this.#refuse(encodeUnsubscribed(n, topic, this.#error), 'ordered answer');
      }
      default:
        return true;
    }
  }

  /** Items of this stream were sent, and are said to be taken for the first time. */
  #takesItems(id: number, after: number): boolean {
    return this.#peer.client.streams.get(id)?.hasUntaken(after) === true;
  }

  #refuse(message: string, delivery: Delivery = 'answer'): false {
    this.#peer.refuse(message, CODE, delivery);
    return false;
  }

  get #error(): WireError {
    return { code: CODE, message: this.#problem, retryAfterMs: this.#bucket.waitMs };
  }

  get #problem(): string {
    return `more than ${this.#limits.messagesPerSecond} messages a second`;
  }
}
