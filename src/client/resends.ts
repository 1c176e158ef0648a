import type { Call } from './call.ts';
import type { LinkState } from './link-state.ts';
import type { Resends } from './outbox.ts';

/** Calls that were sent before and are to be written again on the present socket, lowest id first. */
export class ResendList implements Resends {
  /** The last goes first. */
  #calls: Call[] = [];
  /** Index of the one that `next` gave. */
  #next = 0;

  /** @param calls - In the order of their ids. */
  replace(calls: readonly Call[]): void {
    this.#calls = [...calls].reverse();
  }

  next(link: LinkState): Call | undefined {
    for (let at = this.#calls.length - 1; at >= 0; at--) {
      const call = this.#calls[at]!;
      if (call.settled) {
        this.#calls.splice(at, 1);
        continue;
      }
      // A stream without a slot may wait for hours: calls pass it.
      if (call.takesSlot === 'streams' && !link.hasFreeSlot('streams')) continue;
      this.#next = at;
      return call;
    }
    return undefined;
  }

  take(): void {
    this.#calls.splice(this.#next, 1);
  }
}
