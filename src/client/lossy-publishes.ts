import type { Deadlines } from '../primitives/deadlines.ts';
import type { SerialQueue } from '../primitives/serial-queue.ts';
import type { CallTerms } from './call.ts';
import { LossyPublish, type LossyOutcome, type LossyRequest, type LossyWaiter } from './lossy-publish.ts';
import type { Outbox } from './outbox.ts';

/** Those of one topic that wait, oldest first. */
interface Waiting {
  readonly entries: Set<LossyPublish>;
  readonly byKey: Map<string, LossyPublish>;
  newest: LossyPublish;
}

/**
 * The publishes that may be dropped, while they wait. None is ever written later than a newer publish of its topic, as
 * the protocol demands: a reliable one that is entered drops what waits before it.
 */
export class LossyPublishes {
  /** Times that one was dropped because the queue was full. */
  evicted = 0;
  readonly #outbox: Outbox;
  readonly #deadlines: Deadlines;
  /** The order in which calls and publishes were made, also where a schema is asynchronous. */
  readonly #order: SerialQueue;
  readonly #eased: () => void;
  readonly #live = new Set<LossyPublish>();
  readonly #topics = new Map<string, Waiting>();

  /** @param eased - Runs when the last one has settled. */
  constructor(outbox: Outbox, deadlines: Deadlines, order: SerialQueue, eased: () => void) {
    this.#outbox = outbox;
    this.#deadlines = deadlines;
    this.#order = order;
    this.#eased = eased;
  }

  /** None waits. */
  get isIdle(): boolean {
    return this.#live.size === 0;
  }

  /** Takes one in. It is checked first, and then queued; it settles exactly once, at the latest at its deadline. */
  start(request: LossyRequest, terms: CallTerms, check: () => void | Promise<void>, waiter: LossyWaiter): void {
    const entry = new LossyPublish(request, terms, waiter, this.#ended);
    entry.deadline = this.#deadlines.add(terms.deadlineAt, () => {
      entry.end('expired');
    });
    this.#live.add(entry);
    let checking: void | Promise<void>;
    try {
      checking = check();
    } catch (error) {
      entry.refuse(error);
      return;
    }
    const checked = checking?.then(undefined, entry.refuse);
    // While it is checked it takes up room in the queue like those that wait.
    if (checked !== undefined && !this.#outbox.push('held', entry).accepted) {
      entry.end('evicted');
      return;
    }
    this.#order.run(() => {
      if (checked === undefined) {
        this.#enter(entry);
        return undefined;
      }
      return Promise.race([checked, entry.whenSettled()]).then(() => {
        this.#enter(entry);
      });
    });
  }

  /** A newer publish of the topic, which must not be dropped, is about to be queued: those that may go now go first. */
  goFirst(topic: string): void {
    if (this.#topics.has(topic)) this.#outbox.flush();
  }

  /** The newer publish was queued: those that still wait would come after it. */
  supersede(topic: string): void {
    for (const entry of [...(this.#topics.get(topic)?.entries ?? [])]) entry.end('superseded');
  }

  /** Drops all. */
  endAll(): void {
    for (const entry of [...this.#live]) entry.end('closed');
  }

  #enter(entry: LossyPublish): void {
    if (entry.settled) return;
    this.#outbox.remove(entry);
    const waiting = this.#topics.get(entry.topic);
    const older = entry.key === undefined ? undefined : waiting?.byKey.get(entry.key);
    // In its place only where nothing of the topic that is newer than that place waits behind it.
    const replaced = older !== undefined && older === waiting?.newest && this.#outbox.replace(older, entry);
    older?.end('conflated');
    if (!replaced && !this.#outbox.push('lossy', entry).accepted) entry.end('evicted');
    // Whoever is told that the queue is congested may end it at once.
    else if (!entry.settled) this.#note(entry);
  }

  #note(entry: LossyPublish): void {
    let waiting = this.#topics.get(entry.topic);
    if (waiting === undefined) {
      waiting = { entries: new Set(), byKey: new Map(), newest: entry };
      this.#topics.set(entry.topic, waiting);
    }
    waiting.newest = entry;
    waiting.entries.add(entry);
    if (entry.key !== undefined) waiting.byKey.set(entry.key, entry);
  }

  readonly #ended = (entry: LossyPublish, outcome: LossyOutcome | undefined): void => {
    this.#live.delete(entry);
    if (this.isIdle) this.#eased();
    if (entry.deadline !== undefined) this.#deadlines.remove(entry.deadline);
    if (outcome === 'evicted') this.evicted++;
    this.#outbox.remove(entry);
    const waiting = this.#topics.get(entry.topic);
    if (waiting?.entries.delete(entry) !== true) return;
    if (entry.key !== undefined && waiting.byKey.get(entry.key) === entry) waiting.byKey.delete(entry.key);
    if (waiting.entries.size === 0) this.#topics.delete(entry.topic);
  };
}
