import { TautlineError } from '../../errors.ts';
import type { Position } from '../../protocol/messages.ts';
import { callIsolated } from '../../primitives/emit.ts';
import { checkPosition, covers, isNext } from './positions.ts';

/** A place where events are missing: what follows starts after `to`. */
export interface Gap {
  /** Position of the last event delivered; `undefined` where there was none. */
  readonly from: Position | undefined;
  readonly to: Position;
  /** An event arrived that could not be read: this is why. */
  readonly error?: TautlineError | undefined;
}

/** State of a subscription: `recovering` while the connection is lost or the server has not answered again. */
export type SubscriptionState = 'subscribing' | 'live' | 'recovering' | 'ended';

/**
 * What a subscriber wants to hear. A listener that throws, or rejects, disturbs nobody: it is reported by the connection.
 * So is, once, a gap or an end that none of the listeners of a topic takes.
 */
export interface TopicListeners<Event, Snapshot = never> {
  /**
   * Begins after this position, which the app has kept: what was published since is told, or a gap where the history does
   * not reach so far. Of a topic that declares a snapshot the app then has the state of that position: a snapshot comes only
   * after a gap. @default from now
   */
  readonly from?: Position | undefined;
  /** An event, and where it stands. The position has moved before this is called. */
  readonly event?: ((event: Event, position: Position) => void) | undefined;
  /** The full state, for topics that declare one: first, and after a gap. */
  readonly snapshot?: ((snapshot: Snapshot, position: Position) => void) | undefined;
  /** Events were lost for good: the history of the server does not cover them. */
  readonly gap?: ((gap: Gap) => void) | undefined;
  /** The subscription entered another state; with an error where it was ended by one. */
  readonly status?: ((state: SubscriptionState, error?: TautlineError) => void) | undefined;
}

