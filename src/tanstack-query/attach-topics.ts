import type { Query, QueryCacheNotifyEvent, QueryClient } from '@tanstack/query-core';
import type { ClientFunction } from '../client/client-types.ts';
import type { Connection } from '../client/kernel/connection.ts';
import type { Feed } from './feed.ts';
import type { StatefulTopic } from './first-state.ts';
import { DEFAULT_PREFIX, type KeyOptions } from './keys.ts';
import { liveFeed, liveOf } from './live-feed.ts';
import { belongTo } from './owners.ts';
import { forgetPosition, stateFeed } from './state-feed.ts';

/** So long an entry that nobody shows is fed: a screen that is left and entered again asks for nothing, ms. */
const LINGER_MS = 1_000;

/**
 * Keeps entries of a QueryClient up to date by topics: those of `stateOptions`, and of `queryOptions` with `live`. While a
 * component shows one, and 1 s after, its topic is subscribed. Call it once, where the QueryClient is made; it gives its undo.
 * @throws TypeError where another open connection fills the same keys: give both a `prefix`
 */
export function attachTopics(queryClient: QueryClient, client: object, options: KeyOptions = {}): () => void {
  const { prefix = DEFAULT_PREFIX } = options;
  const connection = connectionOf(client);
  if (connection === undefined) return () => {};
  belongTo(queryClient, prefix, connection);
  const feeds = new Feeds(queryClient, client, prefix);
  const undo = [
    queryClient.getQueryCache().subscribe((event) => feeds.hear(event)),
    // What ended for the former user begins again for the present one.
    connection.on('identity', () => feeds.restart()),
  ];
  feeds.restart();
  return () => {
    for (const each of undo) each();
    feeds.stop();
  };
}

/** Of any function in it. */
function connectionOf(group: object): Connection | undefined {
  for (const node of Object.values(group) as object[]) {
    const found =
      typeof node === 'function' ? (node as unknown as ClientFunction<'query'>).connection : connectionOf(node);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The feeds of one QueryClient. */
class Feeds {
  readonly #queryClient: QueryClient;
  readonly #client: object;
  readonly #prefix: string;
  readonly #feeds: Map<Query, Feed> = new Map();
  /** Of entries that nobody shows any more. */
  readonly #lingering: Map<Query, ReturnType<typeof setTimeout>> = new Map();

  constructor(queryClient: QueryClient, client: object, prefix: string) {
    this.#queryClient = queryClient;
    this.#client = client;
    this.#prefix = prefix;
  }

  hear(event: QueryCacheNotifyEvent): void {
    const { type } = event;
    const query = event.query as Query;
    if (query.queryKey[0] !== this.#prefix) return;
    if (type === 'observerAdded' || type === 'observerRemoved' || type === 'observerOptionsUpdated') this.#look(query);
    else if (type === 'removed') this.#drop(query);
    else if (type === 'updated' && event.action.type === 'success') {
      if (event.action.manual === true) forgetPosition(query);
      else this.#feeds.get(query)?.fetched();
    }
  }

  stop(): void {
    for (const query of [...this.#feeds.keys()]) this.#drop(query);
  }

  restart(): void {
    this.stop();
    for (const query of this.#queryClient.getQueryCache().findAll({ queryKey: [this.#prefix] })) this.#look(query);
  }

  #look(query: Query): void {
    const isShown = query.isActive();
    const feed = this.#feeds.get(query);
    if (!isShown) {
      if (feed === undefined || this.#lingering.has(query)) return;
      this.#lingering.set(
        query,
        setTimeout(() => this.#drop(query), LINGER_MS),
      );
      return;
    }
    clearTimeout(this.#lingering.get(query));
    this.#lingering.delete(query);
    const live = liveOf(query);
    if (feed !== undefined && (live === undefined || live.topic.name === feed.name)) return;
    if (feed !== undefined) this.#drop(query);
    const topic = this.#topicOf(query.queryKey);
    if (topic !== undefined) this.#feeds.set(query, stateFeed(this.#queryClient, query, topic));
    else if (live !== undefined) this.#feeds.set(query, liveFeed(this.#queryClient, query, live));
  }

  #drop(query: Query): void {
    clearTimeout(this.#lingering.get(query));
    this.#lingering.delete(query);
    const feed = this.#feeds.get(query);
    this.#feeds.delete(query);
    feed?.stop();
  }

  /** The topic whose state has this key: it tells all, so that an entry from a server or a storage is fed as well. */
  #topicOf(queryKey: readonly unknown[]): (StatefulTopic & { name: string }) | undefined {
    const last = queryKey.at(-1) as { readonly type?: unknown; readonly input?: unknown } | undefined;
    if (last?.type !== 'state') return undefined;
    let node: unknown = this.#client;
    for (const name of queryKey.slice(1, -1)) node = (node as Record<string, unknown> | undefined)?.[name as string];
    return (node as ((params: unknown) => StatefulTopic & { name: string }) | undefined)?.(last.input);
  }
}
