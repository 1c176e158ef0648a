import type { Contract, ContractTopic } from '../../contract/contract.ts';
import type { EventOutput, HandlerOutput, Params, ParsedInput, SnapshotInput } from '../../contract/infer.ts';
import type { Procedure } from '../../contract/procedure.ts';
import type { Topic } from '../../contract/topic.ts';
import type { Headers } from '../../protocol/messages.ts';
import type { SnapshotAt } from '../topics/snapshot-at.ts';
import { failWith } from './declared-failure.ts';
import type { Fail } from './declared-failure.ts';

/** Which call a handler works on. */
export interface CallInfo {
  /** Number of the call in the life of its client. */
  readonly id: number;
  /** Contract path, `messages.send`. */
  readonly path: string;
  /** What the client sent along; empty without. */
  readonly headers: Headers;
}

/** What a handler of a procedure is given. */
export interface HandlerArgs<P extends Procedure = Procedure, Context = unknown> {
  /** What the input schema made of what the client sent. */
  readonly input: ParsedInput<P>;
  /** What `authenticate` said of the caller. */
  readonly context: Context;
  /**
   * Aborts when nobody waits for the answer any more: cancelled, out of time, or the client is gone for good. Made when it
   * is read, so a copy of the arguments by `{ ...args }` is without it.
   */
  readonly signal: AbortSignal;
  readonly fail: Fail<P>;
  readonly call: CallInfo;
}

/** Handler of a query or mutation. What it returns is parsed by the output schema; what it throws stays in the server. */
export interface ProcedureHandler<P extends Procedure = Procedure, Context = unknown> {
  (args: HandlerArgs<P, Context>): HandlerOutput<P> | Promise<HandlerOutput<P>>;
}

/**
 * Handler of a stream, an async generator as a rule; or it gives, or promises, anything that can be read with
 * `for await`. An item is asked for when the consumer has room for it, so a slow consumer slows it down; each is parsed
 * by the output schema. What it throws comes after the items before it. Once nobody waits any more its signal aborts
 * and its `return()` is called: what stands in `finally` runs. It is never started twice.
 */
export interface StreamHandler<P extends Procedure = Procedure, Context = unknown> {
  (args: HandlerArgs<P, Context>): AsyncIterable<HandlerOutput<P>> | Promise<AsyncIterable<HandlerOutput<P>>>;
}

/** Who wants what of a topic. */
export interface AuthorizeArgs<T extends Topic = Topic, Context = unknown> {
  readonly params: Params<T>;
  readonly context: Context;
  readonly action: 'subscribe' | 'publish';
}

/** A publication of a client before it takes effect. */
export interface PublishArgs<T extends Topic = Topic, Context = unknown> {
  readonly params: Params<T>;
  /** What the event schema made of what the client sent; it is this that is published. */
  readonly event: EventOutput<T>;
  readonly context: Context;
}

/** Rules that every topic has. */
export interface TopicRules<T extends Topic, Context> {
  /**
   * Asked at every subscription and publication, also after a reconnect. To enter a presence is to `publish`: who is refused
   * then is not there any more.
   */
  readonly authorize: (args: AuthorizeArgs<T, Context>) => boolean | Promise<boolean>;
  /**
   * Runs before a client's publication takes effect; it does not where this throws. Without it clients may not publish.
   * A presence has none.
   */
  readonly publish?: (args: PublishArgs<T, Context>) => void | Promise<void>;
}

/** A state, or a state with its position. */
export type GivenSnapshot<T extends Topic> = SnapshotInput<T> | SnapshotAt<SnapshotInput<T>>;

/** Rule of a topic that declares a snapshot. */
export interface SnapshotRule<T extends Topic> {
  /**
   * The full state of the topic. One call serves all who wait for it, so it is not told for whom it is.
   * What is published must have been committed before. It may hold more than its subscribers were sent so far, so
   * `apply` bears to see an event again; a state that was stored together with its position is given with
   * `snapshotAt(state, position)`.
   */
  readonly snapshot: (args: { readonly params: Params<T> }) => GivenSnapshot<T> | Promise<GivenSnapshot<T>>;
}

/**
 * What a topic has besides its rules: the rule for its snapshot exactly when the contract declares one. The server knows
 * that of a presence.
 */
