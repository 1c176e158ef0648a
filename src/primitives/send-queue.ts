import { DEVELOPMENT } from '../development.ts';

/**
 * Order of going out: `control` messages commute with everything and go first, `ordered` ones keep their order,
 * `lossy` ones come last and are the first to be dropped. `held` ones take up room, but do not go before they were entered in another lane.
 */
export type Lane = 'control' | 'ordered' | 'lossy' | 'held';

/** What waits in a queue: an object, known by its identity, whose size does not change while it waits. */
export interface Queued {
  readonly bytes: number;
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

/** A link of the chain of one lane, so that an entry leaves from anywhere in constant time. */
interface Node<Entry> {
  entry: Entry;
  readonly chain: Chain<Entry>;
  before: Node<Entry> | undefined;
  after: Node<Entry> | undefined;
}

interface Chain<Entry> {
  first: Node<Entry> | undefined;
  last: Node<Entry> | undefined;
  messages: number;
  bytes: number;
}

const none: readonly never[] = [];

/**
 * Bounded queue of messages that wait for a socket, in three lanes. When it is full, lossy entries give way, the oldest
 * first, if that makes room; if not, it refuses. Control entries are always taken in and count against no bound: they
 * are small, and whoever makes them makes few. Every operation but `clear` takes constant time.
 */
export class SendQueue<Entry extends Queued> {
  readonly bounds: SendQueueBounds;
  readonly #nodes: Map<Entry, Node<Entry>> = new Map();
  readonly #lanes: Readonly<Record<Lane, Chain<Entry>>> = {
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
    return this.#nodes.size;
  }

  /** Bytes of the entries of all lanes. */
  get bytes(): number {
    const { control, ordered, lossy, held } = this.#lanes;
    return control.bytes + ordered.bytes + lossy.bytes + held.bytes;
  }

  /**
   * Takes an entry in at the end of its lane, or says which bound is in the way; then nothing has changed.
   * @throws Error in development, when the entry is in the queue already.
   */
  push(lane: Lane, entry: Entry): PushResult<Entry> {
    if (DEVELOPMENT && this.#nodes.has(entry)) throw new Error('SendQueue: this entry is in the queue already.');
    let evicted: readonly Entry[] = none;
    if (lane !== 'control') {
      const { ordered, held } = this.#lanes;
      const bound = this.#boundInTheWay(entry, ordered.messages + held.messages, ordered.bytes + held.bytes);
      if (bound !== undefined) return { accepted: false, bound };
      evicted = this.#makeRoom(entry);
    }
    this.#append(this.#lanes[lane], entry);
    return { accepted: true, evicted };
  }

  /** The entry that goes next; it stays. */
  next(): Entry | undefined {
    return this.peek('control') ?? this.peek('ordered') ?? this.peek('lossy');
  }

  /** The first entry of a lane; it stays. */
  peek(lane: Lane): Entry | undefined {
    return this.#lanes[lane].first?.entry;
  }

  /** Removes the entry that goes next and returns it. */
  take(): Entry | undefined {
    const entry = this.next();
    if (entry !== undefined) this.remove(entry);
    return entry;
  }

  /** Whether an entry waits here. */
  has(entry: Entry): boolean {
    return this.#nodes.has(entry);
  }

  /** Removes an entry; `false` when it is not here. */
  remove(entry: Entry): boolean {
    const node = this.#nodes.get(entry);
    if (node === undefined) return false;
    const { chain, before, after } = node;
    if (before === undefined) chain.first = after;
    else before.after = after;
    if (after === undefined) chain.last = before;
    else after.before = before;
    chain.messages--;
    chain.bytes -= entry.bytes;
    this.#nodes.delete(entry);
    return true;
  }

  /** Puts an entry in the place of another; `false`, and nothing changes, when that one is not here or bytes run out. */
  replace(entry: Entry, by: Entry): boolean {
    const node = this.#nodes.get(entry);
    const more = by.bytes - entry.bytes;
    const { ordered, lossy, held } = this.#lanes;
    if (node === undefined || (more > 0 && ordered.bytes + held.bytes + lossy.bytes + more > this.bounds.maxBytes))
      return false;
    node.entry = by;
    node.chain.bytes += more;
    this.#nodes.delete(entry);
    this.#nodes.set(by, node);
    return true;
  }

  /** Removes all entries and returns them in the order in which they would have gone. */
  clear(): readonly Entry[] {
    const entries: Entry[] = [];
    for (const lane of Object.values(this.#lanes)) {
      for (let node = lane.first; node !== undefined; node = node.after) entries.push(node.entry);
      Object.assign(lane, chain<Entry>());
    }
    this.#nodes.clear();
    return entries;
  }

  #boundInTheWay(entry: Entry, messages: number, bytes: number): 'messages' | 'bytes' | undefined {
    if (messages + 1 > this.bounds.maxMessages) return 'messages';
    return bytes + entry.bytes > this.bounds.maxBytes ? 'bytes' : undefined;
  }

  #makeRoom(entry: Entry): readonly Entry[] {
    const { ordered, lossy, held } = this.#lanes;
    let evicted: Entry[] | undefined;
    while (
      lossy.first !== undefined &&
      this.#boundInTheWay(
        entry,
        ordered.messages + held.messages + lossy.messages,
        ordered.bytes + held.bytes + lossy.bytes,
      ) !== undefined
    ) {
      (evicted ??= []).push(lossy.first.entry);
      this.remove(lossy.first.entry);
    }
    return evicted ?? none;
  }

  #append(chain: Chain<Entry>, entry: Entry): void {
    const node: Node<Entry> = { entry, chain, before: chain.last, after: undefined };
    if (chain.last === undefined) chain.first = node;
    else chain.last.after = node;
    chain.last = node;
    chain.messages++;
    chain.bytes += entry.bytes;
    this.#nodes.set(entry, node);
  }
}

function chain<Entry>(): Chain<Entry> {
  return { first: undefined, last: undefined, messages: 0, bytes: 0 };
}
