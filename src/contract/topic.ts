import type { AnySchema, SchemaOutput } from './schema.ts';

/** Names of the parameters in a template: `'rooms/{roomId}'` gives `'roomId'`. */
export type ParamNames<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;

/** Values of a template's parameters: `{ roomId: string }`. */
export type TopicParams<Template extends string> = { readonly [Name in ParamNames<Template>]: string };

/** Schemas of a topic, and how its events fold into a state. */
export interface TopicOptions<Event extends AnySchema, Snapshot extends AnySchema | undefined> {
  /** What is published. */
  readonly event: Event;
  /** The full state: sent first, and after a gap. */
  readonly snapshot?: Snapshot;
  /**
   * Folds an event into the state. Must return a new state, and bear an event that the state already has
   * (set by key, never increment): a snapshot may be newer than the position it is sent with, unless the server
   * gives it with the position that was stored with it (`snapshotAt`).
   */
  readonly apply?: (state: SchemaOutput<Snapshot>, event: SchemaOutput<Event>) => SchemaOutput<Snapshot>;
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

/**
 * A named stream of events. The template's segments are literals or parameters: `'rooms/{roomId}'`.
 */
export function topic<
  const Template extends string,
  const Event extends AnySchema,
  const Snapshot extends AnySchema | undefined = undefined,
>(template: Template, options: TopicOptions<Event, Snapshot>): Topic<Template, Event, NoInfer<Snapshot>> {
  const { event, snapshot, apply } = options;
  return { kind: 'topic', template, event, snapshot: snapshot as Snapshot, ...(apply && { apply }) };
}
