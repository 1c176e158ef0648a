import type { MutationObserverOptions, QueryObserverOptions } from '@tanstack/query-core';
import type { CallOptions } from '../client/requests/request-options.ts';
import type { Gap, Subscription, SubscriptionState } from '../client/topics/subscription.ts';
import type { TautlineError } from '../errors.ts';
import type { Position } from '../protocol/messages.ts';

/** What the cache keeps of an answer: `null` in the place of nothing, which TanStack Query does not take for data. */
export type Cached<Output> = Exclude<Output, void | undefined> | (undefined extends Output ? null : never);

/** What a live entry hears of its topic. */
export interface LiveListeners<Event> {
  /** An event. */
  event: (event: Event, position: Position) => void;
  /** Events were lost for good. */
  gap: (gap: Gap) => void;
  /** It begins, is lost, ends. */
  status: (state: SubscriptionState, error?: TautlineError) => void;
}

/** What is needed of the handle of a topic. */
export interface LiveTopic<Event> {
  /** Name on the wire. */
  readonly name: string;
  /** As the handle's own. */
  readonly subscribe: (listeners: LiveListeners<Event>) => Subscription;
}

/** How an answer is kept up to date by a topic, while `attachTopics` is in force and somebody shows it. */
export interface Live<Data, Event> {
  /** The topic: `client.room({ roomId })`. After a gap of it the query is asked again. */
  readonly topic: LiveTopic<Event>;
  /** Puts an event into the data; gives new data. It must bear an event that the data already has. */
  readonly event: (data: Data, event: Event) => Data;
}

/** Options of the calls that a factory makes. */
export interface CallExtras {
  /** Time limit and headers of each attempt; the signal is TanStack Query's. */
  readonly call?: Pick<CallOptions, 'timeoutMs' | 'headers'> | undefined;
}

/** Options of a query besides its input: those of TanStack Query, which win over what the factory sets. */
export interface QueryExtras<Output, CallError, Data>
  extends
    Omit<
      QueryObserverOptions<Output, CallError, Data, Output>,
      'queryKey' | 'queryFn' | 'queryHash' | 'queryKeyHashFn'
    >,
    CallExtras {}

/** How the items of a stream become data; without it they are an array. */
export interface StreamExtras<Item, Data> {
  /** Puts an item to what is there; gives new data. */
  readonly reducer: (data: Data, item: Item) => Data;
  /** What is shown as soon as it begins. */
  readonly initialValue: Data;
}

/** Options of a mutation: those of TanStack Query, which win over what the factory sets. */
export interface MutationExtras<Output, CallError, Input, OnMutate>
  extends Omit<MutationObserverOptions<Output, CallError, Input, OnMutate>, 'mutationKey' | 'mutationFn'>, CallExtras {}
