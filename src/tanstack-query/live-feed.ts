import type { Query, QueryClient, QueryKey } from '@tanstack/query-core';
import { failEntry, type Feed } from './feed.ts';
import type { Live } from './options.ts';

/** Settles when the topic of an entry is listened to, or never will be. */
const readiness: WeakMap<Query, Promise<void>> = new WeakMap();

/** What is read from then on has all that was published before: the topic brings the rest. At once without a topic. */
export async function liveReady(queryClient: QueryClient, queryKey: QueryKey): Promise<void> {
  const query = queryClient.getQueryCache().find({ queryKey, exact: true });
  if (query !== undefined) await readiness.get(query);
}

/** The newest `live` that those who show an entry gave with its options. */
export function liveOf(query: Query): Live<unknown, unknown> | undefined {
  for (const { options } of query.observers) {
    const { live } = options as { readonly live?: Live<unknown, unknown> };
    if (live !== undefined) return live;
  }
  return undefined;
}

/** Feeds an entry of `queryOptions` with `live`: each event, once the answer is there. */
export function liveFeed(queryClient: QueryClient, query: Query, live: Live<unknown, unknown>): Feed {
  const { queryKey } = query;
  /** Came since the fetch began that is under way: its answer may lack them. */
  let pending: unknown[] = [];
  let isOver = false;
  // What was asked for before the topic was listened to may lack events.
  let askAgain = query.state.fetchStatus === 'fetching';
  let isOld = query.state.data !== undefined;

  const put = (event: unknown): void => {
    const { event: apply } = liveOf(query) ?? live;
    queryClient.setQueryData(queryKey, (data: unknown) => (data === undefined ? undefined : apply(data, event)));
  };
  const ask = (): void => void queryClient.invalidateQueries({ queryKey, exact: true });
  const subscription = live.topic.subscribe({
    event: (event) => {
      if (query.state.fetchStatus === 'fetching') pending.push(event);
      put(event);
    },
    gap: ask,
    status: (state, error) => {
      if (state === 'ended' && error !== undefined && !isOver) failEntry(query, error, query.state.data);
    },
  });
  const taken = subscription.ready.then(
    () => {
      if (isOld && !isOver && query.state.fetchStatus === 'idle') ask();
    },
    () => {}, // told as its status
  );
  let over!: () => void;
  const stopped = new Promise<void>((resolve) => (over = resolve));
  readiness.set(query, Promise.race([taken, stopped]));

  return {
    name: live.topic.name,
    fetched() {
      const events = pending;
      pending = [];
      isOld = false;
      for (const event of events) put(event);
      if (askAgain) ask();
      askAgain = false;
    },
    stop() {
      isOver = true;
      over();
      readiness.delete(query);
      subscription.unsubscribe();
      // From now on it misses what happens.
      query.invalidate();
    },
  };
}