/** One listener of a topic. */
export interface Subscription {
  readonly state: SubscriptionState;
  /** Resolves when the server has taken the subscription (and sent the snapshot, where one is declared); rejects when it refuses. */
  readonly ready: Promise<void>;
  /** Ends it; a second call does nothing. */
  unsubscribe(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** Hears the events of a topic, and where they stand. */
export type EventListener = (event: unknown, position: Position) => void;

/** What a subscriber tells its topic. */
export interface SubscriberTopic {
  /** It declares a snapshot. */
  readonly hasSnapshot: boolean;
  /** Length of what is being delivered, as a message. */
  readonly size: number;
  left(subscriber: Subscriber): void;
  paused(): void;
  /** Somebody began to listen, or goes on after a pause. */
  attend(): void;
  report(error: unknown): void;
}

/**
 * A subscription from the side of its topic: it is told what happens, and isolates the topic from its listeners. It
 * has a position of its own, and hears what comes next after that, or a gap: nothing else, whatever is sent for others.
 */
export class Subscriber implements Subscription {
  /** The listeners, or the one of events alone. */
  readonly #listeners: TopicListeners<unknown, unknown> | EventListener;
  readonly #topic: SubscriberTopic;
  #state: SubscriptionState = 'subscribing';
  #heard: Position | undefined;
  #isPaused = false;
  /** It has no state that follows the events, of a topic that declares one. */
  wantsSnapshot: boolean;
  /** Made when somebody asks for it. */
  #ready: Promise<void> | undefined;
  /** Settles it, until it is decided. */
  #settle: ((error: TautlineError | undefined) => void) | undefined;
  /** How `ready` was decided, once it was. */
  #decided: (() => TautlineError | undefined) | undefined;

  constructor(listeners: TopicListeners<unknown, unknown> | EventListener, topic: SubscriberTopic) {
    const from = typeof listeners === 'function' ? undefined : listeners.from;
    this.#heard = from === undefined ? undefined : checkPosition(from);
    this.#listeners = listeners;
    this.wantsSnapshot = topic.hasSnapshot && from === undefined;
    this.#topic = topic;
  }

  get ready(): Promise<void> {
    if (this.#ready === undefined) {
      this.#ready = new Promise((resolve, reject) => {
        this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      });
      // Whoever awaits it sees its rejection; nobody must.
      this.#ready.catch(() => undefined);
      this.#settleReady();
    }
    return this.#ready;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** Up to here it was told everything. */
  get heard(): Position | undefined {
    return this.#heard;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Length of what it is being told, as a message. */
  get size(): number {
    return this.#topic.size;
  }

  /** It calls the same function for events. */
  sharesListener(listeners: TopicListeners<unknown, unknown> | EventListener): boolean {
    const listener = eventListenerOf(listeners);
    return listener !== undefined && listener === eventListenerOf(this.#listeners);
  }

  /** It hears of what is lost: as such, or by the state that comes then. */
  get takesGaps(): boolean {
    const listeners = this.#listeners;
    if (typeof listeners === 'function') return false;
    return listeners.gap !== undefined || (this.#topic.hasSnapshot && listeners.snapshot !== undefined);
  }

  /** Somebody hears that it ended with an error. */
  get takesEnd(): boolean {
    const listeners = this.#listeners;
    const isHeard = typeof listeners !== 'function' && listeners.status !== undefined;
    return isHeard || (this.#ready !== undefined && this.#decided?.() !== undefined);
  }

  /** It was live once. */
  get wasLive(): boolean {
    return this.#decided !== undefined;
  }

  unsubscribe(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#decide(() => new TautlineError('ABORTED', 'the subscription was ended', { outcome: 'not-sent' }));
    this.#topic.left(this);
  }

  [Symbol.dispose](): void {
    this.unsubscribe();
  }

  /** Hears nothing more, and stays where it is. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#topic.paused();
  }

  /** Goes on from where it is. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#topic.attend();
  }

  event(event: unknown, position: Position): void {
    // What does not follow is what it has, or it lags behind the others and will be served from its position.
    if (!isNext(this.#heard, position)) return;
    this.#heard = position;
    if (this.#state === 'ended') return;
    try {
      const result = eventListenerOf(this.#listeners)?.(event, position) as unknown;
      if (result instanceof Promise) result.catch((error: unknown) => this.#topic.report(error));
    } catch (error) {
      this.#topic.report(error);
    }
  }

  /** The topic's state; told to whom has none that follows the events. */
  snapshot(snapshot: unknown, position: Position): void {
    if (!this.wantsSnapshot) return;
    this.wantsSnapshot = false;
    this.#heard = position;
    this.#tell((listeners) => listeners.snapshot?.(snapshot, position));
  }

  /** What follows starts after `to`: the gap that this is for it, if it is one. */
  movedTo(to: Position, error?: TautlineError): Gap | undefined {
    const from = this.#heard;
    if (from === undefined || covers(from, to)) return undefined;
    const gap = { from, to, error };
    this.#heard = to;
    this.wantsSnapshot = this.#topic.hasSnapshot;
    this.#tell((listeners) => listeners.gap?.(gap));
    return gap;
  }

  live(position: Position): void {
    this.#heard ??= position;
    this.#enter('live');
    this.#decide(isReady);
  }

  /** It begins anew: nothing of what it heard has to do with what comes. */
  restart(): void {
    this.#heard = undefined;
    this.wantsSnapshot = this.#topic.hasSnapshot;
    this.#enter('subscribing');
  }

  recovering(): void {
    if (this.#state === 'live') this.#enter('recovering');
  }

  /** The server ended or refused it, or the connection was closed. */
  ended(error: TautlineError): void {
    if (this.#state === 'ended') return;
    this.#decide(() => error);
    this.#enter('ended', error);
  }

  #decide(how: () => TautlineError | undefined): void {
    if (this.#decided !== undefined) return;
    this.#decided = how;
    this.#settleReady();
  }

  #settleReady(): void {
    if (this.#decided === undefined) return;
    this.#settle?.(this.#decided());
    this.#settle = undefined;
  }

  #enter(state: SubscriptionState, error?: TautlineError): void {
    if (this.#state === state || this.#state === 'ended') return;
    this.#state = state;
    const listeners = this.#listeners;
    if (typeof listeners !== 'function')
      callIsolated(
        () => listeners.status?.(state, error),
        (thrown) => this.#topic.report(thrown),
      );
  }

  #tell(tell: (listeners: TopicListeners<unknown, unknown>) => unknown): void {
    const listeners = this.#listeners;
    if (this.#state !== 'ended' && typeof listeners !== 'function')
      callIsolated(
        () => tell(listeners),
        (error) => this.#topic.report(error),
      );
  }
}

function isReady(): undefined {}

function eventListenerOf(listeners: TopicListeners<unknown, unknown> | EventListener): EventListener | undefined {
  return typeof listeners === 'function' ? listeners : listeners.event;
}
