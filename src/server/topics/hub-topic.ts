import { encodeEvent } from '../../protocol/encode.ts';
import type { Continuity, Position } from '../../protocol/messages.ts';
import type { Feed, FeedListener, StoredEvent } from '../brokers/broker.ts';
import type { Observer } from '../app/observer.ts';
import { whenReady } from '../app/now-or-later.ts';
import type { Report } from '../app/reporter.ts';
import { deliver } from './deliver.ts';
import { History } from './history.ts';
import { outsideOfHistory, placeIn, type EncodedSnapshot } from './snapshot-at.ts';
import type { FollowedTopic, Follower, FollowerPeer } from './follower.ts';

const FOLLOW_FAILED = { code: 'INTERNAL', message: 'the server failed to follow the topic' };
const STATE_TOO_LARGE = { code: 'TOO_LARGE', message: 'each socket was lost over the state of the topic' };

/** What was read, and the head that was known before it. */
type ReadEvents = (events: readonly StoredEvent[] | undefined, head: Position) => void;
type ReadSnapshot = () => EncodedSnapshot | PromiseLike<EncodedSnapshot>;

/** What a topic of the hub needs. */
export interface HubTopicOptions {
  readonly name: string;
  readonly path: string;
  /** Follows the topic at the broker. May reject. */
  readonly open: (listener: FeedListener) => Feed | PromiseLike<Feed>;
  /** Reads the state; `undefined` for topics that declare none. May reject. */
  readonly snapshot: ReadSnapshot | undefined;
  readonly report: Report;
  readonly observer: Observer | undefined;
  /** Nobody is subscribed any more. */
  readonly empty: () => void;
}

/**
 * The subscribers of one topic on this server, behind one subscription at the broker. A subscriber is either at the head
 * and gets each event as it comes, or reads from history until it is: there is no buffer between the two, so no hole
 * and no double, and a peer that does not drain costs nothing.
 */
export class HubTopic implements FollowedTopic {
  readonly #options: HubTopicOptions;
  readonly #history: History;
  readonly #followers = new Set<Follower>();
  /** Those who wait for the running `snapshot()`. */
  #snapshotWaiters: Set<Follower> | undefined;
  #feed: Feed | undefined;
  /** While the broker is asked, from the first who joins: who joined, and the position each asked for. */
  #arrivals: Map<Follower, Position | undefined> | undefined;
  #closed = false;

  constructor(options: HubTopicOptions) {
    this.#options = options;
    this.#history = new History(options.path, options.report);
  }

  join(follower: Follower, asked: Position | undefined): void {
    this.#followers.add(follower);
    follower.topic = this;
    if (this.#feed !== undefined) return this.#enter(follower, asked);
    this.#arrivals?.set(follower, asked);
    if (this.#arrivals !== undefined) return;
    this.#arrivals = new Map([[follower, asked]]);
    this.#follow(follower.peer);
  }

  #follow(peer: FollowerPeer): void {
    const listener = {
      event: (event: StoredEvent) => this.#event(event),
      reset: () => this.#reset(),
    };
    const answered = (go: () => void): void => (peer.release(), go());
    peer.hold();
    void whenReady(
      () => this.#options.open(listener),
      (feed) => answered(() => this.#attached(feed)),
      (error) => answered(() => this.#brokerFailed(error)),
    );
  }

  #attached(feed: Feed): void {
    if (this.#closed) return feed.close();
    this.#feed = feed;
    const arrivals = this.#arrivals!;
    this.#arrivals = undefined;
    for (const [follower, asked] of arrivals) if (!follower.ended) this.#enter(follower, asked);
    this.#closeIfUnused();
  }

  #enter(follower: Follower, asked: Position | undefined): void {
    if (asked === undefined) return this.#begin(follower, 'live');
    this.#readFor(follower, asked, (events, head) => {
      if (events === undefined) return this.#lose(follower, asked);
      follower.begin(asked, 'resumed');
      follower.state = 'behind';
      this.#deliver(follower, events, head);
      this.#observeBeginning('resumed');
    });
  }

