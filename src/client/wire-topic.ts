import type { ContractTopic } from '../contract/contract.ts';
import { TautlineError, isTautlineError } from '../errors.ts';
import type { Codec } from '../payload.ts';
import type { Deadline } from '../primitives/deadlines.ts';
import { SerialQueue } from '../primitives/serial-queue.ts';
import { encodeSubscribe, encodeUnsubscribe } from '../protocol/encode.ts';
import type { Continuity, Position } from '../protocol/messages.ts';
import type { LinkState } from './link-state.ts';
import type { Outbound } from './outbox.ts';
import { readPayload } from './payload-reader.ts';
import type { Gap, Subscriber } from './subscription.ts';
import { TopicFold } from './topic-fold.ts';

/** What a topic needs from the table of topics. */
export interface WireTopicOwner {
  /** Number of the last `subscribe` written, on whatever topic; numbers count up. */
  lastNumber: number;
  /** Has the topic's wish written: see {@link WireTopic.write}. */
  readonly sync: (topic: WireTopic) => void;
  readonly remove: (topic: WireTopic) => void;
  readonly report: (error: unknown) => void;
  readonly gapSeen: (topic: string, gap: Gap) => void;
}

interface Asked {
  readonly n: number;
  readonly link: LinkState;
  /** Asked without a position though there was one: for a listener that needs a snapshot of its own. */
  readonly anew: boolean;
}

/**
 * One topic as the wire sees it, shared by all who listen to it. It knows the position up to which events were
 * taken, which subscription is in force, and asks anew where events are missing.
 */
export class WireTopic implements Outbound {
  readonly name: string;
  readonly topic: ContractTopic;
  readonly fold: TopicFold;
  readonly bytes: number;
  readonly takesSlot = false;
  readonly rides = true;
  readonly subscribers: Set<Subscriber> = new Set();
  /** When it is given up, after its last listener left. */
  linger: Deadline | undefined;

  readonly #owner: WireTopicOwner;
  readonly #codec: Codec;
  /** Keeps snapshots, events and gaps in order where a schema is asynchronous. */
  readonly #deliveries = new SerialQueue();
  /** Answers to numbers up to this one belong to subscriptions that were given up. */
  readonly #givenUp: number;
  /** The last `subscribe` on the socket that lives. */
  #asked: Asked | undefined;
  /** The one whose `subscribed` was taken last. */
  #inForce: Asked | undefined;
  /** Up to here everything was taken. None before the snapshot of a topic that declares one. */
  #position: Position | undefined;
  /** Position of the snapshot that is to come. */
  #awaited: Position | undefined;
  #wantsAnew = false;
  /** Counts identities: what was being read for the former is not told to the next. */
  #generation = 0;

  constructor(name: string, topic: ContractTopic, codec: Codec, owner: WireTopicOwner) {
    this.name = name;
    this.topic = topic;
    this.bytes = name.length + 64;
    this.#codec = codec;
    this.#owner = owner;
    this.#givenUp = owner.lastNumber;
    this.fold = new TopicFold(topic.definition, owner.report);
  }

