import { offAbort, onAbort } from '../../primitives/abort-listeners.ts';
import { DEVELOPMENT } from '../../development.ts';
import { TautlineError } from '../../errors.ts';
import { callIsolated } from '../../primitives/emit.ts';
import { RingBuffer } from '../../primitives/ring-buffer.ts';
import type { Position } from '../../protocol/messages.ts';
import { ANOTHER_IDENTITY } from '../kernel/refusal.ts';
import { gapError } from '../topics/gap-error.ts';
import { checkPosition } from '../topics/positions.ts';
import type { Gap, Subscriber, SubscriptionState, TopicListeners } from '../topics/subscription.ts';

/** Options of {@link TopicHandle.events}. */
export interface TopicEventsOptions<Snapshot = never> {
  /** Begins after this position: see {@link TopicListeners.from}. @default from now */
  readonly from?: Position | undefined;
  /**
   * Events that may wait for the loop. When so many do, or 4 MiB of them, it leaves the topic, at its position, and goes
   * on from there when half of that is taken: the server's history waits for it, no memory here. @default 256
   */
  readonly buffer?: number | undefined;
  /** Ends the loop at once with `ABORTED`; what waits is dropped. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Events were lost for good: the history of the server does not cover them. Called in its place between the events.
   * Without it a gap ends the loop with `GAP`: nothing is lost in silence.
   */
  readonly gap?: ((gap: Gap) => void) | undefined;
  /** The full state, for topics that declare one: first, and after a gap. Called in its place between the events. */
  readonly snapshot?: ((snapshot: Snapshot, position: Position) => void) | undefined;
}

/** Defaults of {@link TopicEventsOptions}. */
export const TOPIC_EVENTS_DEFAULTS: { readonly buffer: number } = { buffer: 256 };

/** So much of events may wait, measured as messages: however many they are. One may be larger. */
const MOST_SIZE = 4 * 1024 * 1024;

/** The events of a topic, for one `for await` loop. It subscribes with the first `next()`, and not before. */
export interface TopicEvents<Event> extends AsyncIterable<Event> {
  /** Position of the event that was given last; before that, the one that it began after, if it was given one. */
  readonly position: Position | undefined;
  /** The next event. Rejects with a {@link TautlineError} when the subscription ends, after what was heard before; then it is done. */
  next(): Promise<IteratorResult<Event, undefined>>;
  /** Leaves the topic; what waits is dropped. `break` calls it. */
  return(): Promise<IteratorResult<Event, undefined>>;
  /** Itself: it is read once, and a second loop goes on where the first stopped. */
  [Symbol.asyncIterator](): TopicEvents<Event>;
  /** The same as `return`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const GAP_REMEDY = DEVELOPMENT && 'Load the state anew and begin another loop, or give `gap` to go on.';

interface Item {
  /** What was lost before it, until that is told. */
  gap: Gap | undefined;
  readonly kind: 'event' | 'snapshot';
  readonly value: unknown;
  readonly position: Position;
  readonly size: number;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<unknown, undefined>) => void;
  readonly reject: (error: TautlineError) => void;
}

/** What an {@link EventFeed} is made of. */
export interface EventFeedParts {
  readonly name: string;
  /** Contract path. */
  readonly path: string;
  readonly subscribe: (listeners: TopicListeners<unknown, unknown>) => Subscriber;
  readonly report: (error: unknown) => void;
}

/** Holds the events of one subscription until a loop takes them, and pauses it when they are too many. */
export class EventFeed implements TopicEvents<unknown> {
  readonly #parts: EventFeedParts;
  readonly #options: TopicEventsOptions<unknown>;
  readonly #buffer: number;
  readonly #items: RingBuffer<Item>;
  /** Of those items. */
  #size = 0;
  /** What was lost after the newest item; gaps in a row are one. */
  #gap: Gap | undefined;
  #waiters: Waiter[] = [];
  #position: Position | undefined;
  #subscriber: Subscriber | undefined;
  #state: 'new' | 'open' | 'ending' | 'done' = 'new';
  /** While `ending`: what the next who asks is told. */
  #error: TautlineError | undefined;
  /** See {@link Kernel.identities}. */
  readonly #identities: () => number;
  /** While `ending`: whose it was. */
  #identity = 0;

  /** @throws RangeError when the buffer is no whole number above 0; TypeError for a `from` that is no position */
  constructor(parts: EventFeedParts, options: TopicEventsOptions<unknown>, identities: () => number) {
    const { buffer = TOPIC_EVENTS_DEFAULTS.buffer } = options;
    if (!Number.isSafeInteger(buffer) || buffer < 1) {
      throw new RangeError(
        DEVELOPMENT ? `events: buffer must be a whole number above 0, not ${String(buffer)}` : 'buffer',
      );
    }
    this.#parts = parts;
    this.#options = options;
    this.#position = options.from === undefined ? undefined : checkPosition(options.from);
    this.#buffer = buffer;
    this.#identities = identities;
    this.#items = new RingBuffer(buffer);
  }

