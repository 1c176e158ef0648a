import type { CallPromise, Safe } from '../client/calls/call-promise.ts';
import type { TautlineError } from '../errors.ts';
import type { Position } from '../protocol/messages.ts';
import type { PublishOptions } from '../client/requests/request-options.ts';
import { useAction, type ActionState } from './use-action.ts';
import type { OfClient } from './use-identity.ts';

/** Publishing with what became of it: `data` is the position of the last event. */
export interface Publishing<Event> extends ActionState<Position, TautlineError> {
  /** Publishes; never rejects. The same function in each render. */
  readonly publish: (event: Event, options?: PublishOptions) => Promise<Safe<Position, TautlineError>>;
}

/** Publishes to a topic with what became of the last event: `{ publish, pending, data, error }`. */
export function usePublish<Event>(
  topic: OfClient & { publish(this: void, event: Event, options?: PublishOptions): CallPromise<Position> },
): Publishing<Event> {
  const { call, pending, data, error } = useAction<[Event, PublishOptions?], Position, TautlineError>(
    topic.publish,
    topic,
  );
  return { publish: call, pending, data, error };
}
