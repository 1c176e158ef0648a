import { useEffect } from 'react';
import type { Gap, Subscription, TopicListeners } from '../client/topics/subscription.ts';
import type { TopicView } from '../client/topics/topic-view.ts';
import type { Position } from '../protocol/messages.ts';
import { useLatest } from './use-latest.ts';
import { useTopic } from './use-topic.ts';
import type { ViewedTopic } from './viewed-topic.ts';

/** Options of {@link useTopicEvents}. */
export interface UseTopicEventsOptions {
  /** Events were lost for good. */
  readonly gap?: ((gap: Gap) => void) | undefined;
}

/** What hooks need of a topic's handle to hear its events. */
export interface HeardTopic<Event> extends ViewedTopic<unknown> {
  /** The handle's subscribe. */
  subscribe(listeners: TopicListeners<Event>): Subscription;
}

const nothing = (): undefined => undefined;

/**
 * Calls back with each event once, in order, while the component is mounted: the callback of the last render. Renders
 * when the subscription changes its status alone. After a refusal it listens again as the next user.
 *
 * @returns what became of the subscription, and of no data
 */
export function useTopicEvents<Event>(
  topic: HeardTopic<Event> | null,
  callback: (event: Event, position: Position) => void,
  { gap }: UseTopicEventsOptions = {},
): TopicView<undefined> {
  const latest = useLatest({ callback, gap });
  const view = useTopic(topic, { select: nothing });
  const isEnded = view.status === 'ended';
  useEffect(() => {
    if (topic === null || isEnded) return undefined;
    const subscription = topic.subscribe({
      event: (event, position) => latest.current.callback(event, position),
      gap: (lost) => latest.current.gap?.(lost),
    });
    return () => subscription.unsubscribe();
  }, [topic, isEnded, latest]);
  return view;
}
