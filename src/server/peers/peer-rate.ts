import type { Deadlines } from '../../primitives/deadlines.ts';
import { encodeError, encodeUnsubscribed } from '../../protocol/encode.ts';
import type { ClientMessage, WireError } from '../../protocol/messages.ts';
import { reconnectMessages } from '../app/server-options.ts';
import type { ResolvedLimits } from '../app/server-options.ts';
import type { Client } from '../clients/client.ts';
import type { Delivery } from '../outbound/frame-writer.ts';
import { HeldMessages } from './held-messages.ts';
import type { FrameArrival } from './held-messages.ts';

const CODE = 'RATE_LIMITED';
/** So many ids are looked at in the time that one small message takes. */
const IDS_PER_MESSAGE = 128;

/** The peer of a {@link PeerRate}. */
export interface RatedPeer {
  /** Its sockets share one rate. Of an id that it remembers it can't be told that nothing was done. */
  readonly client: Client;
  /** The earlier subscription of a topic is over, whatever becomes of the new one. */
  unsubscribe(topic: string): void;
  refuse(message: string, code: string, delivery: Delivery): void;
  /** The time of a message that had to wait has come. */
  takeHeld(message: ClientMessage, frame: FrameArrival): void;
  /** It takes no notice of refusals. */
  flooded(reason: string): void;
}

/**
 * How many messages one client may send: each counts, whatever it is, but a `more` that takes items: the server paces
 * those by what it sends. Above the rate, what keeps its order waits for its time: who has only so many calls under way
 * becomes slower by itself. Of more than that, what has an id or a number is refused by it. Lossy publishes are dropped,
 * and what has no order is cheap and goes on. Who takes no notice, and owes a whole burst, is closed.
 */
export class PeerRate {
  readonly #limits: ResolvedLimits;
  readonly #peer: RatedPeer;
  readonly #held: HeldMessages;

  constructor(limits: ResolvedLimits, deadlines: Deadlines, peer: RatedPeer) {
    this.#limits = limits;
    this.#peer = peer;
    this.#held = new HeldMessages(deadlines, reconnectMessages(limits), (message, frame) =>
      peer.takeHeld(message, frame),
    );
  }

  /** Counts one message, or more, and closes the socket at a flood. `true` when it is within the rate. */
  count(now: number, messages = 1): boolean {
    const left = this.#peer.client.rate.take(now, messages);
    if (left >= 0) return true;
    if (left < -this.#limits.messageBurst) this.#peer.flooded(this.#problem);
    return false;
  }

  /** Counts a message; `false` when it must not be carried out now: it waits, or its sender was told, where it can be. */
  admits(message: ClientMessage, frame: FrameArrival): boolean {
    const { at } = frame;
    if (message[0] === 'more' && this.#takesItems(message[1], message[2])) return true;
    const isWithin = this.count(at);
    if (isWithin && this.#held.isEmpty) return true;
    if (message[0] === 'cancel') return !this.#cancel(message[1]);
    if (message[0] === 'publish' && message[1] === 0) return false;
    if (this.#mayOvertake(message)) return true;
    const dueAt = isWithin ? at : at + this.#peer.client.rate.waitMs;
    return !this.#held.push(message, frame, dueAt) && this.#refuse(message);
  }

  /** A message made the server look at so many ids: that is work as of some messages more. */
  worked(ids: number, now: number): void {
    if (ids >= IDS_PER_MESSAGE) this.count(now, Math.floor(ids / IDS_PER_MESSAGE));
  }

  close(): void {
    this.#held.close();
  }

  /** What is known already begins nothing. */
  #mayOvertake(message: ClientMessage): boolean {
    switch (message[0]) {
      case 'call':
      case 'open':
      case 'publish':
        return this.#peer.client.calls.knows(message[1]);
      case 'unsubscribe':
        return this.#held.isEmpty;
      default:
        return message[0] !== 'auth' && message[0] !== 'subscribe';
    }
  }

  #cancel(id: number): boolean {
    if (!this.#held.cancel(id)) return false;
    this.#peer.refuse(encodeError(id, { code: 'ABORTED', message: 'the call was cancelled' }, ''), 'ABORTED', 'answer');
    return true;
  }

  /** There is no room for it: tells its sender, where it can be told. `true` for what is carried out all the same. */
  #refuse(message: ClientMessage): boolean {
    const error: WireError = { code: CODE, message: this.#problem, retryAfterMs: this.#peer.client.rate.waitMs };
    switch (message[0]) {
      case 'call':
      case 'open':
      case 'publish':
      case 'auth':
        this.#peer.refuse(encodeError(message[1], error, ''), CODE, 'answer');
        return false;
      case 'subscribe': {
        const [, n, topic] = message;
        this.#peer.unsubscribe(topic);
        this.#peer.refuse(encodeUnsubscribed(n, topic, error), CODE, 'ordered answer');
        return false;
      }
      default:
        return true;
    }
  }

  /** Items of this stream were sent, and are said to be taken for the first time. */
  #takesItems(id: number, after: number): boolean {
    return this.#peer.client.streams.get(id)?.hasUntaken(after) === true;
  }

  get #problem(): string {
    return `more than ${this.#limits.messagesPerSecond} messages a second`;
  }
}
