import type { Position } from '../../protocol/messages.ts';

/** One publication as the history holds it. `payload` is what the codec wrote: the text of payload slots. */
export interface StoredEvent {
  readonly offset: number;
  readonly payload: string;
}

/** Told by a broker about one topic. Neither method throws. */
export interface FeedListener {
  /** A publication, in order, offsets counting up by one; `head` of the feed already names it. */
  event(event: StoredEvent): void;
  /** History was lost: `head` already names a new epoch. */
  reset(): void;
}

/** A live subscription to one topic, and the way to its history. */
export interface Feed {
  /** The newest position; offset 0 before the first publication. */
  readonly head: Position;
  /**
   * At most `limit` publications after a position, oldest first; none when the position is the head;
   * `undefined` when the history does not cover it.
   */
  read(
    after: Position,
    limit: number,
  ): readonly StoredEvent[] | undefined | Promise<readonly StoredEvent[] | undefined>;
  /**
   * The position before the oldest publication that the history holds, the head where it holds none: who asks for what is
   * gone goes on from there. Without it, at the head.
   */
  oldest?(): Position | Promise<Position>;
  /** Ends the feed: its listener hears no more. */
  close(): void;
}

/** What a broker stands on outside of this process, as far as it knows. */
export interface BrokerConnection {
  /** It is there. */
  readonly isUp: boolean;
  /** Calls back each time that {@link BrokerConnection.isUp} has changed; gives its undo. */
  onChange(listener: () => void): () => void;
  /** Resolves when it is there; rejects after a time of the broker's. */
  ready(): Promise<void>;
}

/** How {@link Broker.publish} is to publish. */
export interface PublishOptions {
  /**
   * Names the publication within its topic, up to 256 characters: as long as the history holds it, another with this key
   * is the same one, published again. @default it has no name, and is always another one
   */
  readonly key?: string | undefined;
  /**
   * A transaction of the app on what the broker stands on, a client of `pg` for a broker on PostgreSQL: the publication is
   * part of it. It is there when that is committed, and its position is good then. @default a publication of its own
   */
  readonly tx?: unknown;
}

/**
 * Carries publications to every server that has subscribers, gives each its position `[epoch, offset]`,
 * and keeps a stretch of history. An epoch names one unbroken history of one topic.
 */
export interface Broker {
  /**
   * Servers of several processes share it: what one is told to end, `disconnect` and the like, it tells the others as
   * publications of a topic of its own, `$commands`, and `$peers` is for who is connected where. @default false
   */
  readonly isShared?: boolean | undefined;
  /** It can publish within a transaction of the app: `publish(topic, payload, { tx })`. @default false */
  readonly hasTransactions?: boolean | undefined;
  /**
   * Seen by the server: while it is away, what clients publish waits for it before it is begun, and is refused after the
   * broker's time. @default the broker is always there
   */
  readonly connection?: BrokerConnection | undefined;
  /**
   * Appends to the topic's history and tells all feeds, in one order for all. What has the key of a publication that the
   * history holds is not appended, and told to nobody: it gives the position of that one. May reject with a `TautlineError`, whose `outcome` says whether it was
   * sent.
   */
  publish(topic: string, payload: string, options?: PublishOptions): Position | Promise<Position>;
  /** Begins to listen: everything after the feed's `head` reaches the listener. */
  subscribe(topic: string, listener: FeedListener): Feed | Promise<Feed>;
  /** Ends all feeds and lets go of what it holds. */
  close(): void | Promise<void>;
}
