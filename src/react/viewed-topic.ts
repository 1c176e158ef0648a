import type { TopicView } from '../client/topics/topic-view.ts';
import type { TopicInitial } from '../client/client-types.ts';
import type { Store } from '../primitives/store.ts';
import type { OfClient } from './use-identity.ts';

/** What hooks that give nothing but a state need of the handle of a topic: one without `snapshot` and `apply` has none. */
export interface StatefulViewedTopic<State> extends ViewedTopic<State>, OfClient {
  /** The handle's state. */
  readonly state: Store<State | undefined>;
}

/** What hooks need of a topic's handle to show it. */
export interface ViewedTopic<State> {
  /** The handle's view. */
  readonly view: Store<TopicView<State>>;
  /** The handle's way to take a state that was loaded. */
  hydrate?(this: void, initial: TopicInitial<State>): void;
}
