import { DEVELOPMENT } from '../development.ts';

/**
 * Order of going out: `control` messages commute with everything and go first, `ordered` ones keep their order,
 * `lossy` ones come last and are the first to be dropped. `held` ones take up room, but do not go before they were entered in another lane;
 * so do those whose turn came when they could not go: `streams` without a slot, and what waits for a large message,
 * `behind` it because it keeps its order, or `free` but large. A `crowd` waits for its own kind to become fewer.
 */
export type Lane = 'control' | 'streams' | 'behind' | 'free' | 'ordered' | 'lossy' | 'held' | Crowd;

/** Those of one kind. */
export type Crowd = `crowd ${string}`;

/**
 * What waits in a queue: an object, known by its identity, whose size does not change while it waits. It carries its own
 * place there, so that entering and leaving make no object and look nothing up; one can wait in one queue at a time.
 */
export interface Queued {
  readonly bytes: number;
  /** The lane it waits in; the queue's, as the next two. */
  lane?: Chain | undefined;
  before?: Queued | undefined;
  after?: Queued | undefined;
}

/** Bounds of all lanes but `control` together. */
export interface SendQueueBounds {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** Whether an entry was taken in, which lossy ones had to go for it, or which bound refused it. */
export type PushResult<Entry> =
  | { readonly accepted: true; readonly evicted: readonly Entry[] }
  | { readonly accepted: false; readonly bound: 'messages' | 'bytes' };

/** One lane: what waits in it, from the first to the last. */
export interface Chain {
  first: Queued | undefined;
  last: Queued | undefined;
  messages: number;
  bytes: number;
}

const TAKEN: PushResult<never> = { accepted: true, evicted: [] };

/**
 * Bounded queue of messages that wait for a socket, in lanes. When it is full, lossy entries give way, the oldest
 * first, if that makes room; if not, it refuses. Control entries are always taken in and count against no bound: they
 * are small, and whoever makes them makes few. Every operation but `clear` takes constant time.
 */
export class SendQueue<Entry extends Queued> {
  readonly bounds: SendQueueBounds;
  /** Entries of all lanes. */
  messages = 0;
  /** Bytes of the entries of all lanes. */
  bytes = 0;
  readonly #lanes: Record<Exclude<Lane, Crowd>, Chain> & { [crowd in Crowd]?: Chain } = {
    control: chain(),
    streams: chain(),
    behind: chain(),
    free: chain(),
    ordered: chain(),
    lossy: chain(),
    held: chain(),
  };

  /** @throws RangeError when a bound is no number of 1 or more. */
  constructor(bounds: SendQueueBounds) {
    checkBounds(bounds);
    this.bounds = bounds;
  }

  /**
   * Takes an entry in at the end of its lane, or says which bound is in the way; then nothing has changed.
   * @throws Error in development, when the entry is in a queue already.
   */
  push(lane: Lane, entry: Entry): PushResult<Entry> {
    if (DEVELOPMENT && entry.lane !== undefined) throw new Error('SendQueue: this entry is in the queue already.');
    const { lossy } = this.#lanes;
    let result: PushResult<Entry> = TAKEN;
    if (lane !== 'control') {
      const bound = this.#boundOf(entry, lossy);
      if (bound !== undefined) return { accepted: false, bound };
      const evicted: Entry[] = [];
      for (let oldest = lossy.first; oldest !== undefined && this.#boundOf(entry) !== undefined; oldest = lossy.first) {
        this.#unlink(oldest);
        evicted.push(oldest as Entry);
      }
      if (evicted.length > 0) result = { accepted: true, evicted };
    }
    this.#append(entry, lane);
    return result;
  }

  /** Has an entry that waits wait in another lane, behind all that is there. */
  move(entry: Entry, lane: Lane): void {
    this.#unlink(entry);
    this.#append(entry, lane);
  }

  /** The entry that goes next; it stays. */
  next(): Entry | undefined {
    return this.peek('control') ?? this.peek('ordered') ?? this.peek('lossy');
  }

  /** The first entry of a lane; it stays. */
  peek(lane: Lane): Entry | undefined {
    return this.#lanes[lane]?.first as Entry | undefined;
  }

  /** Removes the entry that goes next and returns it. */
  take(): Entry | undefined {
    const entry = this.next();
    if (entry !== undefined) this.#unlink(entry);
    return entry;
  }

  /** Whether an entry waits here. */
  has(entry: Entry): boolean {
    return entry.lane !== undefined;
  }

  /** Removes an entry; `false` when it is not here. */
  remove(entry: Entry): boolean {
    return this.#unlink(entry);
  }

  /** Puts an entry in the place of another; `false`, and nothing changes, when that one is not here or bytes run out. */
  replace(entry: Entry, by: Entry): boolean {
    const { lane, before, after, bytes } = entry;
    if (lane === undefined) return false;
    const more = by.bytes - bytes;
    if (more > 0 && this.bytes - this.#lanes.control.bytes + more > this.bounds.maxBytes) return false;
    this.#unlink(entry);
    this.#link(by, lane, before, after);
    return true;
  }

  /** Removes all entries and returns them in the order in which they would have gone. */
  clear(): readonly Entry[] {
    const entries: Entry[] = [];
    for (const lane of Object.values(this.#lanes) as Chain[]) {
      for (let entry = lane.first; entry !== undefined; entry = lane.first) {
        this.#unlink(entry);
        entries.push(entry as Entry);
      }
    }
    return entries;
  }

  #append(entry: Queued, lane: Lane): void {
    const into = (this.#lanes[lane] ??= chain());
    this.#link(entry, into, into.last, undefined);
  }

  #link(entry: Queued, lane: Chain, before: Queued | undefined, after: Queued | undefined): void {
    entry.lane = lane;
    entry.before = before;
    entry.after = after;
    if (before === undefined) lane.first = entry;
    else before.after = entry;
    if (after === undefined) lane.last = entry;
    else after.before = entry;
    this.#count(lane, 1, entry.bytes);
  }

  #unlink(entry: Queued): boolean {
    const { lane, before, after } = entry;
    if (lane === undefined) return false;
    if (before === undefined) lane.first = after;
    else before.after = after;
    if (after === undefined) lane.last = before;
    else after.before = before;
    entry.lane = entry.before = entry.after = undefined;
    this.#count(lane, -1, -entry.bytes);
    return true;
  }

  #count(lane: Chain, messages: number, bytes: number): void {
    lane.messages += messages;
    lane.bytes += bytes;
    this.messages += messages;
    this.bytes += bytes;
  }

  /** The bound that is in the way of an entry, beside what waits, but for one lane. */
  #boundOf(entry: Queued, but?: Chain): 'messages' | 'bytes' | undefined {
    const { control } = this.#lanes;
    if (this.messages - control.messages - (but?.messages ?? 0) >= this.bounds.maxMessages) return 'messages';
    const bytes = this.bytes - control.bytes - (but?.bytes ?? 0) + entry.bytes;
    return bytes > this.bounds.maxBytes ? 'bytes' : undefined;
  }
}

function chain(): Chain {
  return { first: undefined, last: undefined, messages: 0, bytes: 0 };
}

function checkBounds(bounds: SendQueueBounds): void {
  for (const [name, value] of Object.entries(bounds)) {
    if (value >= 1) continue;
    throw new RangeError(DEVELOPMENT ? `SendQueue: ${name} is ${value}, give a number of 1 or more.` : name);
  }
}
