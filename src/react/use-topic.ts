import { useCallback, useMemo, useState } from 'react';
import type { TopicInitial } from '../client/client-types.ts';
import type { TopicView } from '../client/topics/topic-view.ts';
import { perFrame } from '../client/per-frame.ts';
import type { ViewedTopic } from './viewed-topic.ts';
import { useSelected } from './use-selected.ts';

/** Options of {@link useTopic}. */
export interface UseTopicOptions<State, Selected = State> {
  /** What the component needs of the state; called only when there is one. @default all of it */
  readonly select?: ((state: State) => Selected) | undefined;
  /** Two selections that are the same render once. @default Object.is */
  readonly isEqual?: ((one: Selected, other: Selected) => boolean) | undefined;
  /**
   * What a server loaded for the page, by `server.topic(…).read()`: shown by the server's render and by the first of the page,
   * which goes on from there. What the first render is given counts, and only until the user changes. @default nothing
   */
  readonly initial?: TopicInitial<State> | undefined;
  /** `'frame'`: renders at most once a frame, or four times a second while the page is hidden. @default each change */
  readonly pace?: 'frame' | undefined;
}

const NOTHING: TopicView<never> = { status: 'idle', data: undefined, error: undefined, gap: undefined };
const PENDING: TopicView<never> = { ...NOTHING, status: 'pending' };
const NO_VIEW = { get: () => NOTHING, listen: () => () => undefined };

/**
 * What a topic shows: `{ status, data, error, gap }`, the same object until it changes. Subscribed while the component is
 * mounted; all who use one topic share one subscription. `null`: nothing is subscribed, `idle`. After a lost connection the
 * data stays; after a login as another user it is the new one's, or `undefined`.
 */
export function useTopic<State, Selected = State>(
  topic: ViewedTopic<State> | null,
  options: UseTopicOptions<State, Selected> = {},
): TopicView<Selected> {
  const { select, isEqual = Object.is, pace } = options;
  const [server] = useState(() => {
    const { initial } = options;
    // The client of a server may be everybody's.
    if (initial !== undefined && typeof window !== 'undefined') topic?.hydrate?.(initial);
    return initial === undefined ? PENDING : { ...PENDING, data: initial.state };
  });
  const view = topic?.view ?? NO_VIEW;
  const listen = useMemo(
    () => (pace === 'frame' && topic !== null ? perFrame(topic.view).listen : view.listen),
    [pace, topic, view],
  );
  const isNone = topic === null;
  const selectView = useCallback(
    (value: TopicView<State>): TopicView<Selected> => {
      const { status, data, error, gap } = value;
      const selected = data === undefined || select === undefined ? (data as Selected | undefined) : select(data);
      // It is about to be subscribed: by the effect behind this render.
      return { status: status === 'idle' && !isNone ? 'pending' : status, data: selected, error, gap };
    },
    [select, isNone],
  );
  const isSame = useCallback(
    (one: TopicView<Selected>, other: TopicView<Selected>) =>
      one.status === other.status &&
      one.error === other.error &&
      one.gap === other.gap &&
      (one.data === undefined || other.data === undefined ? one.data === other.data : isEqual(one.data, other.data)),
    [isEqual],
  );
  return useSelected<TopicView<State>, TopicView<Selected>>(
    listen,
    view.get,
    isNone ? NOTHING : server,
    selectView,
    isSame,
  );
}
