import type { QueryClient, QueryKey } from '@tanstack/query-core';
import type { Connection } from '../client/kernel/connection.ts';
import { emptyFor, watchMutations } from './empty.ts';

/** Whose the entries under a prefix are. */
const owners: WeakMap<QueryClient, Map<string, Connection>> = new WeakMap();

/** The caches to empty when a connection speaks for another user, each with the prefixes. */
const watched: WeakMap<Connection, Set<Owned>> = new WeakMap();

/** Weak: a QueryClient for each request of a server is not kept by the connection. */
interface Owned {
  readonly cache: WeakRef<QueryClient>;
  readonly prefix: string;
}

/**
 * From now on the entries under this prefix are emptied whenever the connection speaks for another user. What one that is
 * closed by now has left there is emptied at once.
 * @param asking - Key of the query that this is for
 * @throws TypeError where another open connection fills the same keys
 */
export function belongTo(queryClient: QueryClient, prefix: string, connection: Connection, asking?: QueryKey): void {
  const owned = owners.get(queryClient) ?? new Map<string, Connection>();
  owners.set(queryClient, owned);
  const owner = owned.get(prefix);
  if (owner === connection) return;
  if (owner !== undefined && owner.status.state !== 'closed') {
    throw new TypeError(
      `Two connections share a QueryClient and the prefix "${prefix}": give queryUtils and attachTopics { prefix }, another for each.`,
    );
  }
  owned.set(prefix, connection);
  if (owner !== undefined) emptyFor(queryClient, prefix, asking);
  watchMutations(queryClient);
  let caches = watched.get(connection);
  if (caches === undefined) {
    const all: Set<Owned> = (caches = new Set());
    watched.set(connection, all);
    connection.on('identity', () => {
      for (const each of all) {
        const cache = each.cache.deref();
        // It may be another's by now.
        if (cache !== undefined && owners.get(cache)?.get(each.prefix) === connection) emptyFor(cache, each.prefix);
      }
    });
  }
  for (const each of caches) if (each.cache.deref() === undefined) caches.delete(each);
  caches.add({ cache: new WeakRef(queryClient), prefix });
}
