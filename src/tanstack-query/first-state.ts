import type { TopicInitial } from '../client/client-types.ts';
import type { TopicView } from '../client/topics/topic-view.ts';
import type { Store } from '../primitives/store.ts';

/** What is needed of the handle of a topic. */
export interface StatefulTopic {
  readonly view: Store<TopicView<unknown>>;
  readonly state: Store<unknown>;
  hydrate(initial: TopicInitial<unknown>): void;
  read(): TopicInitial<unknown> | undefined;
}

/**
 * The first state of a topic; rejects when it ends before, and when nobody waits any more. With a TypeError where the topic
 * has no state: to read that throws.
 */
export async function firstState({ view, state }: StatefulTopic, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', aborted);
      stop();
      act();
    };
    const aborted = (): void => settle(() => reject(signal.reason as Error));
    const look = (): void => {
      const data = state.get();
      const { error } = view.get();
      if (data !== undefined) settle(() => resolve(data));
      else if (error !== undefined) settle(() => reject(error));
    };
    const stop = view.listen(look);
    signal.addEventListener('abort', aborted);
    look();
  });
}
