import { offAbort, onAbort } from '../../primitives/abort-listeners.ts';
import type { AnySchema } from '../../contract/schema.ts';
import { DEVELOPMENT } from '../../development.ts';
import { isTautlineError, type TautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import { ItemQueue } from '../../primitives/item-queue.ts';
import type { Chain, Queued } from '../../primitives/send-queue.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeMore, encodeOpen } from '../../protocol/encode.ts';
import type { LinkState } from '../kernel/link-state.ts';
import { ANOTHER_IDENTITY } from '../kernel/refusal.ts';
import type { Outbound } from '../requests/outbound.ts';
import { readPayload } from '../requests/read-payload.ts';
import type { ItemStream } from './item-stream.ts';
import type { StreamReader, StreamRequest, StreamRequestParts } from './stream-request.ts';

/** So many items may be on their way or wait to be read, at first and at most; fewer where the server allows less. */
const WINDOW_ITEMS = 32;
const MOST_WINDOW_ITEMS = 256;

/** What a stream asks, and how it is sent. */
export interface StreamParts extends StreamRequestParts {
  readonly codec: Codec;
  /** Schema of one item. */
  readonly item: AnySchema | undefined;
  readonly signal: AbortSignal | undefined;
  /** Makes its request, and sends it. @throws what is wrong with the input or the options */
  readonly send: (stream: StreamCall, resolve: () => void, reject: (error: TautlineError) => void) => StreamRequest;
  /** See {@link Kernel.identities}. */
  readonly identities: () => number;
  /** Has a message written to the socket on which the request was sent, unless it waits already. */
  readonly say: (on: LinkState, message: Outbound) => void;
}

/**
 * One run of a stream, from the first question for an item. The request on the wire lives from `open` to the server's last
 * word; items that are here by then are still to be read. As an entry of the outbox it is its `more`.
 */
export class StreamCall implements ItemStream<unknown>, Outbound, StreamReader {
  lane: Chain | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  readonly bytes = 48;
  readonly takesSlot = false;
  readonly rides = false;
  error: TautlineError | undefined;

  readonly #parts: StreamParts;
  /** Items in order, also where their schema is asynchronous, and the end behind them. */
  readonly #reads = new SerialQueue();
  readonly #items: ItemQueue<unknown>;
  #request: StreamRequest | undefined;
  #isOpen = false;
  /** Whose it is. */
  #identity = 0;
  #listensTo: AbortSignal | undefined;
  /** Number of the last item that came. */
  #received = 0;
  /** Items that reached the reader, and those of them that the server was told of. */
  #taken = 0;
  #told = 0;
  /** The server was asked for items up to this one. */
  #upTo = 0;
  #window = WINDOW_ITEMS;
  #mostWindow = MOST_WINDOW_ITEMS;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#items = new ItemQueue({
      taken: () => {
        this.#taken++;
        // At half the window, so that the server need not pause for a reader that keeps up. What it was asked for on a
        // socket before may be more than it keeps on this one.
        const on = this.#request?.on;
        const mayCome = Math.min(this.#upTo, this.#told + this.#mostWindow);
        if (on !== undefined && mayCome - this.#taken <= this.#window / 2) this.#parts.say(on, this);
      },
      finished: () => offAbort(this.#listensTo, this),
    });
  }

  next(): Promise<IteratorResult<unknown, void>> {
    const request = this.#request;
    // One that is not settled was told; one that was read to its end has nothing to hide.
    if (request?.settled === true && !this.#items.isFinished && this.#identity !== this.#parts.identities())
      this.#failed(request.failure('UNAUTHENTICATED', ANOTHER_IDENTITY));
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
    const { signal, send, identities } = this.#parts;
    this.#identity = identities();
    try {
      onAbort(signal, this);
      this.#listensTo = signal;
      this.#request = send(this, () => this.#items.end(), this.#failed);
    } catch (error) {
      this.#items.fail(error); // of the options, or what could not be encoded
    }
  }

  /** Its `more`. */
  write(link: LinkState): string | undefined {
    const request = this.#request;
    if (request?.on !== link) return undefined;
    this.#ask();
    return encodeMore(request.id, this.#told, this.#upTo);
  }

  /** Its `open`: from the start, or behind the last item that came. */
  writeOpen(id: number, headers: string, payload: string, link: LinkState): string {
    this.#mostWindow = Math.min(MOST_WINDOW_ITEMS, link.welcome?.limits.items ?? WINDOW_ITEMS);
    this.#window = Math.min(WINDOW_ITEMS, this.#mostWindow);
    this.#ask();
    return encodeOpen(id, this.#parts.path, headers, this.#received, this.#upTo, payload);
  }

  /** An item came. */
  take(request: StreamRequest, seq: number, json: unknown, meta: unknown, isVetted: boolean): void {
    if (seq <= this.#received) return; // sent again after a lost socket
    const refuse = (error: unknown): void => {
      const what = DEVELOPMENT && 'an item could not be read';
      request.abandon(isTautlineError(error) ? error : request.failure('BAD_OUTPUT', what, { cause: error }));
    };
    if (seq > this.#received + 1 || seq > this.#upTo) {
      const what = DEVELOPMENT && `item ${seq} came after item ${this.#received}, of ${this.#upTo} asked for`;
      this.#reads.run(() => refuse(request.failure('BAD_OUTPUT', what)));
      return;
    }
    // The reader waits for it, and for those before it: what holds them up is the window. One that is slow never has more
    // than the first one allows.
    if (this.#told > 0 && this.#taken === this.#received) this.#window = Math.min(2 * this.#window, this.#mostWindow);
    this.#received = seq;
    if (this.#reads.isIdle) {
      const reading = this.#read(request, refuse, json, meta, isVetted);
      if (reading !== undefined) this.#reads.run(() => reading);
    } else this.#reads.run(() => this.#read(request, refuse, json, meta, isVetted));
  }

  /** The server's last word is read when the items before it are. */
  afterItems<Answer>(read: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
    if (this.#reads.isIdle) return read();
    return new Promise<void>((resolve) => this.#reads.run(resolve)).then(read);
  }

  #ask(): void {
    this.#told = this.#taken;
    this.#upTo = Math.max(this.#upTo, this.#taken + this.#window);
  }

  #read(
    request: StreamRequest,
    refuse: (error: unknown) => void,
    json: unknown,
    meta: unknown,
    isVetted: boolean,
  ): Promise<void> | undefined {
    if (request.settled) return undefined;
    const take = (item: unknown): void => {
      request.liftDeadline();
      this.#items.push(item);
    };
    try {
      const { codec, item, path } = this.#parts;
      const value = readPayload(codec, item, path, json, meta, isVetted);
      if (value instanceof Promise) return value.then(take).catch(refuse);
      take(value);
    } catch (error) {
      refuse(error);
    }
    return undefined;
  }

  #leave(): void {
    this.#isOpen = true; // never to be opened
    this.#request?.abandon();
    this.#items.discard();
  }

  readonly #failed = (error: TautlineError): void => {
    this.error = error;
    // What the caller gave up, and what belonged to another identity, is not shown any more.
    if (error.code === 'ABORTED' || error.code === 'UNAUTHENTICATED') this.#items.discard({ error });
    else this.#items.fail(error);
  };

  /** Also when the server has said its last word, as long as items wait to be read. */
  handleEvent(): void {
    const request = this.#request;
    if (request?.settled !== true) return; // it listens itself
    const cause: unknown = this.#parts.signal?.reason;
    this.#failed(request.failure('ABORTED', DEVELOPMENT && 'the caller aborted it', { cause }));
  }
}
