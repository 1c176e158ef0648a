import { TokenBucket } from '../../primitives/token-bucket.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { encodeError, encodeUnsubscribed } from '../../protocol/encode.ts';
import type { ClientMessage, WireError } from '../../protocol/messages.ts';
import type { ResolvedLimits } from '../app/server-options.ts';

const CODE = 'RATE_LIMITED';

/** Options of a {@link PeerRate}. */
export interface PeerRateOptions {
  readonly limits: ResolvedLimits;
  /** Something is remembered of this id: it can't be told that nothing was done. */
  readonly isKnown: (id: number) => boolean;
  /** Items of this stream were sent, and are said to be taken for the first time. */
  readonly takesItems: (id: number, after: number) => boolean;
  /** The earlier subscription of a topic is over, whatever becomes of the new one. */
  readonly unsubscribe: (topic: string) => void;
  readonly refuse: (message: string, code: string) => void;
  readonly close: (code: number, reason: string) => void;
}

/**
 * How many messages one socket may send: each counts, whatever it is, but a `more` that takes items: the server paces
 * those by what it sends. Above the rate, what has an id or a number is refused by it and lossy publishes are dropped;
 * what has none is cheap and goes on. Who takes no notice, and owes a whole burst, is closed.
 */
export class PeerRate {
  readonly #options: PeerRateOptions;
  readonly #bucket: TokenBucket;

  constructor(options: PeerRateOptions) {
    const { messageBurst: capacity, messagesPerSecond: perSecond } = options.limits;
    this.#options = options;
    this.#bucket = new TokenBucket({ capacity, perSecond }, Date.now());
  }

  /** Counts one message, and closes the socket at a flood. `true` when it is within the rate. */
  count(): boolean {
    const { limits, close } = this.#options;
    const left = this.#bucket.take(Date.now());
    if (left < -limits.messageBurst) close(CloseCode.TOO_MANY, this.#problem);
    return left >= 0;
  }

  /** Counts a message; `false` when it must not be carried out: then its sender was told, where it can be. */
  admits(message: ClientMessage): boolean {
    const { isKnown, takesItems } = this.#options;
    if (message[0] === 'more' && takesItems(message[1], message[2])) return true;
    if (this.count()) return true;
    switch (message[0]) {
      case 'call':
      case 'open':
      case 'publish':
        if (message[1] === 0) return false;
        if (isKnown(message[1])) return true;
        return this.#refuse(encodeError(message[1], this.#error, ''));
      case 'auth':
        return this.#refuse(encodeError(message[1], this.#error, ''));
      case 'subscribe': {
        const [, n, topic] = message;
        this.#options.unsubscribe(topic);
        return this.#refuse(encodeUnsubscribed(n, topic, this.#error));
      }
      default:
        return true;
    }
  }

  #refuse(message: string): false {
    this.#options.refuse(message, CODE);
    return false;
  }

  get #error(): WireError {
    return { code: CODE, message: this.#problem, retryAfterMs: this.#bucket.waitMs };
  }

  get #problem(): string {
    return `more than ${this.#options.limits.messagesPerSecond} messages a second`;
  }
}
