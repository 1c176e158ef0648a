import type { HandlerOutput } from '../../contract/infer.ts';
import type { Procedure } from '../../contract/procedure.ts';
import type { Topic } from '../../contract/topic.ts';
import type { HandlerArgs, Handlers, SnapshotPart, TopicRules } from './handlers.ts';

/*
 * How the `context` of handlers gets its type from an `authenticate` whose parameter has none written.
 *
 * The checker reads the options from top to bottom and works out `Context` when the first parameter that depends on it
 * needs a type. But to find the type of a handler in `Handlers` it has to resolve a conditional type, and that puts
 * what is known of every type parameter into it: nothing yet, so the context would be `undefined` for good. Where a
 * conditional without the context decides, and stands in an intersection beside a plain object type with it, only the
 * conditional is resolved, and the context stays open until the handler's parameter asks for it. `OpenHandlers` are
 * the same handlers written so. They cost the checker more, and are what it sees until the context is known.
 */

/** Handlers as an option of a server: the same as {@link Handlers}, whatever is known of the context. */
export type GivenHandlers<Tree, Context = unknown> =
  | (IfOpen<keyof Tree & string, Context> & OpenHandlers<Tree, Context>)
  | (IfClosed<Tree, Context> & Handlers<Tree, Context>);

/**
 * `unknown` while nothing is known of the context, and for a server without `authenticate`; else `never`. So it is for
 * any contract, whose names are `string`: that is what the checker takes a contract for where it only looks for
 * literals in what is expected, which spares it the search of the open handlers.
 */
type IfOpen<Names, Context> = { readonly open: unknown; readonly closed: never }[Names extends unknown
  ? string extends Names
    ? 'closed'
    : [Context] extends [undefined]
      ? 'open'
      : 'closed'
  : never];

/** The opposite. */
type IfClosed<Tree, Context> = [Context] extends [undefined] ? (string extends keyof Tree ? unknown : never) : unknown;

type OpenHandlers<Tree, Context> = {
  readonly [Name in keyof Tree]: OpenHandler<Tree[Name], Context>;
};

type OpenHandler<Node, Context> =
  | (IfProcedure<Node> & OpenProcedure<Node, Context>)
  | (SnapshotPartOf<Node> & OpenTopic<Node, Context>)
  | (IfGroup<Node> & OpenHandlers<Node, Context>);

type IfProcedure<Node> = Node extends Procedure ? unknown : never;
type IfGroup<Node> = Node extends { readonly kind: string } ? never : unknown;
type SnapshotPartOf<Node> = Node extends Topic ? SnapshotPart<Node> : never;
type AsProcedure<Node> = Node extends Procedure ? Node : never;
type AsTopic<Node> = Node extends Topic ? Node : never;
type AnswerOf<P extends Procedure> = P['kind'] extends 'stream'
  ? AsyncIterable<HandlerOutput<P>> | Promise<AsyncIterable<HandlerOutput<P>>>
  : HandlerOutput<P> | Promise<HandlerOutput<P>>;

// Interfaces, since the checker looks into them only when it is about a node of that kind.
interface OpenProcedure<Node, Context> {
  (args: HandlerArgs<AsProcedure<Node>, Context>): AnswerOf<AsProcedure<Node>>;
}
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a name for it, for the reason above
interface OpenTopic<Node, Context> extends TopicRules<AsTopic<Node>, Context> {}
