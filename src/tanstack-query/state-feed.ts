import type { Query, QueryClient } from '@tanstack/query-core';
import type { TopicView } from '../client/topics/topic-view.ts';
import { failEntry, type Feed } from './feed.ts';
import type { StatefulTopic } from './first-state.ts';

/** Feeds an entry of `stateOptions`: each state of the topic, and its end. */
export function stateFeed(queryClient: QueryClient, query: Query, topic: StatefulTopic & { name: string }): Feed {
  const show = ({ data, error }: TopicView<unknown>): void => {
    if (data === undefined) {
      if (error !== undefined) failEntry(query, error, undefined);
    } else if (data !== query.state.data) queryClient.setQueryData(query.queryKey, data);
  };
  return {
    name: topic.name,
    // A state that came while the first one was handed over is newer.
    fetched: () => show(topic.view.get()),
    stop: topic.view.subscribe(show),
  };
}
