import type { DataTag, MutationFunction, QueryFunction, SkipToken } from '@tanstack/query-core';
import type { CallPromise } from '../client/calls/call-promise.ts';
import type { ItemStream } from '../client/streams/item-stream.ts';
import type { TautlineError } from '../errors.ts';
import type { Store } from '../primitives/store.ts';
import type { UtilsKey } from './keys.ts';
import type { Cached, CallExtras, Live, MutationExtras, QueryExtras, StreamExtras } from './options.ts';

/** The input of a factory: nothing has to be given where the procedure takes none. */
export type FactoryInput<Input, Skip = SkipToken> = undefined extends Input
  ? [input?: Input | Skip]
  : [input: Input | Skip];

/** What a factory gives: options for any hook of any adapter, and for `fetchQuery` and the like. */
export type MadeOptions<Output, CallError, Data, Skip> = Omit<QueryExtras<Output, CallError, Data>, 'call'> & {
  /** Knows the type of what is under it. */
  queryKey: DataTag<UtilsKey, Output, CallError>;
  /** Asks, with TanStack Query's signal. */
  queryFn: QueryFunction<Output> | Skip;
};

/** What each group and each procedure has. */
export interface GroupUtils {
  /** Begins the keys of everything in it: for `invalidateQueries({ queryKey: utils.users.key() })`. */
  key(this: void): UtilsKey;
}

/** Factories of a query. */
export interface QueryUtils<Input, Output, CallError> extends GroupUtils {
  /** Its key with an input; `getQueryData` knows the type of what is there. */
  queryKey(this: void, ...input: FactoryInput<Input, never>): DataTag<UtilsKey, Cached<Output>, CallError>;
  /** Options for `useQuery`, `useSuspenseQuery`, `fetchQuery` and the like. `skipToken` from TanStack Query: not yet. */
  queryOptions<Data = Cached<Output>, Event = never>(
    this: void,
    input: Input,
    options?: QueryExtras<Cached<Output>, CallError, Data> & { live?: Live<Cached<Output>, Event> | undefined },
  ): MadeOptions<Cached<Output>, CallError, Data, never>;
  /** The same, with an input that may not be there yet. */
  queryOptions<Data = Cached<Output>, Event = never>(
    this: void,
    input: Input | SkipToken,
    options?: QueryExtras<Cached<Output>, CallError, Data> & { live?: Live<Cached<Output>, Event> | undefined },
  ): MadeOptions<Cached<Output>, CallError, Data, SkipToken>;
  /** The same, of a query that takes no input. */
  queryOptions(
    this: void,
    ...input: FactoryInput<Input, never>
  ): MadeOptions<Cached<Output>, CallError, Cached<Output>, never>;
}

/** Factories of a mutation. */
export interface MutationUtils<Input, Output, CallError> extends GroupUtils {
  /** Key of its runs, for `useMutationState` and `isMutating`. */
  mutationKey(this: void): UtilsKey;
  /** Options for `useMutation`. */
  mutationOptions<OnMutate = unknown>(
    this: void,
    options?: MutationExtras<Output, CallError, Input, OnMutate>,
  ): Omit<MutationExtras<Output, CallError, Input, OnMutate>, 'call'> & {
    /** See `mutationKey()`. */
    mutationKey: UtilsKey;
    /** Calls. */
    mutationFn: MutationFunction<Output, Input>;
  };
}

/** Factories of a stream that ends. */
export interface StreamUtils<Input, Item, CallError> extends GroupUtils {
  /** Its key with an input. */
  queryKey(this: void, ...input: FactoryInput<Input, never>): DataTag<UtilsKey, unknown, CallError>;
  /**
   * Options for `useQuery`: data grows with each item, `fetchStatus` is `fetching` until the end. A stream that is left
   * before its end leaves nothing in the cache; one that has ended is not asked for again by itself.
   */
  streamedOptions<Data, Selected = Data>(
    this: void,
    input: Input | SkipToken,
    options: QueryExtras<Data, CallError, Selected> & StreamExtras<Item, Data>,
  ): MadeOptions<Data, CallError, Selected, SkipToken>;
  /** The same, into an array. */
  streamedOptions<Selected = Item[]>(
    this: void,
    ...given: undefined extends Input
      ? [input?: Input | SkipToken, options?: QueryExtras<Item[], CallError, Selected>]
      : [input: Input | SkipToken, options?: QueryExtras<Item[], CallError, Selected>]
  ): MadeOptions<Item[], CallError, Selected, SkipToken>;
}

/** Factories of a topic with a state. */
export interface TopicUtils<Params, State> extends GroupUtils {
  /** Key of its state. */
  stateKey(this: void, ...params: FactoryInput<Params, never>): DataTag<UtilsKey, State, TautlineError>;
  /** Options for `useQuery`: the first snapshot, and while `attachTopics` is in force and somebody shows it, each state after it. */
  stateOptions<Data = State>(
    this: void,
    ...given: undefined extends Params
      ? [params?: Params | SkipToken, options?: Omit<QueryExtras<State, TautlineError, Data>, keyof CallExtras>]
      : [params: Params | SkipToken, options?: Omit<QueryExtras<State, TautlineError, Data>, keyof CallExtras>]
  ): MadeOptions<State, TautlineError, Data, SkipToken>;
}

/** What a function of a client becomes. */
export type NodeUtils<Node> = Node extends { readonly kind: 'topic' }
  ? Node extends (...params: infer Given) => { readonly state: Store<infer State> }
    ? TopicUtils<Given[0], Exclude<State, undefined>>
    : GroupUtils
  : Node extends {
        readonly kind: 'query';
        (input: infer Input, options?: never): CallPromise<infer Output, infer CallError>;
      }
    ? QueryUtils<Input, Output, CallError>
    : Node extends {
          readonly kind: 'mutation';
          (input: infer Input, options?: never): CallPromise<infer Output, infer CallError>;
        }
      ? MutationUtils<Input, Output, CallError>
      : Node extends {
            readonly kind: 'stream';
            (input: infer Input, options?: never): ItemStream<infer Item, infer CallError>;
          }
        ? StreamUtils<Input, Item, CallError>
        : ClientUtils<Node>;

/** The tree of a client, with factories in the places of its functions. A name of the contract wins over `key` of a group. */
export type ClientUtils<Group> = { readonly [Name in keyof Group]: NodeUtils<Group[Name]> } & Omit<
  GroupUtils,
  keyof Group
>;
