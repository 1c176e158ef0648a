import type { Procedure } from './procedure.ts';
import type { SchemaInput, SchemaOutput } from './schema.ts';
import type { Folding, Topic, TopicParams } from './topic.ts';

/** What the caller of a procedure gives; `undefined` where it takes no input. */
export type ProcedureInput<P extends Procedure> = SchemaInput<P['input'], undefined>;

/** What the handler of a procedure sees: the input after its schema; `undefined` where it takes none. */
export type ParsedInput<P extends Procedure> = SchemaOutput<P['input'], undefined>;

/** What the handler answers with (of a stream: one item), before its schema. */
export type HandlerOutput<P extends Procedure> = SchemaInput<P['output'], void>;

/** What the caller receives (of a stream: one item), after its schema. */
export type ProcedureOutput<P extends Procedure> = SchemaOutput<P['output'], void>;

/** Declared errors of a procedure as the caller receives them: the code, and its data after the schema. */
export type DeclaredErrors<P extends Procedure> = {
  readonly [Code in keyof P['errors'] & string]: SchemaOutput<P['errors'][Code]>;
};

/** Declared errors of a procedure as the handler gives them: the code, and its data before the schema. */
export type DeclaredErrorInputs<P extends Procedure> = {
  readonly [Code in keyof P['errors'] & string]: SchemaInput<P['errors'][Code]>;
};

/** What is published to a topic, before its schema. */
export type EventInput<T extends Topic> = SchemaInput<T['event']>;

/** What a subscriber of a topic receives, after its schema. */
export type EventOutput<T extends Topic> = SchemaOutput<T['event']>;

/** What the server gives as the state of a topic, before its schema; `never` where none is declared. */
export type SnapshotInput<T extends Topic> = SchemaInput<T['snapshot']>;

/** What the server sends as the state of a topic, after its schema; `never` where none is declared. */
export type SnapshotOutput<T extends Topic> = SchemaOutput<T['snapshot']>;

/** What a client keeps as the state of a topic; `never` where no `apply` folds one. */
export type StateOutput<T extends Topic> = T extends Folding ? SnapshotOutput<T> : never;

/** Parameters of a topic: `{ roomId: string }`. */
export type Params<T extends Topic> = TopicParams<T['template']>;