  get position(): Position | undefined {
    return this.#position;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    // One that is open was told.
    if (this.#state === 'ending' && this.#identity !== this.#identities()) this.#fail(this.#ofAnother());
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#state === 'new') this.#begin();
      this.#serve();
    });
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#drop();
    this.#leave('done');
    this.#serve();
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #begin(): void {
    const { signal } = this.#options;
    this.#state = 'open';
    if (signal?.aborted === true) {
      this.handleEvent();
      return;
    }
    onAbort(signal, this);
    let subscriber: Subscriber;
    try {
      subscriber = this.#parts.subscribe({
        from: this.#options.from,
        event: (event, position) => {
          this.#take('event', event, position);
        },
        snapshot: (snapshot, position) => {
          if (this.#options.snapshot !== undefined) this.#take('snapshot', snapshot, position);
        },
        gap: (gap) => {
          this.#gap = { ...gap, from: (this.#gap ?? gap).from };
          this.#serve();
        },
        status: (state, error) => {
          this.#entered(state, error);
        },
      });
    } catch (error) {
      // The app shares the connection in a way that can't be.
      this.#fail(error as TautlineError);
      return;
    }
    // It may have ended already, on a closed connection, or have begun with a state.
    if (this.#state === 'open') this.#subscriber = subscriber;
    this.#pauseIfFull();
  }

  #take(kind: Item['kind'], value: unknown, position: Position): void {
    const gap = this.#gap;
    this.#gap = undefined;
    const size = this.#subscriber?.size ?? 0;
    this.#items.push({ gap, kind, value, position, size });
    this.#size += size;
    this.#serve();
    this.#pauseIfFull();
  }

  #pauseIfFull(): void {
    if (this.#items.size === this.#buffer || this.#size >= MOST_SIZE) this.#subscriber?.pause();
  }

  /** Its signal was aborted. */
  handleEvent(): void {
    const { name, path } = this.#parts;
    this.#fail(
      new TautlineError('ABORTED', DEVELOPMENT && `${name}: the loop was aborted.`, {
        outcome: 'not-sent',
        path,
        cause: this.#options.signal?.reason,
      }),
    );
  }

  #entered(state: SubscriptionState, error: TautlineError | undefined): void {
    if (state === 'ended' && error !== undefined) {
      this.#error = error;
      this.#leave('ending');
      this.#serve();
    } else if (state === 'subscribing') {
      this.#fail(this.#ofAnother());
    }
  }

  #ofAnother(): TautlineError {
    const { name, path } = this.#parts;
    const what = DEVELOPMENT && `${name}: ${ANOTHER_IDENTITY || ''}.`;
    return new TautlineError('UNAUTHENTICATED', what, { outcome: 'rejected', path });
  }

  /** Ends it with an error that does not wait for what was heard before. */
  #fail(error: TautlineError): void {
    this.#drop();
    this.#error = error;
    this.#leave('ending');
    this.#serve();
  }

  #drop(): void {
    this.#items.clear();
    this.#size = 0;
    this.#gap = undefined;
    this.#error = undefined;
  }

  #leave(state: 'ending' | 'done'): void {
    this.#state = state;
    this.#identity = this.#identities();
    offAbort(this.#options.signal, this);
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    subscriber?.unsubscribe();
  }

  /** Gives what there is to those who wait, and goes on when half of the buffer is free. */
  #serve(): void {
    while (this.#waiters.length > 0) {
      const item = this.#items.at(0);
      const gap = (item ?? { gap: this.#gap }).gap;
      if (gap !== undefined) {
        // Nothing is taken before that: whoever is told may ask for more, or end the loop.
        if (item === undefined) this.#gap = undefined;
        else item.gap = undefined;
        this.#tellGap(gap);
      } else if (item !== undefined) {
        this.#items.shift();
        this.#size -= item.size;
        this.#give(item);
      } else if (this.#state === 'open') break;
      else this.#giveEnd();
    }
    if (this.#items.size <= this.#buffer / 2 && this.#size <= MOST_SIZE / 2) this.#subscriber?.resume();
  }

  #give({ kind, value, position }: Item): void {
    if (kind === 'snapshot') {
      this.#tell(() => this.#options.snapshot?.(value, position));
    } else {
      this.#position = position;
      this.#waiters.shift()?.resolve({ done: false, value });
    }
  }

  #tellGap(gap: Gap): void {
    const { gap: listener } = this.#options;
    if (listener === undefined) this.#fail(gapError(this.#parts, gap, GAP_REMEDY));
    else this.#tell(() => listener(gap));
  }

  #giveEnd(): void {
    const error = this.#error;
    this.#error = undefined;
    this.#state = 'done';
    const waiter = this.#waiters.shift();
    if (error === undefined) waiter?.resolve({ done: true, value: undefined });
    else waiter?.reject(error);
  }

  #tell(listener: () => unknown): void {
    callIsolated(listener, this.#parts.report);
  }
}
