import type { AnySchema, SchemaOutput } from './schema.ts';

/** Names of the parameters in a template: `'rooms/{roomId}'` gives `'roomId'`. */
export type ParamNames<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;

/** Values of a template's parameters: `{ roomId: string }`. */
export type TopicParams<Template extends string> = { readonly [Name in ParamNames<Template>]: string };

/** Folds an event into the state of a topic. */
export type Apply<Event extends AnySchema, Snapshot extends AnySchema | undefined> = (
  state: SchemaOutput<Snapshot>,
  event: SchemaOutput<Event>,
) => SchemaOutput<Snapshot>;

/** Schemas of a topic, and how its events fold into a state. `Given` is the function, `unknown` where there is none. */
export interface TopicOptions<Event extends AnySchema, Snapshot extends AnySchema | undefined, Given = unknown> {
  /** What is published. */
  readonly event: Event;
  /**
   * The full state: sent first, and after a gap. Without `apply` it is for those who fold the events themselves:
   * `subscribe({ snapshot, event })`.
   */
  readonly snapshot?: Snapshot;
  /**
   * Folds an event into the state. Must return a new state, and bear an event that the state already has
   * (set by key, never increment): a snapshot may be newer than the position it is sent with, unless the server
   * gives it with the position that was stored with it (`snapshotAt`). Needs `snapshot`, where it begins.
   */
  // The intersection types a function that is written here, and tells by `Given` whether there is one.
  readonly apply?: Apply<Event, Snapshot> & Given;
}

/** One topic of a contract. */
export interface Topic<
  Template extends string = string,
  Event extends AnySchema = AnySchema,
  Snapshot extends AnySchema | undefined = AnySchema | undefined,
> {
  readonly kind: 'topic';
  readonly template: Template;
  readonly event: Event;
  readonly snapshot: Snapshot;
  /** Of a `presence()`: what its clients say. The server publishes the events. */
  readonly enter?: AnySchema;
  /** What makes its function in a client, where that can do more than the one of a topic. */
  readonly offer?: 'presence';
  /** See {@link TopicOptions.apply}. */
  // Method syntax keeps a topic of a narrow state assignable to `Topic`: the engine calls it with what it parsed.
  apply?(state: SchemaOutput<Snapshot>, event: SchemaOutput<Event>): SchemaOutput<Snapshot>;
}

/** What a topic with a state has. */
export interface Folding {
  /** See {@link TopicOptions.apply}. */
  apply(state: never, event: never): unknown;
}

/** A topic with a state: `snapshot`, and every event since, folded by `apply`. */
export interface StatefulTopic<
  Template extends string = string,
  Event extends AnySchema = AnySchema,
  Snapshot extends AnySchema | undefined = AnySchema | undefined,
> extends Topic<Template, Event, Snapshot> {
  apply(state: SchemaOutput<Snapshot>, event: SchemaOutput<Event>): SchemaOutput<Snapshot>;
}

/** What {@link topic} makes: with a state where it is given `apply`. */
export type MadeTopic<
  Template extends string,
  Event extends AnySchema,
  Snapshot extends AnySchema | undefined,
  Given,
> = unknown extends Given ? Topic<Template, Event, Snapshot> : StatefulTopic<Template, Event, Snapshot>;

/**
 * A named stream of events. The template's segments are literals or parameters: `'rooms/{roomId}'`. With `snapshot` and
 * `apply` it has a state, which a client keeps: `client.room({ roomId }).state`. Without them it has none.
 */
export function topic<
  const Template extends string,
  const Event extends AnySchema,
  const Snapshot extends AnySchema | undefined = undefined,
  Given = unknown,
>(
  template: Template,
  options: TopicOptions<Event, Snapshot, Given>,
): MadeTopic<Template, Event, NoInfer<Snapshot>, Given> {
  const { event, snapshot, apply } = options;
  const made: Topic<Template, Event, Snapshot> = {
    kind: 'topic',
    template,
    event,
    snapshot: snapshot as Snapshot,
    ...(apply && { apply }),
  };
  return made as MadeTopic<Template, Event, Snapshot, Given>;
}
