import { useEffect } from 'react';
import { useTopic, type UseTopicOptions } from './use-topic.ts';
import type { StatefulViewedTopic } from './viewed-topic.ts';

/** A topic whose state came stays subscribed until its component is there, and subscribes itself; or for so long. */
const HOLD_MS = 5_000;
/** Nobody tells that a component which waits is gone: after this one that is still there asks again. */
const GIVE_UP_MS = 30_000;

/** Topics that components wait for; those whose state came, and what ends their being held. */
const waiting = new WeakMap<object, Promise<void>>();
const held = new WeakMap<object, () => void>();

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
  const { view } = topic;
  const { data, error } = useTopic<State, { readonly value: Selected }>(topic, {
    ...options,
    select: (state) => ({ value: select === undefined ? (state as unknown as Selected) : select(state) }),
    isEqual: (one, other) => isEqual(one.value, other.value),
  });
  // After each commit: one that waited again, for another user, is mounted already.
  useEffect(() => held.get(view)?.());
  if (data !== undefined) return data.value;
  if (error !== undefined) throw error;
  if (typeof window === 'undefined') throw new Error('useTopicValue: no state comes on a server; give it `initial`');
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what React waits for
  throw arrival(topic);
}

/** Resolves when there is a state, or the end. Keeps the topic subscribed meanwhile: a component that waits has no effects. */
function arrival<State>({ view, state }: StatefulViewedTopic<State>): Promise<void> {
  let promise = waiting.get(view);
  if (promise !== undefined) return promise;
  promise = new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      if (held.get(view) === end) held.delete(view);
      stop();
    };
    const settle = (holdMs: number): void => {
      if (!waiting.delete(view)) return;
      clearTimeout(timer);
      timer = setTimeout(end, holdMs);
      held.set(view, end);
      resolve();
    };
    let timer = setTimeout(() => settle(0), GIVE_UP_MS);
    const look = (): void => {
      if (state.get() !== undefined || view.get().error !== undefined) settle(HOLD_MS);
    };
    const stop = view.listen(look);
    // It may have come with it, or have ended at once.
    queueMicrotask(look);
  });
  waiting.set(view, promise);
  return promise;
}
