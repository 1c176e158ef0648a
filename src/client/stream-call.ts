import type { AnySchema } from '../contract/schema.ts';
import { isTautlineError, type TautlineError } from '../errors.ts';
import type { Codec } from '../payload.ts';
import { ItemQueue } from '../primitives/item-queue.ts';
import { SerialQueue } from '../primitives/serial-queue.ts';
import { encodeMore, encodeOpen } from '../protocol/encode.ts';
import type { WireError } from '../protocol/messages.ts';
import { utf8Length } from '../protocol/utf8.ts';
import type { Call, CallRequest } from './call.ts';
import type { CallHeaders } from './call-headers.ts';
import type { ItemStream } from './item-stream.ts';
import type { LinkState } from './link-state.ts';
import type { Outbound } from './outbox.ts';
import { readPayload } from './payload-reader.ts';

/** So many items may be on their way or wait to be read; fewer where the server allows less. */
const WINDOW_ITEMS = 32;

/** What a stream asks, and how it is sent. */
export interface StreamParts {
  /** Contract path. */
  readonly path: string;
  readonly payload: string;
  readonly codec: Codec;
  /** Schema of one item. */
  readonly item: AnySchema | undefined;
  readonly signal: AbortSignal | undefined;
  readonly headers: CallHeaders;
  readonly readError: (error: WireError, json: unknown, meta: unknown) => TautlineError | Promise<TautlineError>;
  /** Sends it; gives the call, unless it was refused. */
  readonly send: (
    request: CallRequest,
    resolve: () => void,
    reject: (error: TautlineError) => void,
  ) => Call | undefined;
}

/**
 * One run of a stream, from the first question for an item. The call on the wire lives from `open` to the server's last
 * word; items that are here by then are still to be read. As an entry of the outbox it is its `more`.
 */
export class StreamCall implements ItemStream<unknown>, Outbound {
  readonly bytes = 48;
  readonly takesSlot = false;
  readonly rides = false;
  error: TautlineError | undefined;

  readonly #parts: StreamParts;
  /** Items in order, also where their schema is asynchronous, and the end behind them. */
  readonly #reads = new SerialQueue();
  readonly #items: ItemQueue<unknown>;
  #call: Call | undefined;
  #isOpen = false;
  #listensTo: AbortSignal | undefined;
  /** Number of the last item that came. */
  #received = 0;
  /** Items that reached the reader, and those of them that the server was told of. */
  #taken = 0;
  #told = 0;
  /** The server was asked for items up to this one. */
  #upTo = 0;
  #window = WINDOW_ITEMS;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#items = new ItemQueue({
      taken: () => {
        this.#taken++;
        // At half the window, so that the server need not pause for a reader that keeps up.
        if (this.#taken - this.#told >= this.#window / 2) this.#call?.tell(this);
      },
      finished: () => {
        this.#listensTo?.removeEventListener('abort', this.#onAbort);
      },
    });
  }

  next(): Promise<IteratorResult<unknown, void>> {
    const item = this.#items.next();
    this.open();
    return item;
  }

  return(): Promise<IteratorResult<unknown, void>> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error?: unknown): Promise<IteratorResult<unknown, void>> {
    this.#leave();
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the caller gave, as a generator does
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Has it sent, once. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { path, payload, headers, signal, readError } = this.#parts;
    const request: CallRequest = {
      path,
      acts: true,
      idempotent: false,
      bytes: utf8Length(payload) + headers.bytes,
      write: (id, leftMs, link) => this.#writeOpen(id, leftMs, link),
      readReply: () => this.#afterItems(() => undefined),
      readError: (error, json, meta) => this.#afterItems(() => readError(error, json, meta)),
      readItem: (seq, json, meta) => {
        this.#take(seq, json, meta);
      },
    };
    try {
      signal?.addEventListener('abort', this.#onAbort);
      this.#listensTo = signal;
      this.#call = this.#parts.send(
        request,
        () => {
          this.#items.end();
        },
        this.#failed,
      );
    } catch (error) {
      this.#items.fail(error); // of the options, or what could not be encoded
    }
  }

  /** Its `more`. */
  write(link: LinkState): string | undefined {
    const call = this.#call;
    if (call?.on !== link) return undefined;
    this.#told = this.#taken;
    this.#upTo = Math.max(this.#upTo, this.#taken + this.#window);
    return encodeMore(call.id, this.#told, this.#upTo);
  }

  #writeOpen(id: number, leftMs: number, link: LinkState): string {
    const { path, payload, headers } = this.#parts;
    this.#window = Math.min(WINDOW_ITEMS, link.welcome?.limits.items ?? WINDOW_ITEMS);
    this.#told = this.#taken;
    this.#upTo = Math.max(this.#upTo, this.#taken + this.#window);
    return encodeOpen(id, path, headers.at(leftMs), this.#received, this.#upTo, payload);
  }

  #take(seq: number, json: unknown, meta: unknown): void {
    if (seq <= this.#received) return; // sent again after a lost socket
    const call = this.#call!;
    const refuse = (error: unknown): void => {
      call.abandon(
        isTautlineError(error) ? error : call.failure('BAD_OUTPUT', 'an item could not be read', { cause: error }),
      );
    };
    if (seq > this.#received + 1 || seq > this.#upTo) {
      const what = `item ${String(seq)} came after item ${String(this.#received)}, of ${String(this.#upTo)} asked for`;
      this.#reads.run(() => {
        refuse(call.failure('BAD_OUTPUT', what));
      });
      return;
    }
    this.#received = seq;
    const take = (item: unknown): void => {
      call.liftDeadline();
      this.#items.push(item);
    };
    this.#reads.run(() => {
      if (call.settled) return undefined;
      try {
        const { codec, item, path } = this.#parts;
        const value = readPayload(codec, item, path, json, meta);
        if (value instanceof Promise) return value.then(take).catch(refuse);
        take(value);
      } catch (error) {
        refuse(error);
      }
      return undefined;
    });
  }

  /** The server's last word is read when the items before it are. */
  #afterItems<Answer>(read: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
    if (this.#reads.isIdle) return read();
    return new Promise<void>((resolve) => {
      this.#reads.run(resolve);
    }).then(read);
  }

  #leave(): void {
    this.#isOpen = true; // never to be opened
    this.#call?.leave();
    this.#items.discard();
  }

  readonly #failed = (error: TautlineError): void => {
    this.error = error;
    // What the caller gave up, and what belonged to another identity, is not shown any more.
    if (error.code === 'ABORTED' || error.code === 'UNAUTHENTICATED') this.#items.discard({ error });
    else this.#items.fail(error);
  };

  /** Also when the server has said its last word, as long as items wait to be read. */
  readonly #onAbort = (): void => {
    const call = this.#call;
    if (call?.settled !== true) return; // it listens itself
    this.#failed(call.failure('ABORTED', 'the caller aborted it', { cause: this.#parts.signal?.reason }));
  };
}
