import { DEVELOPMENT } from '../development.ts';

/**
 * Order of going out: `control` messages commute with everything and go first, `ordered` ones keep their order,
 * `lossy` ones come last and are the first to be dropped. `held` ones take up room, but do not go before they were entered in another lane.
 */
export type Lane = 'control' | 'ordered' | 'lossy' | 'held';

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

/** Bounds of the `ordered` and `lossy` lanes together. */
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

const none: readonly never[] = [];
const TAKEN: PushResult<never> = { accepted: true, evicted: none };

/**
 * Bounded queue of messages that wait for a socket, in three lanes. When it is full, lossy entries give way, the oldest
 * first, if that makes room; if not, it refuses. Control entries are always taken in and count against no bound: they
 * are small, and whoever makes them makes few. Every operation but `clear` takes constant time.
 */
export class SendQueue<Entry extends Queued> {
  readonly bounds: SendQueueBounds;
  readonly #lanes: Readonly<Record<Lane, Chain>> = {
    control: chain(),
    ordered: chain(),
    lossy: chain(),
    held: chain(),
  };

  /** @throws RangeError in development, when a bound is below 1. */
  constructor(bounds: SendQueueBounds) {
    for (const [name, value] of DEVELOPMENT ? Object.entries(bounds) : []) {
      if (!(value >= 1)) throw new RangeError(`SendQueue: ${name} is ${value}, give a number of 1 or more.`);
    }
    this.bounds = bounds;
  }

  /** Entries of all lanes. */
  get messages(): number {
    const { control, ordered, lossy, held } = this.#lanes;
    return control.messages + ordered.messages + lossy.messages + held.messages;
  }

  /** Bytes of the entries of all lanes. */
  get bytes(): number {
    const { control, ordered, lossy, held } = this.#lanes;
    return control.bytes + ordered.bytes + lossy.bytes + held.bytes;
  }

  /**
   * Takes an entry in at the end of its lane, or says which bound is in the way; then nothing has changed.
   * @throws Error in development, when the entry is in a queue already.
   */
  push(lane: Lane, entry: Entry): PushResult<Entry> {
    if (DEVELOPMENT && entry.lane !== undefined) throw new Error('SendQueue: this entry is in the queue already.');
    const { ordered, lossy, held } = this.#lanes;
    let result: PushResult<Entry> = TAKEN;
    if (lane !== 'control') {
      const bound = this.#bound(entry, ordered.messages + held.messages, ordered.bytes + held.bytes);
      if (bound !== undefined) return { accepted: false, bound };
      if (lossy.first !== undefined) result = { accepted: true, evicted: this.#makeRoom(entry) };
    }
    const chain = this.#lanes[lane];
    entry.lane = chain;
    entry.before = chain.last;
    if (chain.last === undefined) chain.first = entry;
    else chain.last.after = entry;
    chain.last = entry;
    chain.messages++;
    chain.bytes += entry.bytes;
    return result;
  }

  /** The entry that goes next; it stays. */
  next(): Entry | undefined {
    return this.peek('control') ?? this.peek('ordered') ?? this.peek('lossy');
  }

  /** The first entry of a lane; it stays. */
  peek(lane: Lane): Entry | undefined {
    return this.#lanes[lane].first as Entry | undefined;
  }

  /** Removes the entry that goes next and returns it. */
  take(): Entry | undefined {
    const entry = this.next();
    if (entry !== undefined) this.remove(entry);
    return entry;
  }

  /** Whether an entry waits here. */
  has(entry: Entry): boolean {
    return entry.lane !== undefined;
  }

  /** Removes an entry; `false` when it is not here. */
  remove(entry: Entry): boolean {
    const { lane, before, after } = entry;
    if (lane === undefined) return false;
    if (before === undefined) lane.first = after;
    else before.after = after;
    if (after === undefined) lane.last = before;
    else after.before = before;
    lane.messages--;
    lane.bytes -= entry.bytes;
    entry.lane = entry.before = entry.after = undefined;
    return true;
  }

  /** Puts an entry in the place of another; `false`, and nothing changes, when that one is not here or bytes run out. */
  replace(entry: Entry, by: Entry): boolean {
    const { lane, before, after } = entry;
    const more = by.bytes - entry.bytes;
    const { ordered, lossy, held } = this.#lanes;
    if (lane === undefined || (more > 0 && ordered.bytes + held.bytes + lossy.bytes + more > this.bounds.maxBytes))
      return false;
    Object.assign(by, { lane, before, after });
    if (before === undefined) lane.first = by;
    else before.after = by;
    if (after === undefined) lane.last = by;
    else after.before = by;
    lane.bytes += more;
    entry.lane = entry.before = entry.after = undefined;
    return true;
  }

  /** Removes all entries and returns them in the order in which they would have gone. */
  clear(): readonly Entry[] {
    const entries: Entry[] = [];
    for (const lane of Object.values(this.#lanes)) {
      for (let entry = lane.first; entry !== undefined; entry = lane.first) {
        this.remove(entry as Entry);
        entries.push(entry as Entry);
      }
    }
    return entries;
  }

  #bound(entry: Entry, messages: number, bytes: number): 'messages' | 'bytes' | undefined {
    if (messages + 1 > this.bounds.maxMessages) return 'messages';
    return bytes + entry.bytes > this.bounds.maxBytes ? 'bytes' : undefined;
  }

  #makeRoom(entry: Entry): readonly Entry[] {
    const { ordered, lossy, held } = this.#lanes;
    const evicted: Entry[] = [];
    for (let oldest = lossy.first; oldest !== undefined; oldest = lossy.first) {
      const messages = ordered.messages + held.messages + lossy.messages;
      if (this.#bound(entry, messages, ordered.bytes + held.bytes + lossy.bytes) === undefined) break;
      this.remove(oldest as Entry);
      evicted.push(oldest as Entry);
    }
    return evicted;
  }
}

function chain(): Chain {
  return { first: undefined, last: undefined, messages: 0, bytes: 0 };
}
