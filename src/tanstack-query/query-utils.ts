import type { MutationFunctionContext, QueryFunctionContext } from '@tanstack/query-core';
import type { ClientFunction } from '../client/client-types.ts';
import type { CallOptions } from '../client/requests/request-options.ts';
import { LASTING_DEFAULTS, MUTATION_DEFAULTS, QUERY_DEFAULTS } from './defaults.ts';
import { liveReady } from './live-feed.ts';
import { DEFAULT_PREFIX, entryKey, type KeyOptions, type KeyType, type UtilsKey } from './keys.ts';
import { belongTo } from './owners.ts';
import { readStream, type StreamRun } from './read-stream.ts';
import { firstState, type StatefulTopic } from './first-state.ts';
import type { ClientUtils } from './utils-types.ts';

type Kind = 'query' | 'mutation' | 'stream' | 'topic';

/** A function of a client, whatever it takes. */
type Fn = ClientFunction<Kind> & ((input: unknown, options?: CallOptions) => unknown);
type Options = Record<string, unknown> & { readonly call?: CallOptions };

/**
 * Keys and options for TanStack Query from a client, for React, Vue, Svelte, Solid and Angular: the client's tree, with
 * `queryOptions`, `mutationOptions`, `streamedOptions` and `stateOptions`. Nothing is sent until TanStack Query asks.
 *
 * They set `networkMode: 'always'` (the connection waits by itself, until the deadline) and `retry`: twice, and only where
 * `error.retryable`. When the connection speaks for another user, everything under the prefix is emptied in each
 * QueryClient that has asked for anything.
 */
export function queryUtils<Client extends object>(client: Client, options: KeyOptions = {}): ClientUtils<Client> {
  const { prefix = DEFAULT_PREFIX } = options;
  return groupUtils(client, [prefix], prefix) as ClientUtils<Client>;
}

function groupUtils(group: object, above: UtilsKey, prefix: string): object {
  const children = Object.entries(group).map(([name, node]: [string, object]) => {
    const at = [...above, name];
    const own = typeof node === 'function' ? UTILS[(node as Fn).kind](node as Fn, at, prefix) : undefined;
    return [name, own === undefined ? groupUtils(node, at, prefix) : { key: () => at, ...own }];
  });
  return { key: () => above, ...(Object.fromEntries(children) as object) };
}

const UTILS: Readonly<Record<Kind, (fn: Fn, at: UtilsKey, prefix: string) => object>> = {
  query: (fn, at, prefix) => ({
    queryKey: (input?: unknown) => entryKey(at, 'query', input),
    queryOptions: (input?: unknown, { call, ...options }: Options = {}) => ({
      ...QUERY_DEFAULTS,
      ...('live' in options && { staleTime: Infinity }),
      ...options,
      ...entry(fn, at, prefix, 'query', input, async ({ client, queryKey, signal }) => {
        if ('live' in options) await liveReady(client, queryKey);
        return (await fn(input, { ...call, signal })) ?? null;
      }),
    }),
  }),
  mutation: (fn, at, prefix) => {
    const mutationKey = entryKey(at, 'mutation', undefined);
    return {
      mutationKey: () => mutationKey,
      mutationOptions: ({ call, ...options }: Options = {}) => ({
        ...MUTATION_DEFAULTS,
        ...options,
        mutationKey,
        mutationFn: (input: unknown, { client }: MutationFunctionContext) => {
          belongTo(client, prefix, fn.connection);
          return fn(input, call);
        },
      }),
    };
  },
  stream: (fn, at, prefix) => ({
    queryKey: (input?: unknown) => entryKey(at, 'stream', input),
    streamedOptions: (
      input?: unknown,
      { call, reducer, initialValue, ...options }: Options & Partial<StreamRun> = {},
    ) => ({
      ...LASTING_DEFAULTS,
      ...options,
      ...entry(fn, at, prefix, 'stream', input, (context) => {
        const items = fn(input, { ...call, signal: context.signal }) as AsyncIterable<unknown>;
        return readStream(context, items, reducer === undefined ? COLLECT : { reducer, initialValue });
      }),
    }),
  }),
  topic: (fn, at, prefix) => ({
    stateKey: (params?: unknown) => entryKey(at, 'state', params),
    stateOptions: (params?: unknown, options: Options = {}) => ({
      ...LASTING_DEFAULTS,
      ...options,
      ...entry(fn, at, prefix, 'state', params, ({ signal }) => firstState(fn(params) as StatefulTopic, signal)),
    }),
  }),
};

const COLLECT: StreamRun = { reducer: (items, item) => [...(items as unknown[]), item], initialValue: [] };

/** The key, and what fills it. What is no input is a `skipToken`, which TanStack Query takes in the function's place. */
function entry(
  fn: Fn,
  at: UtilsKey,
  prefix: string,
  type: KeyType,
  input: unknown,
  ask: (context: QueryFunctionContext) => unknown,
): object {
  if (typeof input === 'symbol') return { queryKey: entryKey(at, type, undefined), queryFn: input };
  return {
    queryKey: entryKey(at, type, input),
    queryFn: async (context: QueryFunctionContext) => {
      belongTo(context.client, prefix, fn.connection, context.queryKey);
      return ask(context);
    },
  };
}
