import type { TautlineError } from '../../errors.ts';
import { callIsolated } from '../../primitives/emit.ts';
import { store, type Store } from '../../primitives/store.ts';
import type { Gap, Subscription, SubscriptionState, TopicListeners } from './subscription.ts';

/** What a screen shows of a topic: one immutable value a change. */
export interface TopicView<State> {
  /** `idle` while nobody listens to it, `pending` before the topic is live; `recovering` keeps the data. */
  readonly status: 'idle' | 'pending' | 'live' | 'recovering' | 'ended';
  /**
   * Its state, `undefined` before the first snapshot and after the end. Of one that was left a while ago what it was then, until
   * it is `live`.
   */
  readonly data: State | undefined;
  /** Why it ended. */
  readonly error: TautlineError | undefined;
  /** The last loss since it began. */
  readonly gap: Gap | undefined;
}

/** What a view needs of its topic. */
interface ViewedTopic {
  /** The folded state. */
  readonly get: () => unknown;
  readonly subscribe: (listeners: TopicListeners<unknown, unknown>) => Subscription;
  readonly report: (error: unknown) => void;
  /** Called when the user is another one: what begins views anew that ended, and has others look again. */
  readonly anew: Set<() => void>;
}

const IDLE: TopicView<unknown> = Object.freeze({ status: 'idle', data: undefined, error: undefined, gap: undefined });
const PENDING = { ...IDLE, status: 'pending' } as const;

/** The view of a topic: one subscription for all who listen to it. After an end it is asked for by the next user again. */
export function topicView({ get, subscribe, report, anew }: ViewedTopic): Store<TopicView<unknown>> {
  const listeners = new Set<(view: TopicView<unknown>) => void>();
  let view = IDLE;
  let subscription: Subscription | undefined;

  const set = (changes: Partial<TopicView<unknown>>): void => {
    const next = { ...view, ...changes, data: get() };
    if (KEYS.every((key) => next[key] === view[key])) return;
    view = Object.freeze(next);
    for (const listener of [...listeners]) callIsolated(() => listeners.has(listener) && listener(next), report);
  };
  const changed = (): void => set({});
  const status = (state: SubscriptionState, error?: TautlineError): void => {
    if (state === 'ended') anew.add(begin);
    set(state === 'subscribing' ? PENDING : { status: state, error });
  };
  const begin = (): void => {
    anew.delete(begin);
    // A state from before may show, which no status takes away.
    anew.add(changed);
    set(PENDING);
    subscription = subscribe({
      event: changed,
      snapshot: changed,
      gap: (gap) => set({ gap }),
      status,
    });
  };
  const current = (): TopicView<unknown> => {
    if (listeners.size === 0) set(IDLE);
    return view;
  };

  const listen: Store<TopicView<unknown>>['listen'] = (listener) => {
    // Before it is among the listeners: nobody is told anything while he begins to listen.
    if (listeners.size === 0) begin();
    const own = (value: TopicView<unknown>): unknown => listener(value);
    listeners.add(own);
    return () => {
      if (!listeners.delete(own) || listeners.size > 0) return;
      anew.delete(begin);
      anew.delete(changed);
      subscription?.unsubscribe();
    };
  };
  return store(current, listen, report);
}

const KEYS = ['status', 'data', 'error', 'gap'] as const;

/** The state alone. Nobody hears of an end from it, which is reported. */
export function topicState(
  get: () => unknown,
  view: Store<TopicView<unknown>>,
  report: (error: unknown) => void,
  endSeen: (error: TautlineError) => void,
): Store<unknown> {
  const listen: Store<unknown>['listen'] = (listener) => {
    let shown: unknown;
    let told: TautlineError | undefined;
    const seen = (error: TautlineError | undefined): void => {
      if (error !== undefined && error !== told) endSeen(error);
      told = error;
    };
    const stop = view.listen(({ data, error }) => {
      seen(error);
      if (data === shown) return;
      shown = data;
      return listener(data);
    });
    shown = get();
    // It may have ended while it began.
    seen(view.get().error);
    return stop;
  };
  return store(get, listen, report);
}
