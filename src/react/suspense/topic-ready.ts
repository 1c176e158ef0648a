import { DEVELOPMENT } from '../../development.ts';
import { TautlineError } from '../../errors.ts';
import { identityOf, type OfClient } from '../use-identity.ts';
import type { StatefulViewedTopic, ViewedTopic } from '../viewed-topic.ts';

/** A topic that came stays subscribed until the component is there, and subscribes itself; or for so long. */
const HOLD_MS = 5_000;
/** Nobody tells that a component which waits is gone: after this one that is still there asks again. */
const GIVE_UP_MS = 30_000;

/** Of each topic that was waited for, by its view. */
const waits = new WeakMap<object, Wait>();

/**
 * For React's `use()`: the first state of a topic, `use(topicReady(room))`; of a topic without a state, `undefined` as soon as
 * the server has taken the subscription, for more never comes. The same promise in each render, until the connection speaks for
 * another user, or the state is gone.
 *
 * To call it subscribes, until the promise settles and 5 s more: then the component subscribes itself, by `useTopic` say.
 * Rejects with the TautlineError that ended the subscription, a refusal or a closed connection, and asks anew 5 s later.
 * Rejects with `TIMEOUT` after 30 s: React then renders again a component that is still there, which waits on, while one that
 * is gone holds nothing. Where nobody listens, a rejection is no unhandled one.
 *
 * A function here and not a member of the handle, because only what waits in a render needs this: an app without Suspense does
 * not load it. Elsewhere `await room.subscribe(listeners).ready`.
 * @throws Error on a server, where no state comes
 */
export function topicReady<State>(topic: StatefulViewedTopic<State>): Promise<State>;
export function topicReady(topic: ViewedTopic<unknown> & OfClient): Promise<undefined>;
export function topicReady(topic: ViewedTopic<unknown> & OfClient): Promise<unknown> {
  if (typeof window === 'undefined') throw new Error('no state comes on a server; give useTopicValue its `initial`');
  const known = waits.get(topic.view);
  if (known?.isValid === true) return known.promise;
  const wait = new Wait(topic);
  waits.set(topic.view, wait);
  known?.end();
  return wait.promise;
}

/** The component that waited is there: its own subscription holds the topic. */
export function release({ view }: ViewedTopic<unknown>): void {
  const wait = waits.get(view);
  if (wait?.isSettled === true) wait.end();
}

/** One promise, and the subscription that it waits for: a component that waits has no effects. */
class Wait {
  readonly promise: Promise<unknown>;
  readonly #topic: ViewedTopic<unknown> & OfClient;
  readonly #stop: () => void;
  #timer: ReturnType<typeof setTimeout>;
  #isHeld = true;
  #result: { readonly data?: unknown; readonly error?: TautlineError; readonly identity: number } | undefined;
  #resolve!: (data: unknown) => void;
  #reject!: (error: TautlineError) => void;

  constructor(topic: ViewedTopic<unknown> & OfClient) {
    this.#topic = topic;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever awaits it sees its rejection; nobody must.
    this.promise.catch(() => undefined);
    this.#stop = topic.view.listen(() => this.#look());
    this.#timer = setTimeout(() => this.#giveUp(), GIVE_UP_MS);
    // It may have come with it, or have ended at once.
    queueMicrotask(() => this.#look());
  }

  get isSettled(): boolean {
    return this.#result !== undefined;
  }

  /** What it tells, or is about to, is so still. */
  get isValid(): boolean {
    if (this.#result === undefined) return true;
    const { data, error, identity } = this.#result;
    if (identity !== identityOf(this.#topic)) return false;
    if (error !== undefined) return this.#isHeld;
    return data === undefined || this.#topic.view.get().data !== undefined;
  }

  /** Holds the topic no longer. */
  end(): void {
    this.#isHeld = false;
    clearTimeout(this.#timer);
    this.#stop();
  }

  #look(): void {
    const { status, data, error } = this.#topic.view.get();
    if (error !== undefined) this.#settle({ error });
    else if (data !== undefined || status === 'live') this.#settle({ data });
  }

  #giveUp(): void {
    this.end();
    const what = DEVELOPMENT && `the topic was not ready after ${GIVE_UP_MS} ms`;
    this.#settle({ error: new TautlineError('TIMEOUT', what, { outcome: 'unknown', retryable: true }) });
  }

  #settle(result: { readonly data?: unknown; readonly error?: TautlineError }): void {
    if (this.#result !== undefined) return;
    this.#result = { ...result, identity: identityOf(this.#topic) };
    clearTimeout(this.#timer);
    if (this.#isHeld) this.#timer = setTimeout(() => this.end(), HOLD_MS);
    if (result.error === undefined) this.#resolve(result.data);
    else this.#reject(result.error);
  }
}