  /** A beginning without a past: at the head, or at the position of a snapshot. */
  #begin(follower: Follower, word: 'live' | 'gap'): void {
    follower.word = word;
    follower.generation++;
    if (!follower.peer.mayBegin(follower, this.#options.snapshot !== undefined)) return this.#hold(follower);
    if (this.#options.snapshot === undefined) {
      if (follower.begin(this.#feed!.head, word) === 'later') return this.#hold(follower);
      follower.state = 'live';
      return this.#observeBeginning(word);
    }
    follower.state = 'waiting';
    if (this.#snapshotWaiters === undefined) this.#takeSnapshot(this.#options.snapshot, follower);
    else this.#snapshotWaiters.add(follower);
  }

  #hold(follower: Follower): void {
    follower.state = 'held';
    follower.peer.fellBehind(follower);
  }

  /** The position is taken before the app is asked: the state may be newer than it, never older. */
  #takeSnapshot(snapshot: ReadSnapshot, first: Follower): void {
    const waiters = new Set([first]);
    this.#snapshotWaiters = waiters;
    const { head } = this.#feed!;
    first.peer.hold();
    const end = (each: (waiter: Follower) => void): void => {
      this.#snapshotWaiters = undefined;
      first.peer.release();
      for (const waiter of waiters) if (waiter.state === 'waiting') each(waiter);
      this.#closeIfUnused();
    };
    const failed = (error: unknown): void => {
      this.#options.report(error, { during: 'snapshot', path: this.#options.path });
      end((waiter) => waiter.end({ code: 'INTERNAL', message: 'the server failed to read the state' }));
    };
    const beginAll = (position: Position, payload: string): void =>
      end((waiter) => this.#beginAt(waiter, position, payload));
    void whenReady(
      snapshot,
      ({ payload, position }) => {
        if (position === undefined) beginAll(head, payload);
        else this.#goOnFrom(position, (from) => beginAll(from, payload), failed);
      },
      failed,
    );
  }

  /** Where the history goes on from a state that was stored with its position. */
  #goOnFrom(stored: Position, joined: (from: Position) => void, failed: (error: Error) => void): void {
    const { head } = this.#feed!;
    const from = placeIn(head, stored);
    this.#history.read(this.#feed!, from, (events) => {
      if (events === undefined || events === 'failed') failed(outsideOfHistory(this.#options.name, stored, head));
      else joined(from);
    });
  }

  #beginAt(follower: Follower, position: Position, state: string): void {
    if (this.#feed!.head[0] !== position[0]) return this.#begin(follower, 'gap');
    if (follower.peer.congested) return this.#hold(follower);
    const { word } = follower;
    const may = follower.begin(position, word, state);
    if (may === 'later') return this.#hold(follower);
    if (may === 'never') return follower.end(STATE_TOO_LARGE);
    follower.state = 'behind';
    this.#catchUp(follower);
    this.#observeBeginning(word);
  }

  /** One publication: encoded once, the same text for everyone. */
  #event({ offset, payload }: StoredEvent): void {
    const message = encodeEvent(this.#options.name, offset, payload);
    const head = this.#feed?.head;
    const position: Position = head?.[1] === offset ? head : [head?.[0] ?? '', offset];
    let count = 0;
    for (const follower of this.#followers) {
      if (follower.state !== 'live') continue;
      if (follower.peer.congested) {
        follower.state = 'behind';
        follower.peer.fellBehind(follower);
      } else if (offset === follower.position[1] + 1 && follower.event(position, message) === 'now') {
        count++;
      } else if (offset > follower.position[1]) {
        // Joined while events were on their way to other listeners: the ones before are in the history.
        follower.state = 'behind';
        this.#catchUp(follower);
      }
    }
    this.#observeEvents(count);
  }

  /** A new epoch: what follows has no connection with what was. */
  #reset(): void {
    for (const follower of this.#followers) {
      if (follower.state !== 'live' && follower.state !== 'behind') continue;
      // Who is asked about finds out when that is answered, and it reads on.
      if (follower.isQuestioned) follower.state = 'behind';
      else this.#lose(follower);
    }
  }

  /** There is room for it again. */
  resume(follower: Follower): void {
    if (follower.state === 'held' && follower.word === 'gap') this.#lose(follower);
    else if (follower.state === 'held') this.#begin(follower, 'live');
    else if (follower.state === 'behind') this.#catchUp(follower);
  }

  #catchUp(follower: Follower): void {
    if (follower.peer.congested) return follower.peer.fellBehind(follower);
    this.#readFor(follower, follower.position, (events, head) => {
      if (follower.state !== 'behind') return;
      if (events === undefined) this.#lose(follower);
      else this.#deliver(follower, events, head);
    });
  }

  #deliver(follower: Follower, stored: readonly StoredEvent[], before: Position): void {
    const { position } = follower;
    const { end, events, gaps } = deliver(follower, stored, this.#options.snapshot !== undefined);
    const { head } = this.#feed!;
    if (end === 'room') follower.peer.fellBehind(follower);
    else if (end === 'gap') this.#begin(follower, 'gap');
    // What is stored may be ahead of what the broker has told: that is dropped when it comes.
    else if (head[0] === position[0] && head[1] <= follower.position[1]) follower.state = 'live';
    // Nothing stored behind a head that was told before it was asked: to ask again and again would never end.
    else if (follower.position === position && before[1] > position[1]) this.#lose(follower);
    else this.#catchUp(follower);
    for (let gap = 0; gap < gaps; gap++) this.#observeBeginning('gap');
    this.#observeEvents(events);
  }

  /**
   * What comes next is lost: it goes on with what history there is. Where that has given it nothing since it was last
   * lost, at the head.
   */
  #lose(follower: Follower, after: Position = follower.position): void {
    if (this.#options.snapshot !== undefined || follower.isFresh) return this.#begin(follower, 'gap');
    follower.position = after;
    follower.word = 'gap';
    if (follower.peer.congested) return this.#hold(follower);
    follower.state = 'waiting';
    const generation = ++follower.generation;
    this.#history.oldest(this.#feed!, after, (oldest) => {
      if (follower.ended || follower.generation !== generation) return;
      follower.begin(oldest, 'gap');
      follower.isFresh = true;
      this.#observeBeginning('gap');
      follower.state = 'behind';
      if (this.#feed!.head === oldest) follower.state = 'live';
      else this.#catchUp(follower);
    });
  }

  #observeBeginning(continuity: Continuity): void {
    this.#options.observer?.tell({ type: 'subscribed', path: this.#options.path, continuity });
  }

  #observeEvents(count: number): void {
    if (count > 0) this.#options.observer?.tell({ type: 'events', path: this.#options.path, count });
  }

  /** A history that can't be read may be there all the same: the client asks again, from where it is. */
  #readFor(follower: Follower, after: Position, then: ReadEvents): void {
    const [{ generation }, { head }] = [follower, this.#feed!];
    this.#history.read(this.#feed!, after, (events) => {
      if (follower.ended || follower.generation !== generation) return;
      if (events === 'failed') follower.end(FOLLOW_FAILED);
      else then(events, head);
    });
  }

  #brokerFailed(error: unknown): void {
    this.#arrivals = undefined;
    this.#options.report(error, { during: 'broker', path: this.#options.path });
    for (const follower of [...this.#followers]) follower.end(FOLLOW_FAILED);
    this.#closeIfUnused();
  }

  leave(follower: Follower): void {
    this.#followers.delete(follower);
    this.#arrivals?.delete(follower);
    this.#closeIfUnused();
  }

  /**
   * While the broker or the app works for it, it stays, for whoever comes next: else a peer that comes and goes would
   * have any number of them work at once.
   */
  #closeIfUnused(): void {
    const isBusy = this.#arrivals !== undefined || this.#snapshotWaiters !== undefined;
    if (this.#followers.size === 0 && !isBusy) this.close();
  }

  /** Lets go of the feed. Nobody may be subscribed any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#feed?.close();
    this.#options.empty();
  }
}