export type SnapshotPart<T extends Topic> = [keyof T['snapshot']] extends [never]
  ? { readonly snapshot?: undefined }
  : T extends { readonly info: unknown }
    ? { readonly snapshot?: undefined }
    : SnapshotRule<T>;

/** Rules of a topic; `snapshot` is there exactly when the contract declares one. */
export type TopicHandlers<T extends Topic = Topic, Context = unknown> = TopicRules<T, Context> & SnapshotPart<T>;

/** The handler that a procedure has, by its kind. */
export interface HandlersByKind<P extends Procedure, Context> {
  readonly query: ProcedureHandler<P, Context>;
  readonly mutation: ProcedureHandler<P, Context>;
  readonly stream: StreamHandler<P, Context>;
}

/** Handler of one node of a contract: of a procedure, of a topic, or of a group. */
export type HandlerOf<Node, Context> = Node extends Procedure
  ? HandlersByKind<Node, Context>[Node['kind']]
  : Node extends Topic
    ? TopicHandlers<Node, Context>
    : Handlers<Node, Context>;

/** Handlers of a contract, in its shape. */
export type Handlers<Tree, Context = unknown> = {
  readonly [Name in keyof Tree]: HandlerOf<Tree[Name], Context>;
};

/** A procedure with its handler; types end here, the engine knows what it parsed. */
export interface BoundProcedure {
  readonly path: string;
  /** What a repeated id must name again. */
  readonly key: string;
  readonly fail: Fail;
  readonly procedure: Procedure;
  readonly handler: (args: unknown) => unknown;
}

/** A topic with its rules. */
export interface BoundTopic {
  readonly topic: ContractTopic;
  readonly authorize: (args: unknown) => unknown;
  readonly publish: ((args: unknown) => unknown) | undefined;
  readonly snapshot: ((args: unknown) => unknown) | undefined;
}

/** Everything that a server serves, by contract path. Lookups go through these maps alone. */
export interface BoundContract {
  readonly procedures: ReadonlyMap<string, BoundProcedure>;
  readonly topics: ReadonlyMap<string, BoundTopic>;
}

/**
 * Joins a contract with its handlers; `members` gives the state of a presence, by its name on the wire.
 * @throws TypeError naming the path of a handler that is missing or none.
 */
export function bindHandlers(
  contract: Contract,
  handlers: unknown,
  members: (name: string) => unknown = () => [],
): BoundContract {
  const procedures = new Map<string, BoundProcedure>();
  const topics = new Map<string, BoundTopic>();
  for (const [path, procedure] of contract.procedures) {
    const key = `${procedure.kind === 'stream' ? 'open' : 'call'} ${path}`;
    procedures.set(path, { path, key, fail: failWith(procedure), procedure, handler: functionAt(handlers, path) });
  }
  for (const [path, topic] of contract.topics) {
    const rules = valueAt(handlers, path);
    const optional = (name: string) => (valueAt(rules, name) === undefined ? undefined : functionAt(rules, name, path));
    const { snapshot, enter } = topic.definition;
    const authorize = functionAt(rules, 'authorize', path);
    if (enter !== undefined) {
      topics.set(path, { topic, authorize, publish: undefined, snapshot: (of) => members(topic.fill(paramsOf(of))) });
      continue;
    }
    topics.set(path, {
      topic,
      authorize,
      publish: optional('publish'),
      snapshot: snapshot === undefined ? undefined : functionAt(rules, 'snapshot', path),
    });
  }
  return { procedures, topics };
}

function paramsOf(args: unknown): Readonly<Record<string, string>> {
  return (args as { readonly params: Readonly<Record<string, string>> }).params;
}

function functionAt(tree: unknown, path: string, above = ''): (args: unknown) => unknown {
  const value = valueAt(tree, path);
  const place = above === '' ? path : `${above}.${path}`;
  if (typeof value !== 'function') {
    throw new TypeError(`handlers.${place} must be a function, not ${value === undefined ? 'missing' : typeof value}`);
  }
  return value as (args: unknown) => unknown;
}

/** Own properties only: a name like `constructor` finds what was written, or nothing. */
export function valueAt(tree: unknown, path: string): unknown {
  let value = tree;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
