import type { MutationObserver, QueryClient, QueryKey } from '@tanstack/query-core';

/** Who shows a mutation, by QueryClient: the cache of mutations does not tell. */
const showing: WeakMap<QueryClient, Set<MutationObserver<unknown, unknown, unknown>>> = new WeakMap();

/** Remembers from now on who shows mutations, so that they can be emptied, too. */
export function watchMutations(queryClient: QueryClient): void {
  if (showing.has(queryClient)) return;
  const observers: Set<MutationObserver<unknown, unknown, unknown>> = new Set();
  showing.set(queryClient, observers);
  queryClient.getMutationCache().subscribe((event) => {
    if (event.type === 'observerAdded') observers.add(event.observer);
    else if (event.type === 'observerRemoved') observers.delete(event.observer);
  });
}

/**
 * Nothing under this prefix shows any more, now; what somebody looks at is asked for again.
 * @param asking - Key of the query that is being asked for already, for the new user.
 */
export function emptyFor(queryClient: QueryClient, prefix: string, asking?: QueryKey): void {
  const queryKey = [prefix];
  const cache = queryClient.getQueryCache();
  for (const query of cache.findAll({ queryKey })) {
    if (query.queryKey === asking) query.setState({ ...query.resetState, fetchStatus: 'fetching' });
    else if (query.getObserversCount() > 0) query.reset();
    else cache.remove(query);
  }
  const mutations = queryClient.getMutationCache();
  for (const observer of showing.get(queryClient) ?? [])
    if (observer.options.mutationKey?.[0] === prefix) observer.reset();
  for (const mutation of mutations.findAll({ mutationKey: queryKey })) mutations.remove(mutation);
  // Not at once: the connection is about to begin anew.
  queueMicrotask(() => void queryClient.refetchQueries({ queryKey, type: 'active' }, { cancelRefetch: false }));
}
