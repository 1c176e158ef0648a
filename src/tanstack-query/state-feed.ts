import type { Query, QueryClient, QueryState } from '@tanstack/query-core';
import type { TopicView } from '../client/topics/topic-view.ts';
import { isPosition } from '../protocol/shapes.ts';
import type { Position } from '../protocol/messages.ts';
import { failEntry, type Feed } from './feed.ts';
import type { StatefulTopic } from './first-state.ts';

/**
 * Feeds an entry of `stateOptions`: each state of the topic, and its end. The state goes into the entry together with its
 * position, so that one which comes back from a storage goes on from there.
 */
export function stateFeed(queryClient: QueryClient, query: Query, topic: StatefulTopic & { name: string }): Feed {
  takeStored(query, topic);
  const show = ({ data, error }: TopicView<unknown>): void => {
    if (data === undefined) {
      if (error !== undefined) failEntry(query, error, undefined);
    } else if (query.state.fetchStatus === 'idle') put(query, data, topic.read()?.position);
    // What is being fetched would come to stand beside a position that is not its own.
    else if (data !== query.state.data) queryClient.setQueryData(query.queryKey, data);
  };
  return {
    name: topic.name,
    // A state that came while the first one was handed over is newer.
    fetched: () => show(topic.view.get()),
    stop: topic.view.subscribe(show),
  };
}

/** Somebody else has put something into an entry: that is the state of no position. */
export function forgetPosition(query: Query): void {
  if (positionIn(query.state) !== undefined) query.setState({ fetchMeta: null });
}

/** A state and its position, in one step: whoever stores the entry has both or neither. */
function put(query: Query, data: unknown, position: Position | undefined): void {
  const { state } = query;
  const isSame = data === state.data;
  if (isSame && (position === undefined) === (positionIn(state) === undefined)) return;
  // A storage and a server's render take along what TanStack Query keeps of a fetch. This entry has no pages, for which it is.
  const fetchMeta = (position === undefined ? null : { position }) as QueryState['fetchMeta'];
  query.setState(
    isSame
      ? { fetchMeta }
      : {
          data,
          dataUpdateCount: state.dataUpdateCount + 1,
          dataUpdatedAt: Date.now(),
          error: null,
          isInvalidated: false,
          status: 'success',
          fetchMeta,
        },
  );
}

function takeStored({ state }: Query, topic: StatefulTopic): void {
  const position = positionIn(state);
  if (state.data !== undefined && position !== undefined) topic.hydrate({ state: state.data, position });
}

/** Where the data of an entry stands. What a storage has may be anything. */
function positionIn({ fetchMeta }: QueryState): Position | undefined {
  const { position } = (fetchMeta ?? {}) as { readonly position?: unknown };
  return isPosition(position) ? position : undefined;
}
