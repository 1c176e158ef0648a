import { encodeItem } from '../../protocol/encode.ts';
import type { Kept, KnownCall } from '../calls/known-call.ts';
import { Backpressure } from './backpressure.ts';

/** A socket on which a stream was opened, as the stream sees it. */
export interface ItemSocket {
  /** There is another item to write. */
  itemAdded(): void;
  /** What was not yet written is gone: ends with the message, or silently where nobody can be waiting. */
  dropped(message: string | undefined): void;
}

/** What the streams of one client share, as each of them sees it. */
export interface StreamHome {
  /** Items may be made ahead: those that no socket had room for don't take too many bytes. */
  readonly hasRoom: boolean;
  /** Bytes of items came or went. */
  count(delta: number): void;
  /** Bytes of items that wait for a socket came or went. */
  countWaiting(delta: number): void;
  remove(stream: ServerStream): void;
}

/**
 * One stream in the memory of its client, over many sockets: the items that its consumer has not taken yet, and how
 * many it wants (PROTOCOL.md, `open` and `more`). Its end is the answer of its call.
 */
export class ServerStream implements Kept {
  readonly call: KnownCall;
  readonly #home: StreamHome;
  readonly #backpressure: Backpressure;
  /** Where it was opened: on one socket as a rule. */
  readonly #sockets: ItemSocket[] = [];
  /** Messages of the last items, lowest first: those that are not acknowledged, or fewer where memory was short. */
  #items: string[] = [];
  #last = 0;
  /** The last item that was written to a socket, and the bytes of those after it while the stream runs. */
  #written = 0;
  #waitingBytes = 0;

  /** Keeps at most so many items, whatever the client asks for. */
  constructor(call: KnownCall, home: StreamHome, most: number) {
    this.call = call;
    this.#home = home;
    this.#backpressure = new Backpressure(most);
    call.kept = this;
    call.onEnd(() => this.#ended());
  }

  /** Number of the last item that was made, 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Number of the last item that the consumer has taken, 0 before the first. */
  get acknowledged(): number {
    return this.#backpressure.acknowledged;
  }

  /** Some of the items through `after` were written, and not said to be taken before. */
  hasUntaken(after: number): boolean {
    return Math.min(after, this.#written) > this.acknowledged;
  }

  /** All items that the consumer has not taken are still here. */
  get isWhole(): boolean {
    return this.acknowledged >= this.#gone;
  }

  /** Writes to this socket what its consumer has not taken, and what is made from now on. */
  join(socket: ItemSocket): void {
    this.#sockets.push(socket);
    // What was written to a socket before waits again: until this one has it, it can't be done without.
    let bytes = 0;
    for (const message of this.#items.slice(0, Math.max(0, this.#written - this.#gone))) bytes += message.length;
    this.#written = this.#gone;
    if (!this.call.settled) this.#countWaiting(bytes);
  }

  leave(socket: ItemSocket): void {
    const index = this.#sockets.indexOf(socket);
    if (index >= 0) this.#sockets.splice(index, 1);
  }

  /** The message of an item. */
  item(seq: number): string {
    return this.#items[seq - this.#gone - 1]!;
  }

  /** The message of an item, which is written now. */
  write(seq: number): string {
    const message = this.item(seq);
    if (seq > this.#written) {
      this.#written = seq;
      if (!this.call.settled) this.#countWaiting(-message.length);
      this.look();
    }
    return message;
  }

  /** The consumer took the items through `after`, and wants those through `upTo`. The highest that was heard counts. */
  more(after: number, upTo: number): void {
    this.#backpressure.more(Math.min(after, this.#last), upTo);
    this.#forget(this.acknowledged);
    this.look();
  }

  /** Whether another item is to be made: now, or when there is room for it; `false` when nobody wants one any more. */
  room(): boolean | Promise<boolean> {
    if (this.call.settled) return false;
    return this.#hasRoom || this.#backpressure.wait();
  }

  /** There may be room. */
  look(): void {
    if (!this.#backpressure.isWaiting || !(this.call.settled || this.#hasRoom)) return;
    this.#backpressure.wake(!this.call.settled);
  }

  /** The next item, encoded. */
  push(payload: string): void {
    if (this.call.settled) return;
    const message = encodeItem(this.call.id, ++this.#last, payload);
    this.#items.push(message);
    this.#countWaiting(message.length);
    for (const socket of this.#sockets) socket.itemAdded();
    // Last: where it is too much, the client itself may be forgotten.
    this.#count(message.length);
  }

  /** What was written once is needed only to take it up again. */
  shrink(): void {
    this.#forget(this.#written);
  }

  drop(message: string | undefined): void {
    this.#forget(this.#last);
    this.#home.remove(this);
    for (const socket of [...this.#sockets]) socket.dropped(message);
  }

  /** The last item that is not here any more. */
  get #gone(): number {
    return this.#last - this.#items.length;
  }

  /** One item may always wait: however large those of other streams are, this one goes on. */
  get #hasRoom(): boolean {
    return this.#backpressure.lets(this.#last) && (this.#written >= this.#last || this.#home.hasRoom);
  }

  #forget(through: number): void {
    let bytes = 0;
    for (const message of this.#items.splice(0, Math.max(0, through - this.#gone))) bytes += message.length;
    if (bytes > 0) this.#count(-bytes);
  }

  #ended(): void {
    this.#countWaiting(-this.#waitingBytes);
    this.look();
  }

  #count(delta: number): void {
    this.#home.count(delta);
  }

  #countWaiting(delta: number): void {
    this.#waitingBytes += delta;
    this.#home.countWaiting(delta);
  }
}
