import type { ContractTopic } from '../contract/contract.ts';
import type { TautlineError } from '../errors.ts';
import type { Codec } from '../payload.ts';
import type { Deadlines } from '../primitives/deadlines.ts';
import { FrameBatch } from '../protocol/frame-batch.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import { utf8Length } from '../protocol/utf8.ts';
import type { FlightRecorder } from './flight-recorder.ts';
import type { LinkState } from './link-state.ts';
import type { Outbox } from './outbox.ts';
import { serverError } from './server-error.ts';
import { Subscriber, type Gap, type TopicListeners } from './subscription.ts';
import { WireTopic, type WireTopicOwner } from './wire-topic.ts';

/** A topic that lost its last listener is kept for this long: a listener that comes back costs nothing. */
const LINGER_MS = 1_000;
/** Subscriptions that may follow the greeting before the server has answered: they fit three frames of 16 KiB. */
const RIDING_BYTES = 47 * 1024;

/** All topics that are listened to, by name. */
export class Subscriptions implements WireTopicOwner {
  lastNumber = 0;
  gaps = 0;
  readonly report: (error: unknown) => void;
  readonly #topics = new Map<string, WireTopic>();
  readonly #outbox: Outbox;
  readonly #deadlines: Deadlines;
  readonly #now: () => number;
  readonly #note: FlightRecorder['note'];
  readonly #eased: () => void;

  /** @param eased - Runs when the last topic was given up. */
  constructor(
    outbox: Outbox,
    deadlines: Deadlines,
    now: () => number,
    report: (error: unknown) => void,
    note: FlightRecorder['note'],
    eased: () => void,
  ) {
    this.#eased = eased;
    this.#note = note;
    this.#outbox = outbox;
    this.#deadlines = deadlines;
    this.#now = now;
    this.report = report;
  }

  get size(): number {
    return this.#topics.size;
  }

  get(name: string): WireTopic | undefined {
    return this.#topics.get(name);
  }

  subscribe(name: string, topic: ContractTopic, codec: Codec, listeners: TopicListeners<unknown, unknown>): Subscriber {
    const wire = this.#topics.get(name) ?? new WireTopic(name, topic, codec, this);
    if (wire.topic.definition !== topic.definition) {
      throw new TypeError(`Topic ${name} is declared by two contracts that share this connection: rename one.`);
    }
    this.#topics.set(name, wire);
    const subscriber = new Subscriber(listeners, wire.hasSnapshot, {
      left: (left) => {
        this.#leave(wire, left);
      },
      paused: () => {
        this.#unlessListening(wire);
      },
      resumed: () => {
        wire.attend();
      },
      report: this.report,
    });
    if (wire.linger !== undefined) this.#deadlines.remove(wire.linger);
    wire.join(subscriber);
    return subscriber;
  }

  /** After the greeting: asks for as many topics as may go before the server has answered. Returns the bytes written. */
  ride(link: LinkState): number {
    return this.#write(link, RIDING_BYTES);
  }

  /** After the welcome: asks for all that is left. */
  welcomed(link: LinkState): void {
    this.#write(link, Infinity);
  }

  lost(link: LinkState): void {
    for (const topic of [...this.#topics.values()]) topic.lost(link);
  }

  /** Another identity: positions and states of the old one are dropped. */
  reset(): void {
    for (const topic of this.#topics.values()) topic.reset();
  }

  endAll(error: () => TautlineError): void {
    for (const topic of [...this.#topics.values()]) topic.end(error());
  }

  receive(
    link: LinkState,
    message: Extract<ServerMessage, readonly ['subscribed' | 'snapshot' | 'event' | 'unsubscribed', ...unknown[]]>,
  ): void {
    switch (message[0]) {
      case 'event':
        this.#topics.get(message[1])?.event(link, message[2], message[3], message[4]);
        break;
      case 'subscribed':
        this.#topics.get(message[2])?.subscribed(link, message[1], message[3], message[4]);
        break;
      case 'snapshot':
        this.#topics.get(message[1])?.snapshot(link, message[2], message[3], message[4]);
        break;
      default:
        this.#topics.get(message[2])?.unsubscribed(message[1], serverError(message[2], message[3]));
    }
  }

  gapSeen(topic: string, { from, to, error }: Gap): void {
    this.gaps++;
    this.#note('gap', { topic, from: from?.join(':'), to: to.join(':'), code: error?.code });
  }

  sync(topic: WireTopic): void {
    this.#outbox.remove(topic);
    if (!topic.audience.isListening) {
      // The subscription is over, so there is nothing left for its end to overtake.
      if (topic.isTold) this.#outbox.push('control', topic);
      return;
    }
    // Without a socket the greeting and the welcome bring all topics along; only calls made before it may not be overtaken.
    if (!this.#outbox.isOpen && this.#outbox.queued.messages === 0) return;
    // A full queue is no reason to lose a topic: there is at most one such entry for each.
    if (!this.#outbox.push('ordered', topic).accepted) this.#outbox.push('control', topic);
  }

  remove(topic: WireTopic): void {
    if (this.#topics.get(topic.name) === topic) this.#topics.delete(topic.name);
    if (topic.linger !== undefined) this.#deadlines.remove(topic.linger);
    if (this.size === 0) this.#eased();
  }

  #leave(topic: WireTopic, subscriber: Subscriber): void {
    if (!topic.audience.delete(subscriber) || this.#topics.get(topic.name) !== topic) return;
    if (topic.audience.size > 0) {
      this.#unlessListening(topic);
      return;
    }
    topic.linger = this.#deadlines.add(this.#now() + LINGER_MS, () => {
      this.remove(topic);
      this.sync(topic);
    });
  }

  /** Where the last who listened paused or left, the server need not send what nobody takes. */
  #unlessListening(topic: WireTopic): void {
    if (!topic.audience.isListening) this.sync(topic);
  }

  #write(link: LinkState, budget: number): number {
    const batch = new FrameBatch(link.send, link.frameBytes);
    let bytes = 0;
    for (const topic of this.#topics.values()) {
      if (bytes + topic.bytes * 3 > budget) break;
      if (this.#outbox.has(topic)) continue; // behind calls that were made before it
      const message = topic.write(link);
      if (message === undefined) continue;
      bytes += utf8Length(message) + 1; // a comma or a bracket
      batch.add(message, 'bulk');
    }
    batch.flush();
    return bytes;
  }
}
