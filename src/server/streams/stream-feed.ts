import type { AnswerSocket } from '../calls/known-call.ts';
import { LARGE, type LargeMessages } from '../outbound/large-messages.ts';
import type { ItemSocket, ServerStream } from './server-stream.ts';

/** The socket of a {@link StreamFeed}. */
export interface FeedLink {
  push(message: string): void;
  /** What settles a stream, in its place between what is pushed. */
  settle(message: string): void;
  readonly large: LargeMessages;
  /** So much is on its way that items have to wait. */
  readonly isCongested: boolean;
  /** One of its items can't be told. */
  lose(stream: ServerStream): void;
  /** Items wait: {@link StreamFeed.pump} is wanted when there is room. */
  fellBehind(feed: StreamFeed): void;
  /** Nothing more comes of it: its slot is free. */
  ended(feed: StreamFeed): void;
}

/** One stream on one socket on which it was opened: writes its items in their order, and its end behind them. */
export class StreamFeed implements AnswerSocket, ItemSocket {
  readonly id: number;
  readonly #link: FeedLink;
  #stream: ServerStream | undefined;
  #sent = 0;
  #end: string | undefined;

  constructor(id: number, link: FeedLink) {
    this.id = id;
    this.#link = link;
  }

  /** Gives what is made from now on, and with {@link pump} what there is. */
  follow(stream: ServerStream): void {
    this.#stream = stream;
    stream.join(this);
  }

  /** The end, which comes when the items before it are written. */
  answer(_id: number, message: string): void {
    this.#end = message;
    this.pump();
  }

  release(): void {
    this.#finish(undefined);
  }

  dropped(message: string | undefined): void {
    this.#finish(message);
  }

  itemAdded(): void {
    this.pump();
  }

  /** Writes what there is room for. */
  pump(): void {
    const stream = this.#stream;
    if (stream !== undefined) {
      this.#sent = Math.max(this.#sent, stream.acknowledged);
      while (this.#sent < stream.last) {
        if (this.#link.isCongested) return this.#link.fellBehind(this);
        const { length } = stream.item(this.#sent + 1);
        const key = length > LARGE ? `${this.id}.${this.#sent + 1}` : undefined;
        const may = key === undefined ? 'now' : this.#link.large.may(key);
        if (may === 'never') return this.#link.lose(stream);
        if (may === 'later') return this.#link.fellBehind(this);
        this.#link.push(stream.write(++this.#sent));
        if (key !== undefined) this.#link.large.wrote(key, length);
      }
    }
    if (this.#end !== undefined) this.#finish(this.#end);
  }

  /** The socket is gone, or silent from now on. */
  close(): void {
    this.#stream?.leave(this);
    this.#stream?.call.removeSocket(this);
  }

  #finish(message: string | undefined): void {
    this.close();
    this.#link.ended(this);
    if (message !== undefined) this.#link.settle(message);
  }
}
