import type { Lane, SendQueue } from '../primitives/send-queue.ts';
import { FrameBatch } from '../protocol/frame-batch.ts';
import type { LinkState } from './link-state.ts';

/** Something that waits to be written. What is written is decided when it is its turn. */
export interface Outbound {
  readonly bytes: number;
  /** It needs one of the slots for calls that the server grants. */
  readonly takesSlot: boolean;
  /** It changes nothing at the server, so it may go with the greeting, before the server has answered. */
  readonly rides: boolean;
  /** The message; `undefined` when there is nothing to say any more. */
  write(link: LinkState): string | undefined;
  /** The message does not fit into a frame. */
  tooLarge?(frameBytes: number): void;
}

/** Bytes that may follow the greeting before the server has answered, the greeting's own frame not counted. */
const RIDING_BYTES = 60 * 1024;

/** Where the outbox takes calls from that were sent before and must be written again first. */
export interface Resends {
  readonly next: () => Outbound | undefined;
  readonly take: () => void;
}

/** Everything that waits for the socket, and the one place that writes it: a microtask after the first enqueue, never a timer. */
export class Outbox {
  readonly #queue: SendQueue<Outbound>;
  readonly #resends: Resends;
  #link: LinkState | undefined;
  #scheduled = false;

  constructor(queue: SendQueue<Outbound>, resends: Resends) {
    this.#queue = queue;
    this.#resends = resends;
  }

  /** There is a socket that was welcomed: what is entered is written at once, slots permitting. */
  get isOpen(): boolean {
    return this.#link?.welcome !== undefined;
  }

  /** Messages and bytes that wait. */
  get queued(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#queue.messages, bytes: this.#queue.bytes };
  }

  /** Enters a message; the answer of the queue tells whether it was taken, and which bound it hit. */
  push(lane: Lane, entry: Outbound): ReturnType<SendQueue<Outbound>['push']> {
    const result = this.#queue.push(lane, entry);
    if (result.accepted) this.schedule();
    return result;
  }

  remove(entry: Outbound): boolean {
    return this.#queue.remove(entry);
  }

  /** Takes out everything that waits. */
  clear(): readonly Outbound[] {
    return this.#queue.clear();
  }

  /** From now on, this socket is written to. */
  attach(link: LinkState): void {
    this.#link = link;
    this.flush();
  }

  detach(): void {
    this.#link = undefined;
  }

  schedule(): void {
    if (this.#scheduled || this.#link === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Writes all that may go: control, then what was sent before, then the queue, while there are slots. */
  flush(): void {
    const link = this.#link;
    if (link?.welcome === undefined) return;
    const batch = this.#batch(link);
    for (;;) {
      const control = this.#queue.peek('control');
      const resend = control === undefined ? this.#resends.next() : undefined;
      const entry = control ?? resend ?? this.#queue.next();
      if (entry === undefined || (entry.takesSlot && !link.hasFreeSlot)) break;
      if (resend === undefined) this.#queue.take();
      else this.#resends.take();
      this.#write(entry, link, batch);
    }
    batch.flush();
  }

  /**
   * Writes what may go before the server has answered: queries that were sent before, then the head of the queue
   * as far as nothing in it acts. What acts is never overtaken.
   */
  ride(link: LinkState, queries: Iterable<Outbound>, subscriptionBytes: number): void {
    const batch = this.#batch(link);
    let left = RIDING_BYTES - subscriptionBytes;
    const fits = (entry: Outbound): boolean => {
      // Twice: the escapes of a name, the headers and the id come on top of the payload.
      left -= entry.bytes + 1024;
      return left >= 0 && entry.bytes + 2048 < link.frameBytes && (!entry.takesSlot || link.hasFreeSlot);
    };
    for (const query of queries) if (fits(query)) this.#write(query, link, batch);
    for (let entry = this.#queue.peek('ordered'); entry?.rides && fits(entry); entry = this.#queue.peek('ordered')) {
      this.#queue.remove(entry);
      this.#write(entry, link, batch);
    }
    batch.flush();
  }

  #batch(link: LinkState): FrameBatch {
    return new FrameBatch((frame) => link.link.send(frame), link.frameBytes);
  }

  #write(entry: Outbound, link: LinkState, batch: FrameBatch): void {
    const message = entry.write(link);
    if (message === undefined) return;
    if (!batch.add(message, entry.takesSlot ? 'call' : 'bulk')) entry.tooLarge?.(link.frameBytes);
  }
}
