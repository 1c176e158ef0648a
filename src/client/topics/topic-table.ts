import { DEVELOPMENT } from '../../development.ts';
import type { ContractTopic } from '../../contract/contract.ts';
import type { TautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import type { Continuity, Position, WireError } from '../../protocol/messages.ts';
import { event, snapshot, subscribed, unsubscribed } from '../../protocol/server-messages.ts';
import { backoffWindow, drawDelay } from '../../primitives/backoff.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import type { Extension, Kernel } from '../kernel/capability.ts';
import type { LinkState } from '../kernel/link-state.ts';
import { serverError } from '../requests/read-payload.ts';
import { gapError } from './gap-error.ts';
import { checkPosition } from './positions.ts';
import { endError, isSignedOut } from '../kernel/refusal.ts';
import { Subscriber, type EventListener, type TopicListeners } from './subscription.ts';
import type { SeenGap } from './topic-audience.ts';
import type { WireTopicOwner } from './topic-owner.ts';
import { TopicFold } from './topic-fold.ts';
import { WarmTopics, type TOPICS_DEFAULTS } from './warm-topics.ts';
import { WireTopic } from './wire-topic.ts';

/** Windows of the pauses before a topic is asked for again that the server failed to serve, ms. */
const RETRY = { firstMs: 1_000, capMs: 30_000, leastMs: 500 };
/** A failure after so long is the first one. */
const FORGOTTEN_MS = 60_000;
/** Subscriptions that may follow the greeting before the server has answered: they fit three frames of 16 KiB. */
const RIDING_BYTES = 47 * 1024;

type EventMessage = readonly ['event', topic: string, offset: number, json?: unknown, meta?: unknown];
type SubscribedMessage = readonly ['subscribed', n: number, topic: string, position: Position, Continuity];
type SnapshotMessage = readonly ['snapshot', topic: string, position: Position, json?: unknown, meta?: unknown];
type UnsubscribedMessage = readonly ['unsubscribed', n: number, topic: string, error: WireError];

/** All topics that are listened to, by name. */
export class TopicTable implements WireTopicOwner<WireTopic> {
  lastNumber = 0;
  #gaps = 0;
  #hasWarned = false;
  readonly report: (error: unknown) => void;
  /** What is to be done with views that are listened to, when the user is another one. */
  readonly viewsAnew: Set<() => void> = new Set();
  readonly #topics: Map<string, WireTopic> = new Map();
  readonly #kernel: Kernel;
  readonly #lingerMs: number;
  readonly #warm: WarmTopics;
  /** Topics that the server failed to serve: how often in a row, and when they were asked for again. */
  readonly #failing: WeakMap<WireTopic, { readonly failures: number; readonly at: number }> = new WeakMap();

  constructor(kernel: Kernel, options: typeof TOPICS_DEFAULTS) {
    this.#kernel = kernel;
    this.#lingerMs = options.lingerMs;
    this.#warm = new WarmTopics(options, kernel.now);
    this.report = kernel.report;
  }

  /** What it does in a connection. */
  get extension(): Extension {
    return {
      takes: {
        event: {
          ...event,
          take: (link, message: EventMessage, isVetted) =>
            this.#topics.get(message[1])?.event(link, message[2], message[3], message[4], isVetted),
        },
        subscribed: {
          ...subscribed,
          take: (link, [, n, topic, position, continuity]: SubscribedMessage) =>
            this.#topics.get(topic)?.subscribed(link, n, position, continuity),
        },
        snapshot: {
          ...snapshot,
          take: (link, [, topic, position, json, meta]: SnapshotMessage, isVetted) =>
            this.#topics.get(topic)?.snapshot(link, position, json, meta, isVetted),
        },
        unsubscribed: {
          ...unsubscribed,
          take: (_link, [, n, topic, error]: UnsubscribedMessage) => {
            const wire = this.#topics.get(topic);
            wire?.unsubscribed(n, serverError(wire.topic.path, error));
          },
        },
      },
      // After the greeting: as many topics as may go before the server has answered.
      ride: (link) => this.#write(link, RIDING_BYTES),
      // After the welcome: all that is left.
      ask: (link) => void this.#write(link, Infinity),
      lost: (link) => {
        for (const topic of [...this.#topics.values()]) topic.lost(link);
      },
      // Positions and states of the old identity are dropped; what he was refused may be the new one's.
      becameAnother: () => {
        this.#warm.clear();
        for (const topic of this.#topics.values()) topic.reset();
        for (const look of [...this.viewsAnew]) look();
      },
      closed: () => this.#endIfClosed(),
      isNeeded: () => this.#topics.size > 0,
      stats: () => ({ subscriptions: this.#topics.size, gaps: this.#gaps }),
    };
  }

  /** What has the state of a topic, also for a while after the last has left it. */
  foldOf(name: string, { definition }: ContractTopic): TopicFold | undefined {
    const fold = this.#topics.get(name)?.fold ?? this.#warm.get(name, definition);
    return fold?.topic === definition ? fold : undefined;
  }

  /** As if the topic had been left with this state. */
  hydrate(name: string, { definition }: ContractTopic, state: unknown, position: Position): void {
    const checked = checkPosition(position);
    if (this.#kernel.identities > 0 || this.#topics.has(name) || this.#warm.get(name, definition) !== undefined) return;
    const fold = new TopicFold(definition);
    fold.begin(state, checked);
    this.#warm.keep(name, fold);
  }

  /** Listens to a topic. On a closed connection the subscription ends at once. */
  subscribe(
    name: string,
    topic: ContractTopic,
    codec: Codec,
    listeners: TopicListeners<unknown, unknown> | EventListener,
  ): Subscriber {
    let wire = this.#topics.get(name);
    if (wire?.audience.size === 0 && wire.topic.definition !== topic.definition) {
      // It lingers for a contract that another has replaced: one that was edited, while the page went on.
      this.#leave(wire);
      wire = undefined;
    }
    if (wire === undefined) {
      const fold = this.#warm.take(name, topic.definition) ?? new TopicFold(topic.definition);
      wire = new WireTopic(name, topic, codec, this, fold);
    }
    if (wire.topic.definition !== topic.definition) {
      throw new TypeError(
        DEVELOPMENT ? `Topic ${name} is declared by two contracts that share this connection: rename one.` : name,
      );
    }
    const subscriber = new Subscriber(listeners, wire);
    this.#topics.set(name, wire);
    if (DEVELOPMENT) this.#warnOfDoubles(wire, listeners);
    if (wire.due !== undefined) this.#kernel.deadlines.remove(wire.due);
    wire.join(subscriber);
    this.#endIfClosed();
    if (this.#topics.size > 0) this.#kernel.rose();
    return subscriber;
  }

  #warnOfDoubles({ name, audience }: WireTopic, listeners: TopicListeners<unknown, unknown> | EventListener): void {
    if (this.#hasWarned || !audience.all.some((other) => other.sharesListener(listeners))) return;
    this.#hasWarned = true;
    // eslint-disable-next-line no-console -- where a developer looks; nothing has failed
    console.warn(
      `Tautline: ${name} is subscribed twice with the same listener, which hears each event twice. After a lost ` +
        'connection subscriptions come back by themselves: subscribe once, not whenever the status is connected.',
    );
  }

  gapSeen({ name, topic }: WireTopic, { gap, isTaken }: SeenGap): void {
    const { from, to, error } = gap;
    this.#gaps++;
    this.#kernel.note('gap', { topic: name, from: from?.join(':'), to: to.join(':'), code: error?.code });
    if (isTaken) return;
    this.report(
      gapError({ name, path: topic.path }, gap, DEVELOPMENT && 'Subscribe with `gap`, and load the state anew.'),
    );
  }

  /** Whoever uses a state as a store hears nothing of its end, and of a closed connection in its status. */
  readonly endOfState = (error: TautlineError): void => {
    if (this.#kernel.transportStatus.state !== 'closed') this.report(error);
  };

  ended(subscribers: readonly Subscriber[], error: TautlineError): void {
    // Who subscribes just now has not had the time to ask whether it is ready.
    queueMicrotask(() => {
      if (subscribers.length > 0 && !subscribers.some(({ takesEnd }) => takesEnd)) this.report(error);
    });
  }

  syncAgain(topic: WireTopic, error?: TautlineError): void {
    const { now, random } = this.#kernel;
    const { failures, at } = this.#failing.get(topic) ?? { failures: 0, at: 0 };
    const past = now() - at < FORGOTTEN_MS ? failures : 0;
    const leastMs = Math.max(RETRY.leastMs, error?.retryAfterMs ?? 0);
    const again = now() + drawDelay(backoffWindow(past, RETRY.firstMs, RETRY.capMs, leastMs), random);
    this.#failing.set(topic, { failures: past + 1, at: again });
    if (past === 0 && error === undefined) this.sync(topic);
    else this.#set(topic, again, () => this.sync(topic));
  }

  /** What is to come of a topic by itself, in place of what was. */
  #set(topic: WireTopic, atMs: number, what: () => void): void {
    const { deadlines } = this.#kernel;
    if (topic.due !== undefined) deadlines.remove(topic.due);
    topic.due = deadlines.add(atMs, what);
  }

  sync(topic: WireTopic): void {
    const { outbox } = this.#kernel;
    outbox.remove(topic);
    if (!topic.audience.isListening) {
      // The subscription is over, so there is nothing left for its end to overtake.
      if (topic.isTold) outbox.push('control', topic);
      return;
    }
    // Without a socket the greeting and the welcome bring all topics along; only calls made before it may not be overtaken.
    if (!outbox.isOpen && outbox.messages === 0) return;
    // A full queue is no reason to lose a topic: there is at most one such entry for each.
    if (!outbox.push('ordered', topic).accepted) outbox.push('control', topic);
  }

  rest(topic: WireTopic): void {
    this.#warm.keep(topic.name, topic.fold);
    this.remove(topic);
  }

  remove(topic: WireTopic): void {
    if (this.#topics.get(topic.name) === topic) this.#topics.delete(topic.name);
    if (topic.due !== undefined) this.#kernel.deadlines.remove(topic.due);
    if (this.#topics.size === 0) this.#kernel.eased();
  }

  left(topic: WireTopic, subscriber: Subscriber): void {
    if (!topic.audience.delete(subscriber) || this.#topics.get(topic.name) !== topic) return;
    if (topic.audience.size > 0) {
      this.paused(topic);
      return;
    }
    this.#set(topic, this.#kernel.now() + this.#lingerMs, () => this.#leave(topic));
  }

  /** Its state stays for a while. */
  #leave(topic: WireTopic): void {
    this.rest(topic);
    this.sync(topic);
  }

  /** Where the last who listened paused or left, the server need not send what nobody takes. */
  paused(topic: WireTopic): void {
    if (!topic.audience.isListening) this.sync(topic);
  }

  /** Without credentials they wait for those that come. */
  #endIfClosed(): void {
    const { status } = this.#kernel;
    if (status.state !== 'closed' || isSignedOut(status)) return;
    this.#warm.clear();
    for (const topic of [...this.#topics.values()]) topic.end(endError(topic.topic.path, status.cause), true);
  }

  #write(link: LinkState, budget: number): number {
    let bytes = 0;
    for (const topic of this.#topics.values()) {
      if (bytes + topic.bytes * 3 > budget) break;
      if (this.#kernel.outbox.has(topic)) continue; // behind calls that were made before it
      const message = topic.write(link);
      if (message === undefined) continue;
      bytes += utf8Length(message) + 1; // a comma or a bracket
      link.batch.add(message, 'bulk');
    }
    link.batch.flush();
    return bytes;
  }
}
