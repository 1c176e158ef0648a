import { encodeItem } from '../protocol/encode.ts';
import type { Call, Kept } from './call-store.ts';

/** A socket on which a stream was opened, as the stream sees it. */
export interface ItemSocket {
  /** There is another item to write. */
  itemAdded(): void;
  /** What was not yet written is gone: ends with the message, or silently where nobody can be waiting. */
  dropped(message: string | undefined): void;
}

/** What the streams of one client share, as each of them sees it. */
export interface StreamHome {
  /** Items may be made ahead: those of all streams that run don't take too many bytes. */
  readonly hasRoom: boolean;
  /** Bytes of items of a stream that runs came or went. */
  count(delta: number): void;
  /** Bytes of items of a stream that has ended came or went. */
  countEnded(delta: number): void;
  remove(stream: ServerStream): void;
}

/**
 * One stream in the memory of its client, over many sockets: the items that its consumer has not taken yet, and how
 * many it wants (PROTOCOL.md, `open` and `more`). Its end is the answer of its call.
 */
export class ServerStream implements Kept {
  readonly call: Call;
  readonly #home: StreamHome;
  readonly #most: number;
  readonly #sockets = new Set<ItemSocket>();
  /** Messages of the items that are not acknowledged, lowest first. */
  #items: string[] = [];
  #bytes = 0;
  #last = 0;
  #upTo = 0;
  #running = true;
  #wake: ((goOn: boolean) => void) | undefined;

  /** Keeps at most so many items, whatever the client asks for. */
  constructor(call: Call, home: StreamHome, most: number) {
    this.call = call;
    this.#home = home;
    this.#most = most;
    call.kept = this;
    call.onEnd(() => this.#ended());
  }

  /** Number of the last item that was made, 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Number of the last item that the consumer has taken, 0 before the first. */
  get acknowledged(): number {
    return this.#last - this.#items.length;
  }

  /** The message of an item that is made and not acknowledged. */
  item(seq: number): string {
    return this.#items[seq - this.acknowledged - 1]!;
  }

  /** Writes what is made from now on to this socket too. */
  join(socket: ItemSocket): void {
    this.#sockets.add(socket);
  }

  leave(socket: ItemSocket): void {
    this.#sockets.delete(socket);
  }

  /** The consumer took the items through `after`, and wants those through `upTo`. The highest that was heard counts. */
  more(after: number, upTo: number): void {
    const taken = after - this.acknowledged;
    this.#upTo = Math.max(this.#upTo, upTo);
    if (taken > 0) this.#count(-lengthOf(this.#items.splice(0, taken)));
    this.look();
  }

  /** Whether another item is to be made: now, or when there is room for it; `false` when nobody wants one any more. */
  room(): boolean | Promise<boolean> {
    if (this.call.settled) return false;
    if (this.#hasRoom) return true;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** There may be room. */
  look(): void {
    const wake = this.#wake;
    if (wake === undefined || !(this.call.settled || this.#hasRoom)) return;
    this.#wake = undefined;
    wake(!this.call.settled);
  }

  /** The next item, encoded. */
  push(payload: string): void {
    if (this.call.settled) return;
    const message = encodeItem(this.call.id, ++this.#last, payload);
    this.#items.push(message);
    for (const socket of this.#sockets) socket.itemAdded();
    // Last: where it is too much, the client itself may be forgotten.
    this.#count(message.length);
  }

  drop(message: string | undefined): void {
    this.#items = [];
    this.#count(-this.#bytes);
    this.#home.remove(this);
    for (const socket of [...this.#sockets]) socket.dropped(message);
  }

  /** One item may always be made: however large those of other streams are, this one goes on. */
  get #hasRoom(): boolean {
    const { length } = this.#items;
    return this.#last < this.#upTo && length < this.#most && (length === 0 || this.#home.hasRoom);
  }

  /** Its items are part of an answer now, and go when that goes. */
  #ended(): void {
    const bytes = this.#bytes;
    this.#count(-bytes);
    this.#running = false;
    this.#count(bytes);
    this.look();
  }

  #count(delta: number): void {
    if (delta === 0) return;
    this.#bytes += delta;
    if (this.#running) this.#home.count(delta);
    else this.#home.countEnded(delta);
  }
}

function lengthOf(messages: readonly string[]): number {
  let length = 0;
  for (const message of messages) length += message.length;
  return length;
}
