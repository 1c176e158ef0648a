import type {
  EventInput,
  EventOutput,
  Params,
  ProcedureInput,
  ProcedureOutput,
  SnapshotOutput,
  StateOutput,
} from '../contract/infer.ts';
import type { InfoInput } from '../contract/presence.ts';
import type { Procedure } from '../contract/procedure.ts';
import type { SchemaOutput } from '../contract/schema.ts';
import type { Folding, Topic } from '../contract/topic.ts';
import type { SystemCode, TautlineError } from '../errors.ts';
import type { Position } from '../protocol/messages.ts';
import type { CallOptions, PublishOptions } from './requests/request-options.ts';
import type { CallPromise } from './calls/call-promise.ts';
import type { Connection } from './kernel/connection.ts';
import type { ItemStream } from './streams/item-stream.ts';
import type { Stay } from './presence/stay.ts';
import type { LossyOptions, LossyOutcome } from './requests/lossy-lane.ts';
import type { Subscription, TopicListeners } from './topics/subscription.ts';
import type { TopicEvents, TopicEventsOptions } from './topic-events/event-feed.ts';
import type { Store } from '../primitives/store.ts';
import type { TopicView } from './topics/topic-view.ts';

/** Every error that a call can end with: the declared ones with their data, and Tautline's own. */
export type CallError<P extends Procedure> =
  | TautlineError<SystemCode, undefined>
  | { [Code in keyof P['errors'] & string]: TautlineError<Code, SchemaOutput<P['errors'][Code]>> }[keyof P['errors'] &
      string];

/** What each function of a client says of itself, for adapters to caches, forms and the like. */
export interface ClientFunction<Kind extends Procedure['kind'] | 'topic'> {
  /** Path in the contract, `messages.send`. */
  readonly path: string;
  readonly kind: Kind;
  /** The connection of its client. */
  readonly connection: Connection;
}

/** A query or a mutation, as the caller sees it. One without input is called with nothing, or with `undefined`. */
export type CallFunction<P extends Procedure> = [keyof P['input']] extends [never]
  ? CallFunctionWithoutInput<P>
  : CallFunctionWithInput<P>;

// No signature below has a doc comment: an editor would show it in place of the contract's own at each call.

/** A query or a mutation that takes an input. Rejects with a {@link CallError}, at the latest at its deadline. */
export interface CallFunctionWithInput<P extends Procedure> extends ClientFunction<P['kind']> {
  (input: ProcedureInput<P>, options?: CallOptions): CallPromise<ProcedureOutput<P>, CallError<P>>;
}

/** A query or a mutation that takes no input. Rejects with a {@link CallError}, at the latest at its deadline. */
export interface CallFunctionWithoutInput<P extends Procedure> extends ClientFunction<P['kind']> {
  (input?: undefined, options?: CallOptions): CallPromise<ProcedureOutput<P>, CallError<P>>;
}

/** A stream, as the caller sees it. One without input is called with nothing, or with `undefined`. */
export type StreamFunction<P extends Procedure> = [keyof P['input']] extends [never]
  ? StreamFunctionWithoutInput<P>
  : StreamFunctionWithInput<P>;

/**
 * A stream that takes an input. Gives a run of it, which starts when its first item is asked for. Nothing is thrown
 * here: the reader is told.
 */
export interface StreamFunctionWithInput<P extends Procedure> extends ClientFunction<'stream'> {
  (input: ProcedureInput<P>, options?: CallOptions): ItemStream<ProcedureOutput<P>, CallError<P>>;
}

/**
 * A stream that takes no input. Gives a run of it, which starts when its first item is asked for. Nothing is thrown
 * here: the reader is told.
 */
export interface StreamFunctionWithoutInput<P extends Procedure> extends ClientFunction<'stream'> {
  (input?: undefined, options?: CallOptions): ItemStream<ProcedureOutput<P>, CallError<P>>;
}

