import type { TopicView } from '../client/topics/topic-view.ts';
import type { Store } from '../primitives/store.ts';

/** What hooks need of a topic's handle to show it. */
export interface ViewedTopic<State> {
  /** The handle's view. */
  readonly view: Store<TopicView<State>>;
}
