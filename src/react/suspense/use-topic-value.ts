import { useEffect } from 'react';
import { release, topicReady } from './topic-ready.ts';
import { useTopic, type UseTopicOptions } from '../use-topic.ts';
import type { StatefulViewedTopic } from '../viewed-topic.ts';

/**
 * The state of a topic, for a component in a `Suspense` boundary: it waits there until the first state is here, and not again
 * while a lost connection comes back. What ends the subscription, a refusal say, is thrown for an error boundary. After a login
 * as another user it waits for the new one's state. The topic is subscribed from the first render on.
 * @throws TautlineError of the end of the subscription; on a server an Error, so that the page renders it, unless it is given
 * `initial`; TypeError for a topic without `snapshot` and `apply`, which has no state
 */
export function useTopicValue<State, Selected = State>(
  topic: StatefulViewedTopic<State>,
  options: UseTopicOptions<State, Selected> = {},
): Selected {
  const { select, isEqual = Object.is } = options;
  const { data, error } = useTopic<State, { readonly value: Selected }>(topic, {
    ...options,
    select: (state) => ({ value: select === undefined ? (state as unknown as Selected) : select(state) }),
    isEqual: (one, other) => isEqual(one.value, other.value),
  });
  // After each commit: one that waited again, for another user, is mounted already.
  useEffect(() => release(topic));
  if (data !== undefined) return data.value;
  if (error !== undefined) throw error;
  // Of a topic that has none this throws: it would wait forever.
  topic.state.get();
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what React waits for
  throw topicReady(topic);
}