/** One topic, with its parameters filled in. The same object for the same topic while somebody holds it; its functions need no `this`. */
export interface TopicHandle<T extends Topic> {
  /** Name on the wire, `rooms/42`. */
  readonly name: string;
  /** The connection of its client. */
  readonly connection: Connection;
  /**
   * Publishes an event that may be dropped (a cursor, a typing sign); resolves with what became of it when it is
   * written or dropped. Without a connection it waits, as long as `timeoutMs`; it never holds up anything else.
   */
  publish(this: void, event: EventInput<T>, options: LossyOptions): CallPromise<LossyOutcome>;
  /** Publishes an event; resolves with its position when the server has taken it. It acts, like a mutation. */
  publish(this: void, event: EventInput<T>, options?: PublishOptions): CallPromise<Position>;
  /**
   * Listens from now, or from where the app says (`from`); while the connection is lost, from where the topic's other
   * listeners are. All who listen to one topic share one subscription on the wire.
   * @throws TypeError when another contract on this connection declares the same topic, or for a `from` that is no position
   */
  subscribe(
    this: void,
    listeners:
      TopicListeners<EventOutput<T>, SnapshotOutput<T>> | ((event: EventOutput<T>, position: Position) => void),
  ): Subscription;
  /**
   * The events for one `for await` loop, each once and in order; of a topic with a snapshot those after it. It listens
   * from its first step until it is left; a slow loop pauses itself and no other listener, and a gap ends it with
   * `GAP` unless `gap` takes it. After an end of the subscription it rejects with its error, after another identity
   * with `UNAUTHENTICATED`.
   * @throws RangeError for a buffer that is no whole number above 0
   */
  events(this: void, options?: TopicEventsOptions<SnapshotOutput<T>>): TopicEvents<EventOutput<T>>;
  /**
   * What became of the subscription, for a screen, and the state of a topic that has one: subscribed while somebody listens
   * to it.
   */
  readonly view: Store<TopicView<StateOutput<T>>>;
}

/** A {@link TopicHandle} of a topic with a state: the contract gives it `snapshot` and `apply`. */
export interface StatefulTopicHandle<T extends Topic> extends TopicHandle<T> {
  /**
   * The snapshot and every event since, folded by the contract's `apply`; `undefined` before there is one. One for all who
   * use this topic, and subscribed while somebody listens to it. To read this of a topic without a state throws a TypeError.
   */
  readonly state: Store<StateOutput<T> | undefined>;
  /**
   * Takes a state that the app has loaded, and where it stands, as if the topic had been left then: who listens sees it at
   * once, and only what was published since is sent. For pages that were rendered on a server, where `server.topic(…).read()`
   * gives both. What is here already stays; after a change of the user nothing is taken.
   * @throws TypeError for a position that is none
   */
  hydrate(this: void, initial: TopicInitial<StateOutput<T>>): void;
  /**
   * The state, and where it stands, to be kept in a storage: `hydrate` takes it the next time. `undefined` before there is one,
   * and while it does not follow the events: after one that can't be had, until the next snapshot.
   */
  read(this: void): TopicInitial<StateOutput<T>> | undefined;
}

/** A state of a topic that was loaded somewhere else: see {@link StatefulTopicHandle.hydrate}. */
export interface TopicInitial<State> {
  readonly state: State;
  /** What is published after that follows. */
  readonly position: Position;
}

/** Gives the handle of a topic. One without parameters is called with nothing. */
export interface TopicFunction<T extends Topic> extends ClientFunction<'topic'> {
  (
    ...params: keyof Params<T> extends never ? [params?: Readonly<Record<string, never>>] : [params: Params<T>]
  ): TopicHandle<T>;
}

/** Gives the handle of a topic with a state. One without parameters is called with nothing. */
export interface StatefulTopicFunction<T extends Topic> extends ClientFunction<'topic'> {
  (
    ...params: keyof Params<T> extends never ? [params?: Readonly<Record<string, never>>] : [params: Params<T>]
  ): StatefulTopicHandle<T>;
}

/** A presence, with its parameters filled in: who is there, as a topic, and how to be there. */
export interface PresenceHandle<P extends Topic> extends StatefulTopicHandle<P> {
  /**
   * Is there, as the user of this connection, until `leave()`: across lost connections, and as the next user after a change.
   * Several stays of one client are one connection, which says what the last of them says. Keep what it returns.
   */
  enter(this: void, info: InfoInput<P>): Stay<InfoInput<P>>;
}

/** Gives the handle of a presence. One without parameters is called with nothing. */
export interface PresenceFunction<P extends Topic> extends ClientFunction<'topic'> {
  (
    ...params: keyof Params<P> extends never ? [params?: Readonly<Record<string, never>>] : [params: Params<P>]
  ): PresenceHandle<P>;
}

/** The function of a topic, with a state or without, or of a presence. */
export type TopicNode<T extends Topic> = T extends { readonly info: unknown }
  ? PresenceFunction<T>
  : T extends Folding
    ? StatefulTopicFunction<T>
    : TopicFunction<T>;

/** What a procedure becomes in the client of its contract, by its kind. */
export interface ClientNodes<P extends Procedure> {
  /** Reads. */
  readonly query: CallFunction<P>;
  /** Changes something. */
  readonly mutation: CallFunction<P>;
  /** Gives items, one after the other. */
  readonly stream: StreamFunction<P>;
}

/** What a node of a contract becomes in its client: a procedure, a topic, or a group. */
export type ClientNode<Node> = Node extends Procedure
  ? ClientNodes<Node>[Node['kind']]
  : Node extends Topic
    ? TopicNode<Node>
    : Client<Node>;

/** The client of a contract: the contract's tree, with functions in the places of its procedures and topics. */
export type Client<Tree> = { readonly [Name in keyof Tree]: ClientNode<Tree[Name]> };
