import type { SerialQueue } from '../primitives/serial-queue.ts';
import type { Call } from './call.ts';
import type { LossyPublishes } from './lossy-publishes.ts';
import type { Outbox } from './outbox.ts';

/** The way of a call from its caller into the queue. */
export class CallIntake {
  readonly #outbox: Outbox;
  readonly #lossy: Pick<LossyPublishes, 'goFirst' | 'supersede'>;
  /** What acts enters the queue in the order in which it was made, also when a schema is asynchronous. */
  readonly #order: SerialQueue;

  constructor(outbox: Outbox, lossy: Pick<LossyPublishes, 'goFirst' | 'supersede'>, order: SerialQueue) {
    this.#outbox = outbox;
    this.#lossy = lossy;
    this.#order = order;
  }

  /**
   * It is checked at once, and then queued, what acts in the order in which it was made. The call settles at the latest
   * at its deadline, however long the check takes.
   */
  admit(call: Call, check: () => void | Promise<void>): void {
    let checking: void | Promise<void>;
    try {
      checking = check();
    } catch (error) {
      call.unreadable(error);
      return;
    }
    // While it is checked it takes up room in the queue like those that wait.
    if (checking !== undefined && !this.#enter('held', call)) {
      checking.catch(() => undefined); // its caller was told already
      return;
    }
    const checked = checking?.then(undefined, call.unreadable);
    if (!call.request.acts) {
      if (checked === undefined) this.#enter('ordered', call);
      else void checked.then(() => this.#enter('ordered', call));
      return;
    }
    this.#order.run(() => {
      if (checked === undefined) {
        this.#enter('ordered', call);
        return undefined;
      }
      // A check that never ends holds up what acts behind it no longer than its own call lives.
      return Promise.race([checked, call.whenSettled()]).then(() => {
        this.#enter('ordered', call);
      });
    });
  }

  /** `false` when it was not taken: then its caller was told. */
  #enter(lane: 'held' | 'ordered', call: Call): boolean {
    this.#outbox.remove(call);
    if (call.settled) return false;
    const { topic } = call.request;
    const publishes = lane === 'ordered' && topic !== undefined;
    if (publishes) this.#lossy.goFirst(topic);
    // What went first may have told somebody who ended this one.
    if (call.settled) return false;
    const pushed = this.#outbox.push(lane, call);
    if (pushed.accepted) {
      if (publishes) this.#lossy.supersede(topic);
      return true;
    }
    call.fail('QUEUE_FULL', this.#outbox.whyFull(pushed.bound), {
      retryable: true,
      remedy: 'Wait for earlier calls before making more, or raise the bound.',
    });
    return false;
  }
}
