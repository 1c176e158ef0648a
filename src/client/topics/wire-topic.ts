import type { ContractTopic } from '../../contract/contract.ts';
import type { TautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import type { Deadline } from '../../primitives/deadlines.ts';
import type { Chain, Queued } from '../../primitives/send-queue.ts';
import { encodeSubscribe, encodeUnsubscribe } from '../../protocol/encode.ts';
import type { Continuity, Position } from '../../protocol/messages.ts';
import type { LinkState } from '../kernel/link-state.ts';
import type { Outbound } from '../requests/outbound.ts';
import { HOLE_ASKS, VERDICTS, type Asked, type NextSubscribe } from './asked.ts';
import { continues, covers, isAhead, isBefore, isNext, isSame } from './positions.ts';
import type { Subscriber, SubscriberTopic } from './subscription.ts';
import { TopicAudience } from './topic-audience.ts';
import type { TopicFold } from './topic-fold.ts';
import type { WireTopicOwner } from './topic-owner.ts';
import { TopicReader, type PayloadTaker } from './topic-reader.ts';

/**
 * One topic as the wire sees it, shared by all who listen to it. It knows the position up to which events were
 * taken and which subscription is in force, and asks anew where events are missing: from the lowest position of those
 * who listen, so that one who lags costs the others nothing but what they have already.
 */
export class WireTopic extends TopicReader implements Outbound, SubscriberTopic, PayloadTaker {
  lane: Chain | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  readonly name: string;
  readonly topic: ContractTopic;
  readonly fold: TopicFold;
  readonly audience: TopicAudience = new TopicAudience();
  /** When it is given up, after its last listener left; or asked for again, after the server failed. */
  due: Deadline | undefined;

  readonly #owner: WireTopicOwner<WireTopic>;
  /** Answers to numbers up to this one belong to subscriptions that were given up. */
  #givenUp: number;
  /** The last `subscribe` on the socket that lives. */
  #asked: Asked | undefined;
  /** The one whose `subscribed` was taken last. */
  #inForce: Pick<Asked, 'n' | 'link'> | undefined;
  /** Up to here the subscription in force gave everything. None before the snapshot of a topic that declares one. */
  #position: Position | undefined;
  /** The last event that could not be read, for which a snapshot was asked. */
  #missed: Position | undefined;
  /** Where the server was asked to go on from, because events behind it were missing. */
  #hole: Position | undefined;
  #holeAsks = 0;
  /** Position of the snapshot that is to come. */
  #awaited: Position | undefined;
  /** What the next `subscribe` is for, when the topic is subscribed already. */
  #next: NextSubscribe | undefined;

  constructor(name: string, topic: ContractTopic, codec: Codec, owner: WireTopicOwner<WireTopic>, fold: TopicFold) {
    super(topic.path, codec);
    this.name = name;
    this.topic = topic;
    this.#owner = owner;
    this.#givenUp = owner.lastNumber;
    this.fold = fold;
    this.#position = fold.position;
  }

  get bytes(): number {
    return this.name.length + 64;
  }

  get takesSlot(): false {
    return false;
  }

  get rides(): boolean {
    return true;
  }

  get hasSnapshot(): boolean {
    return this.topic.definition.snapshot !== undefined;
  }

  /** The server has answered the last subscribe, and the snapshot is here. */
  get #isSettled(): boolean {
    const { n } = this.#asked ?? {};
    return n !== undefined && n === this.#inForce?.n && this.#awaited === undefined && this.#next === undefined;
  }

  join(subscriber: Subscriber): void {
    this.audience.add(subscriber);
    this.attend();
  }

  left(subscriber: Subscriber): void {
    this.#owner.left(this, subscriber);
  }

  paused(): void {
    this.#owner.paused(this);
  }

  report(error: unknown): void {
    this.#owner.report(error);
  }

  /** Tells where the topic is, or has the server asked. */
  attend(): void {
    const position = this.#position;
    if (!this.#isSettled || position === undefined) this.#owner.sync(this);
    else {
      this.deliver(() => {
        this.#live(position, 'lowest');
      });
    }
  }

  /** The server of the present socket was told of it. */
  get isTold(): boolean {
    return this.#asked !== undefined;
  }

  /** Says what is wanted, if the socket was not told yet. Computed when written, so that quick changes of mind cost nothing. */
  write(link: LinkState): string | undefined {
    const told = this.#asked?.link === link;
    if (!this.audience.isListening) {
      this.#giveUp();
      return told ? encodeUnsubscribe(this.name) : undefined;
    }
    const next = this.#next;
    if (told && next === undefined) return undefined;
    this.#next = undefined;
    const from = next === 'anew' ? undefined : this.audience.lowest(this.#position, this.fold.position);
    this.#asked = { n: ++this.#owner.lastNumber, link, from, spares: next !== 'lowest, for all' };
    return encodeSubscribe(this.#asked.n, this.name, from);
  }

  lost(link: LinkState): void {
    if (this.#asked?.link === link) this.#asked = undefined;
    // Another socket was asked already: it goes on from the position, and nobody need know.
    if (this.#asked !== undefined) return;
    if (this.audience.size === 0) this.#owner.rest(this);
    this.deliver(() => this.audience.recovering());
  }

  subscribed(link: LinkState, n: number, to: Position, continuity: Continuity): void {
    if (n <= this.#givenUp || n > this.#owner.lastNumber || n < (this.#inForce?.n ?? 0)) return;
    if (n < (this.#asked?.n ?? 0)) {
      // Another was asked since, and says from where: nothing of this one counts.
      this.#inForce = this.#awaited = undefined;
      return;
    }
    const isUnasked = n === this.#inForce?.n;
    const asked = !isUnasked && n === this.#asked?.n ? this.#asked : undefined;
    this.#inForce = asked ?? { n, link };
    this.#awaited = undefined;
    const from = asked === undefined ? this.#position : asked.from;
    if (from !== undefined && continues(from, to, continuity)) {
      // The one who lags hears what follows its position; the others drop what they have.
      const position = continuity === 'resumed' ? from : (this.#position ?? from);
      this.#position = position;
      this.deliver(() => {
        this.#live(position, 'lowest');
      });
      return;
    }
    this.#position = this.hasSnapshot ? undefined : to;
    this.#awaited = this.hasSnapshot ? to : undefined;
    const isForAll = isUnasked || asked?.spares === false;
    this.deliver(() => {
      this.#moveTo(to, ({ heard, wantsSnapshot }) => isForAll || wantsSnapshot || !isAhead(heard, asked?.from, to));
      if (this.hasSnapshot) return;
      this.fold.begin(undefined, to);
      this.#live(to, 'lowest, for all');
    });
  }

  snapshot(link: LinkState, position: Position, json: unknown, meta: unknown, isVetted: boolean): void {
    const awaited = this.#awaited;
    if (this.#inForce?.link !== link || awaited?.[0] !== position[0] || awaited[1] !== position[1]) return;
    this.#awaited = undefined;
    this.#position = position;
    this.read(this.topic.definition.snapshot, json, meta, isVetted, position, link.size, {
      take: (state) => {
        this.fold.begin(state, position);
        this.#moveTo(position, ({ wantsSnapshot }) => wantsSnapshot);
        for (const subscriber of this.audience.listening) subscriber.snapshot(state, position);
        this.#live(position, 'lowest, for all');
      },
      refuse: (error) => this.end(error),
    });
  }

  event(link: LinkState, offset: number, json: unknown, meta: unknown, isVetted: boolean): void {
    const from = this.#position;
    if (this.#inForce?.link !== link || from === undefined || offset <= from[1]) return;
    if (offset > from[1] + 1) {
      // A hole. While a new subscription is under way it asks for nothing more.
      if (!this.#isSettled) return;
      if (!isSame(this.#hole, from)) this.#holeAsks = 0;
      this.#hole = from;
      if (this.#holeAsks++ < HOLE_ASKS) return this.#askAgain('lowest');
      // The server went on from there, again and again, and has nothing for it.
      const to: Position = [from[0], offset - 1];
      this.deliver(() => {
        this.fold.miss(to);
        this.#miss([from[0], from[1] + 1], to);
      });
    }
    const position: Position = [from[0], offset];
    this.#position = position;
    this.read(this.topic.definition.event, json, meta, isVetted, position, link.size, this);
  }

  /** An event was read. */
  take(event: unknown, position: Position): void {
    if (!this.fold.apply(event, position, this.#owner.report)) this.#miss(position, position);
    else for (const subscriber of this.audience.listening) subscriber.event(event, position);
  }

  /** The event at this position can't be read. */
  refuse(error: TautlineError, position: Position): void {
    this.fold.miss(position);
    this.#miss(position, position, error);
  }

  /** Another identity: nothing of the old one's may show, also of what is being read. */
  reset(): void {
    this.forget();
    this.#position = undefined;
    this.#awaited = undefined;
    this.fold.clear();
    for (const subscriber of this.audience.all) subscriber.restart();
  }

  /** Refused, or ended by the server; or the server failed, which passes: who was live already waits for that. */
  unsubscribed(n: number, error: TautlineError): void {
    if (n !== this.#asked?.n && n !== this.#inForce?.n) return;
    this.#asked = undefined;
    if (VERDICTS.has(error.code) || !this.audience.all.some(({ wasLive }) => wasLive)) return this.end(error);
    this.#inForce = this.#awaited = this.#next = undefined;
    this.deliver(() => this.audience.recovering());
    this.#owner.syncAgain(this, error);
  }

  end(error: TautlineError, isKnown = false): void {
    const ended = this.audience.all;
    this.audience.clear();
    this.forget();
    this.#owner.remove(this);
    this.#owner.sync(this);
    for (const subscriber of ended) subscriber.ended(error);
    if (!isKnown) this.#owner.ended(ended, error);
  }

  /** Until the server has begun anew, what it follows up to here goes on. Where nobody listens, it is for who comes. */
  #ask(next: NextSubscribe): void {
    this.#next = next;
    if (this.audience.isListening) this.#owner.sync(this);
  }

  /** Nobody listens, or all who do are paused: nothing that the server still says concerns them. */
  #giveUp(): void {
    this.#givenUp = this.#owner.lastNumber;
    this.#asked = undefined;
    this.#inForce = undefined;
    this.#position = undefined;
    this.#awaited = undefined;
    this.#next = undefined;
  }

  /** Events that can't be had or read are a loss like another, and told. Called in the order of deliveries. */
  #miss(first: Position, to: Position, error?: TautlineError): void {
    this.#moveTo(to, ({ heard }) => isNext(heard, first), error);
    // A snapshot may stand before it: then it comes once more, and asking once more would have no end.
    if (!this.hasSnapshot || covers(this.#missed, to)) return;
    this.#missed = to;
    if (this.#next !== 'anew') this.#askAgain('anew');
  }

  /** As `#ask`, with pauses where it goes on. */
  #askAgain(next: NextSubscribe): void {
    this.#next = next;
    if (this.audience.isListening) this.#owner.syncAgain(this);
  }

  #moveTo(to: Position, chosen: (subscriber: Subscriber) => boolean, error?: TautlineError): void {
    const seen = this.audience.moveTo(to, chosen, error);
    if (seen !== undefined) this.#owner.gapSeen(this, seen);
  }

  /**
   * The subscription in force gives what follows `position`. Who has no state yet gets the folded one; where nothing
   * folds, a fresh one. Who was passed over is asked for again.
   */
  #live(position: Position, forThosePassedOver: NextSubscribe): void {
    const { isUsable, position: told = position } = this.fold;
    this.#moveTo(told, ({ heard, wantsSnapshot }) => heard?.[0] !== told[0] || (wantsSnapshot && isUsable));
    const anew = !this.audience.live(told, isUsable ? this.fold : undefined);
    if (anew) this.#ask('anew');
    else if (this.#isSettled && this.audience.listening.some(({ heard }) => isBefore(heard, position))) {
      this.#ask(forThosePassedOver);
    }
  }
}
