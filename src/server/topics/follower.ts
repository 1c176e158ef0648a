import { encodeSnapshot, encodeSubscribed, encodeUnsubscribed } from '../../protocol/encode.ts';
import type { Continuity, Position, WireError } from '../../protocol/messages.ts';
import { LARGE, type LargeMessages, type May } from '../outbound/large-messages.ts';
import type { FoundTopic } from './topic-index.ts';

/** The peer of a follower, as its topic sees it. */
export interface FollowerPeer {
  /** Its socket's buffer is full: nothing more of topics may be written now. */
  readonly congested: boolean;
  readonly large: LargeMessages;
  /** There is room for it to begin, and for its state where it has one: few are read at a time. */
  mayBegin(follower: Follower, hasState: boolean): boolean;
  push(message: string): void;
  /** Tells where a subscription begins or ends, in its place between what is pushed. */
  tell(message: string): void;
  /** The app or the broker works because of it: counts against its client until {@link FollowerPeer.release}. */
  hold(): void;
  release(): void;
  /** Something of a topic was left out: wants {@link Follower.resume} when there is room. */
  fellBehind(follower: Follower): void;
  /** It is over, for whatever reason; with an error, its peer was told. */
  ended(follower: Follower, error: WireError | undefined): void;
}

/** The topic of a follower, as it sees it. */
export interface FollowedTopic {
  /** There is room again. */
  resume(follower: Follower): void;
  leave(follower: Follower): void;
}

/**
 * Where a follower stands: waiting for its topic or its snapshot, following live, catching up from history, or
 * held until the peer drains before it can even begin.
 */
export type FollowerState = 'waiting' | 'live' | 'behind' | 'held' | 'ended';

/** One subscription of one socket, from `subscribe` to its end. Moved by its topic alone. */
export class Follower {
  readonly n: number;
  readonly found: FoundTopic;
  readonly peer: FollowerPeer;
  /** Set by its topic, when it joins. */
  topic: FollowedTopic | undefined;
  state: FollowerState = 'waiting';
  /** Position of the last event that was written. */
  position: Position = NOWHERE;
  /** The word that its next beginning is told with. */
  word: Continuity = 'live';
  /** Since it was lost, nothing has come of what it went on with. */
  isFresh = false;
  /** Counts beginnings, so that an answer from history for an earlier one is known as such. */
  generation = 0;
  /** See {@link Follower.question}. */
  #questions = 0;

  constructor(n: number, found: FoundTopic, peer: FollowerPeer) {
    this.n = n;
    this.found = found;
    this.peer = peer;
  }

  get name(): string {
    return this.found.name;
  }

  get ended(): boolean {
    return this.state === 'ended';
  }

  /** There is room again. */
  resume(): void {
    this.topic?.resume(this);
  }

  get isQuestioned(): boolean {
    return this.#questions > 0;
  }

  /** Whether it may follow is asked: until that is answered it is told nothing, and what it misses is in the history. */
  question(): void {
    this.#questions++;
  }

  /** It may. */
  answered(): void {
    this.#questions--;
    this.resume();
  }

  /** Tells where it begins; what follows starts after this position. A state that can't be told now, or never, is none. */
  begin(position: Position, word: Continuity, snapshot = ''): May {
    const may = this.#may('state', snapshot);
    if (may !== 'now') return may;
    this.position = position;
    this.generation++;
    this.peer.tell(encodeSubscribed(this.n, this.name, position, word));
    if (snapshot !== '') this.#push('state', encodeSnapshot(this.name, position, snapshot));
    return may;
  }

  /** Tells an event, if it may be told now. */
  event(position: Position, message: string): May {
    const may = this.#may(position, message);
    if (may !== 'now') return may;
    this.isFresh = false;
    this.position = position;
    this.#push(position, message);
    return may;
  }

  #may(what: 'state' | Position, message: string): May {
    if (this.isQuestioned) return 'later';
    return message.length > LARGE ? this.peer.large.may(this.#keyOf(what)) : 'now';
  }

  #push(what: 'state' | Position, message: string): void {
    this.peer.push(message);
    if (message.length > LARGE) this.peer.large.wrote(this.#keyOf(what), message.length);
  }

  #keyOf(what: 'state' | Position): string {
    return `${this.name} ${String(what)}`;
  }

  /** Ends it; with an error, the peer is told. */
  end(error?: WireError): void {
    if (this.ended) return;
    this.state = 'ended';
    this.topic?.leave(this);
    if (error !== undefined) this.peer.tell(encodeUnsubscribed(this.n, this.name, error));
    this.peer.ended(this, error);
  }
}

const NOWHERE: Position = ['', 0];
