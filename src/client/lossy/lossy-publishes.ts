import { capability, type Capability, type Kernel } from '../kernel/capability.ts';
import { checkPositive } from '../kernel/check-positive.ts';
import { checkValue } from '../requests/check-value.ts';
import type { FilledTopic } from '../requests/filled-topic.ts';
import type { LossyLane, LossyOptions, LossyOutcome, LossyWaiter } from '../requests/lossy-lane.ts';
import { LossyPublish, type LossyOwner } from './lossy-publish.ts';

/** Publishes that may be dropped: `room.publish(event, { delivery: 'lossy', conflate })`. */
export function lossy(): Capability<'lossy'> {
  return capability('lossy', (kernel) => {
    const publishes = new LossyPublishes(kernel);
    kernel.requests.lossy = publishes;
    return {
      dropped: () => publishes.endAll(),
      isNeeded: () => !publishes.isIdle,
      stats: () => ({ evicted: publishes.evicted }),
    };
  });
}

/** Those of one topic that wait. */
interface Waiting {
  /** In the lane, the newest last. */
  readonly entries: Set<LossyPublish>;
  /** There since one had a key. */
  byKey: Map<string, LossyPublish> | undefined;
  newest: LossyPublish;
}

/**
 * The publishes that may be dropped, while they wait. None is ever written later than a newer publish of its topic, as
 * the protocol demands: a reliable one that is entered drops what waits before it.
 */
class LossyPublishes implements LossyLane, LossyOwner {
  /** Times that one was dropped because the queue was full. */
  evicted = 0;
  readonly #kernel: Kernel;
  readonly #topics: Map<string, Waiting> = new Map();
  /** Taken in, and neither entered nor settled: a schema has not answered yet, for it or for one before it. */
  readonly #checked: Set<LossyPublish> = new Set();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** None waits. */
  get isIdle(): boolean {
    return this.#topics.size === 0 && this.#checked.size === 0;
  }

  publish(target: FilledTopic, event: unknown, options: LossyOptions, waiter: LossyWaiter): void {
    const kernel = this.#kernel;
    const { signal, timeoutMs = kernel.timeoutMs, conflate } = options;
    const entry = new LossyPublish(target, event, conflate, signal, waiter, this);
    checkPositive('timeoutMs', timeoutMs);
    const refusal = kernel.refusal(entry, signal);
    if (refusal?.code === 'CLOSED' || refusal?.code === 'UNAUTHENTICATED') waiter.resolve('closed');
    else if (refusal?.code === 'OFFLINE') waiter.resolve('offline');
    else if (refusal !== undefined) waiter.reject(refusal);
    else {
      entry.begin();
      entry.deadline = kernel.deadlines.add(kernel.now() + timeoutMs, entry);
      this.#admit(entry, target, event);
    }
    kernel.rose();
  }

  /** It is checked first, and then queued; it settles exactly once, at the latest at its deadline. */
  #admit(entry: LossyPublish, { topic }: FilledTopic, event: unknown): void {
    const { outbox, order } = this.#kernel;
    let checking: void | Promise<void>;
    try {
      checking = checkValue(topic.definition.event, event, topic.path);
    } catch (error) {
      entry.refuse(error);
      return;
    }
    if (checking === undefined && order.isIdle) {
      this.#enter(entry);
      return;
    }
    this.#checked.add(entry);
    const checked = checking?.then(undefined, (error: unknown) => entry.refuse(error));
    // While it is checked it takes up room in the queue like those that wait.
    if (checked !== undefined && !outbox.push('held', entry).accepted) {
      entry.end('evicted');
      return;
    }
    order.run(() => {
      if (checked !== undefined) return Promise.race([checked, entry.whenSettled()]).then(() => this.#enter(entry));
      this.#enter(entry);
      return undefined;
    });
  }

  waits(topic: string): boolean {
    return this.#topics.has(topic);
  }

  goFirst(): void {
    this.#kernel.outbox.flush();
  }

  supersede(topic: string): void {
    for (const entry of [...(this.#topics.get(topic)?.entries ?? [])]) entry.end('superseded');
  }

  /** Drops all. */
  endAll(): void {
    const waiting = [...this.#topics.values()].flatMap(({ entries }) => [...entries]);
    for (const entry of [...waiting, ...this.#checked]) entry.end('closed');
  }

  #enter(entry: LossyPublish): void {
    this.#checked.delete(entry);
    if (entry.settled) return;
    const { outbox } = this.#kernel;
    outbox.remove(entry);
    const waiting = this.#topics.get(entry.topic);
    const older = entry.key === undefined ? undefined : waiting?.byKey?.get(entry.key);
    // In its place only where nothing of the topic that is newer than that place waits behind it.
    const replaced = older !== undefined && older === waiting?.newest && outbox.replace(older, entry);
    older?.end('conflated');
    if (!replaced && !outbox.push('lossy', entry).accepted) entry.end('evicted');
    // Whoever is told that the queue is congested may end it at once.
    else if (!entry.settled) this.#note(entry);
  }

  #note(entry: LossyPublish): void {
    let waiting = this.#topics.get(entry.topic);
    if (waiting === undefined) {
      waiting = { entries: new Set(), byKey: undefined, newest: entry };
      this.#topics.set(entry.topic, waiting);
    }
    waiting.newest = entry;
    waiting.entries.add(entry);
    if (entry.key !== undefined) (waiting.byKey ??= new Map()).set(entry.key, entry);
  }

  ended(entry: LossyPublish, outcome: LossyOutcome | undefined): void {
    const { deadlines, outbox } = this.#kernel;
    if (entry.deadline !== undefined) deadlines.remove(entry.deadline);
    if (outcome === 'evicted') this.evicted++;
    this.#checked.delete(entry);
    outbox.remove(entry);
    const waiting = this.#topics.get(entry.topic);
    if (waiting?.entries.delete(entry) === true) {
      if (entry.key !== undefined && waiting.byKey?.get(entry.key) === entry) waiting.byKey.delete(entry.key);
      if (waiting.entries.size === 0) this.#topics.delete(entry.topic);
    }
    if (this.isIdle) this.#kernel.eased();
  }
}
