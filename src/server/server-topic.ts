import type { Params } from '../contract/infer.ts';
import type { Procedure } from '../contract/procedure.ts';
import type { Topic } from '../contract/topic.ts';
import type { Position } from '../protocol/messages.ts';
import type { PublishOptions } from './brokers/broker.ts';
import type { PlacedState } from './topics/snapshot-at.ts';

/** Paths of the topics of a contract: `room`, `games.board`. */
export type TopicPath<Tree> = {
  [Name in keyof Tree & string]: Tree[Name] extends Topic
    ? Name
    : Tree[Name] extends Procedure
      ? never
      : `${Name}.${TopicPath<Tree[Name]>}`;
}[keyof Tree & string];

/** The topic at a path of a contract. */
export type TopicAt<Tree, Path extends string> = Path extends keyof Tree
  ? Extract<Tree[Path], Topic>
  : Path extends `${infer Group}.${infer Rest}`
    ? Group extends keyof Tree
      ? TopicAt<Tree[Group], Rest>
      : never
    : never;

/** Parameters of a topic as a last argument; left off where it has none. */
export type TopicParamsRest<T extends Topic> = keyof Params<T> extends never
  ? [params?: Readonly<Record<string, never>>]
  : [params: Params<T>];

/** One topic from the side of the server. */
export interface ServerTopic<Event = unknown, State = unknown> {
  /** Name on the wire, `rooms/42`. */
  readonly name: string;
  /**
   * Publishes to all subscribers; settles with the position. Commit first, then publish, in commit order.
   * A rejection that nobody handles is reported to `onError`.
   * With a `key`, what is published again, after a failure or by another server, takes effect once: as long as the history
   * holds the first, its position is given and nobody is told.
   * With `tx`, where the broker has transactions, it is part of one of the app's: no subscriber hears of it before the commit,
   * and none of what is rolled back.
   * @throws TautlineError `BAD_INPUT` or `BAD_PAYLOAD`, TypeError for a key that is no text of 1 to 256 characters, and for a
   * `tx` that the broker can't use: as a rejection.
   */
  publish(event: Event, options?: PublishOptions): Promise<Position>;
  /**
   * The state now, and where it stands, for a page that is rendered on the server: given both, the page goes on from there.
   * `authorize` is not asked.
   * @throws TypeError for a topic without a snapshot; what the `snapshot` handler or the broker throws: as a rejection
   */
  read(): Promise<PlacedState<State>>;
  /**
   * Ends the subscriptions of somebody, on all servers that share the broker: `FORBIDDEN`. Nothing more is delivered. Who subscribes again is
   * asked for by `authorize`, so change first what that looks at.
   * @throws TypeError for an identity that is no string.
   */
  revoke(identity: string): void;
}