  get #hasSnapshot(): boolean {
    return this.topic.definition.snapshot !== undefined;
  }

  /** The server has answered the last subscribe, and the snapshot is here. */
  get #isSettled(): boolean {
    return this.#asked !== undefined && this.#asked.n === this.#inForce?.n && this.#awaited === undefined;
  }

  join(subscriber: Subscriber): void {
    this.subscribers.add(subscriber);
    const position = this.#position;
    if (!this.#isSettled || position === undefined) this.#owner.sync(this);
    else this.#deliver(() => this.#live(position));
  }

  /** The server of the present socket was told of it. */
  get isTold(): boolean {
    return this.#asked !== undefined;
  }

  /** Says what is wanted, if the socket was not told yet. Computed when written, so that quick changes of mind cost nothing. */
  write(link: LinkState): string | undefined {
    const told = this.#asked?.link === link;
    if (this.subscribers.size === 0) {
      this.#asked = undefined;
      return told ? encodeUnsubscribe(this.name) : undefined;
    }
    const anew = this.#wantsAnew;
    if (told && !anew) return undefined;
    this.#wantsAnew = false;
    this.#asked = { n: ++this.#owner.lastNumber, link, anew };
    return encodeSubscribe(this.#asked.n, this.name, anew ? undefined : this.#position);
  }

  lost(link: LinkState): void {
    if (this.#asked?.link === link) this.#asked = undefined;
    // Whoever comes now begins anew: nothing that passed before concerns him.
    if (this.subscribers.size === 0) this.#owner.remove(this);
    // Another socket was asked already: it goes on from the position, and nobody need know.
    if (this.#asked !== undefined) return;
    this.#deliver(() => {
      for (const subscriber of [...this.subscribers]) subscriber.recovering();
    });
  }

  subscribed(link: LinkState, n: number, to: Position, continuity: Continuity): void {
    if (n <= this.#givenUp || n > this.#owner.lastNumber || n < (this.#inForce?.n ?? 0)) return;
    const anew = n === this.#asked?.n && this.#asked.anew;
    this.#inForce = { n, link, anew };
    const from = this.#position;
    this.#awaited = undefined;
    if (from !== undefined && !anew && continues(from, to, continuity)) {
      this.#deliver(() => this.#live(from));
      return;
    }
    this.#position = this.#hasSnapshot ? undefined : to;
    this.#awaited = this.#hasSnapshot ? to : undefined;
    this.#deliver(() => {
      this.#moveTo(to);
      if (!this.#hasSnapshot) this.#live(to);
    });
  }

  snapshot(link: LinkState, position: Position, json: unknown, meta: unknown): void {
    const awaited = this.#awaited;
    if (this.#inForce?.link !== link || awaited?.[0] !== position[0] || awaited[1] !== position[1]) return;
    this.#awaited = undefined;
    this.#position = position;
    this.#read(
      this.topic.definition.snapshot,
      json,
      meta,
      (state) => {
        this.fold.reset(state);
        for (const subscriber of [...this.subscribers]) subscriber.snapshot(state, position);
        this.#live(position);
      },
      (error) => {
        this.end(error);
      },
    );
  }

  event(link: LinkState, offset: number, json: unknown, meta: unknown): void {
    const from = this.#position;
    if (this.#inForce?.link !== link || from === undefined || offset <= from[1]) return;
    if (offset > from[1] + 1) {
      // A hole. While a new subscription is under way it asks for nothing more.
      if (this.#isSettled && this.subscribers.size > 0) this.#ask();
      return;
    }
    const position: Position = [from[0], offset];
    this.#position = position;
    this.#read(
      this.topic.definition.event,
      json,
      meta,
      (event) => {
        if (!this.fold.apply(event)) {
          this.#unreadable(position);
          return;
        }
        for (const subscriber of [...this.subscribers]) subscriber.event(event, position);
      },
      (error) => {
        this.#unreadable(position, error);
      },
    );
  }

  /** Another identity: nothing of the old one's may show, also of what is being read. */
  reset(): void {
    this.#generation++;
    this.#position = undefined;
    this.#awaited = undefined;
    this.fold.reset(undefined);
    for (const subscriber of [...this.subscribers]) subscriber.restart();
  }

  /** Refused, or ended by the server. */
  unsubscribed(n: number, error: TautlineError): void {
    if (n !== this.#asked?.n && n !== this.#inForce?.n) return;
    this.#asked = undefined;
    this.end(error);
  }

  end(error: TautlineError): void {
    const ended = [...this.subscribers];
    this.subscribers.clear();
    this.#generation++;
    this.#owner.remove(this);
    this.#owner.sync(this);
    for (const subscriber of ended) subscriber.ended(error);
  }

  #ask(): void {
    this.#asked = undefined;
    this.#owner.sync(this);
  }

  /** For a snapshot from now. Until the server has begun anew, what it follows up to here goes on. */
  #askAnew(): void {
    this.#wantsAnew = true;
    this.#owner.sync(this);
  }

  /** An event that can't be read is a loss like another, and is told. Called in the order of deliveries. */
  #unreadable(to: Position, error?: TautlineError): void {
    this.#moveTo(to, error);
    if (this.#hasSnapshot) this.#askAnew();
  }

  #moveTo(to: Position, error?: TautlineError): void {
    let gap: Gap | undefined;
    for (const subscriber of [...this.subscribers]) gap = subscriber.movedTo(to, error) ?? gap;
    if (gap !== undefined) this.#owner.gapSeen(this.name, gap);
  }

  /** All is told up to this position. Who has no state yet gets the folded one; where nothing folds, a fresh one. */
  #live(position: Position): void {
    let anew = false;
    for (const subscriber of [...this.subscribers]) {
      if (this.#hasSnapshot && subscriber.wantsSnapshot) {
        if (this.topic.definition.apply === undefined) {
          anew = true;
          continue;
        }
        subscriber.snapshot(this.fold.get(), position);
      }
      subscriber.live(position);
    }
    if (anew) this.#askAnew();
  }

  #deliver(task: () => void): void {
    const generation = this.#generation;
    this.#deliveries.run(() => {
      if (generation === this.#generation) task();
    });
  }

  #read(
    schema: Parameters<typeof readPayload>[1],
    json: unknown,
    meta: unknown,
    take: (value: unknown) => void,
    refuse: (error: TautlineError) => void,
  ): void {
    const failed = (error: unknown): void => {
      refuse(
        isTautlineError(error)
          ? error
          : new TautlineError('BAD_OUTPUT', `${this.topic.path}: unreadable.`, { outcome: 'unknown', cause: error }),
      );
    };
    const generation = this.#generation;
    const ifStill =
      <Value>(tell: (value: Value) => void) =>
      (value: Value): void => {
        if (generation === this.#generation) tell(value);
      };
    this.#deliveries.run(() => {
      try {
        const value = readPayload(this.#codec, schema, this.topic.path, json, meta);
        if (value instanceof Promise) return value.then(ifStill(take)).catch(ifStill(failed));
        ifStill(take)(value);
      } catch (error) {
        ifStill(failed)(error);
      }
      return undefined;
    });
  }
}

/** Whether what follows joins on to what was taken: a gap at or below it in the same epoch is none. */
function continues(from: Position, to: Position, continuity: Continuity): boolean {
  return continuity === 'resumed' || (from[0] === to[0] && to[1] <= from[1]);
}
