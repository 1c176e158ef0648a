import { validate } from '../../contract/schema.ts';
import type { Deadlines } from '../../primitives/deadlines.ts';
import type { Position } from '../../protocol/messages.ts';
import type { Broker, Feed, FeedListener, PublishOptions } from '../brokers/broker.ts';
import type { BoundTopic } from '../app/handlers.ts';
import { HubTopic } from './hub-topic.ts';
import { isThenable } from '../app/now-or-later.ts';
import type { Observer } from '../app/observer.ts';
import { outputFault } from '../app/output-fault.ts';
import type { PayloadWriter } from '../app/payload-writer.ts';
import type { Report } from '../app/reporter.ts';
import { openFeed } from './open-feed.ts';
import { isSnapshotAt, placeIn } from './snapshot-at.ts';
import type { EncodedSnapshot, PlacedState } from './snapshot-at.ts';
import type { Follower } from './follower.ts';
import { TopicIndex } from './topic-index.ts';
import type { FoundTopic } from './topic-index.ts';
import { limitTime } from '../app/time-limit.ts';

/** Options of a {@link TopicHub}. */
export interface TopicHubOptions {
  readonly topics: ReadonlyMap<string, BoundTopic>;
  readonly writer: PayloadWriter;
  readonly broker: Broker;
  readonly deadlines: Deadlines;
  readonly report: Report;
  readonly observer: Observer | undefined;
}

/** What the app gives as the state of a topic. */
interface GivenState extends Pick<PlacedState, 'state'> {
  /** The one that was stored with it. */
  readonly position: Position | undefined;
}

/** Who only looks where a topic stands. */
const DEAF = { event: () => undefined, reset: () => undefined };

/** All topics that somebody on this server is subscribed to. */
export class TopicHub {
  readonly #options: TopicHubOptions;
  readonly #index: TopicIndex;
  readonly #open = new Map<string, HubTopic>();

  constructor(options: TopicHubOptions) {
    this.#options = options;
    this.#index = new TopicIndex(options.topics.values());
  }

  /** The topic of the contract that a name belongs to. */
  find(name: string): FoundTopic | undefined {
    return this.#index.find(name);
  }

  join(follower: Follower, asked: Position | undefined): void {
    const { found } = follower;
    const { name, bound } = found;
    let topic = this.#open.get(name);
    if (topic === undefined) {
      const { report, observer } = this.#options;
      topic = new HubTopic({
        name,
        path: bound.topic.path,
        open: (listener) => this.#openFeed(name, listener),
        report,
        observer,
        snapshot: bound.snapshot === undefined ? undefined : () => this.#snapshot(found),
        empty: () => this.#open.delete(name),
      });
      this.#open.set(name, topic);
    }
    topic.join(follower, asked);
  }

  /** Asks the app whether somebody may; an answer that does not come in time is an error. */
  authorize({ bound, params }: FoundTopic, context: unknown, action: 'subscribe' | 'publish'): unknown {
    const answer = bound.authorize({ params, context, action });
    if (!isThenable(answer)) return answer;
    return limitTime(this.#options.deadlines, `authorize of ${bound.topic.path}`, () => answer);
  }

  /** The broker can publish within transactions of the app. */
  get hasTransactions(): boolean {
    return this.#options.broker.hasTransactions === true;
  }

  /** Waits for a broker that is away; nothing where it is there. Rejects when it does not come back in time. */
  ready(): void | Promise<void> {
    const { connection } = this.#options.broker;
    if (connection?.isUp === false) return connection.ready();
  }

  /** Publishes what the schema of the topic made. @throws TautlineError `BAD_PAYLOAD`, or what the broker throws. */
  publish(
    { name, bound: { topic } }: FoundTopic,
    event: unknown,
    options?: PublishOptions,
  ): Position | PromiseLike<Position> {
    const { writer, broker } = this.#options;
    return broker.publish(name, writer.encode(event, topic.definition.event, topic.path, 'event'), options);
  }

  /** Lets go of every feed, also of those that a running `snapshot()` keeps. */
  close(): void {
    for (const topic of [...this.#open.values()]) topic.close();
  }

  /**
   * The state of a topic now, and where it stands. @throws TypeError for a topic without one, or what its `snapshot`, its
   * schema or the broker throws: as a rejection
   */
  async read(found: FoundTopic): Promise<PlacedState> {
    const { topic, snapshot } = found.bound;
    if (snapshot === undefined) throw new TypeError(`read: ${topic.path} declares no snapshot`);
    // The position is taken before the app is asked: the state may be newer than it, never older.
    const feed = await this.#openFeed(found.name, DEAF);
    try {
      const { head } = feed;
      const { state, position } = await this.#state(found);
      return { state, position: position === undefined ? head : placeIn(feed.head, position) };
    } finally {
      feed.close();
    }
  }

  #openFeed(name: string, listener: FeedListener): Feed | PromiseLike<Feed> {
    const { broker, deadlines } = this.#options;
    return openFeed(broker, deadlines, name, listener);
  }

  async #snapshot(found: FoundTopic): Promise<EncodedSnapshot> {
    const { topic } = found.bound;
    const { state, position } = await this.#state(found);
    const schema = topic.definition.snapshot!;
    return { payload: this.#options.writer.encode(state, schema, topic.path, 'snapshot'), position };
  }

  /** What the app gives, parsed. */
  async #state({ bound, params }: FoundTopic): Promise<GivenState> {
    const { deadlines } = this.#options;
    const schema = bound.topic.definition.snapshot!;
    const given = await limitTime(deadlines, `the snapshot of ${bound.topic.path}`, () => bound.snapshot!({ params }));
    const placed: GivenState = isSnapshotAt(given) ? given : { state: given, position: undefined };
    const result = await validate(schema, placed.state);
    if (result.issues === undefined) return { state: result.value, position: placed.position };
    throw outputFault('snapshot', bound.topic.path, result);
  }
}
