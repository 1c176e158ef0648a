import type { Crowd, Lane, SendQueue } from '../../primitives/send-queue.ts';
import type { LinkState } from '../kernel/link-state.ts';
import type { Outbound, Resends } from './outbound.ts';

/** Those in a queue whose turn came when they could not go. They hold up nothing that can, and go first when they can. */
export class Overtaken {
  readonly #queue: SendQueue<Outbound>;
  readonly #requests: Resends;
  /** Where those wait whose kind has its share of the slots. */
  readonly #crowds: Set<Crowd> = new Set();

  constructor(queue: SendQueue<Outbound>, requests: Resends) {
    this.#queue = queue;
    this.#requests = requests;
  }

  /** One that may go now. */
  next(link: LinkState): Outbound | undefined {
    const { parts } = link;
    return (
      (!parts?.blocks(false, Infinity) && this.#queue.peek('free')) ||
      (!parts?.blocks(true, 0) && this.#unlessCrowd('behind', link)) ||
      (link.hasFreeSlot('streams') && this.#queue.peek('streams')) ||
      this.#ofCrowds(link)
    );
  }

  add(entry: Outbound, lane: 'behind' | 'free' | 'streams'): void {
    this.#queue.move(entry, lane);
  }

  addToCrowd(entry: Outbound): void {
    const crowd: Crowd = `crowd ${entry.path!}`;
    this.#crowds.add(crowd);
    this.#queue.move(entry, crowd);
  }

  #ofCrowds(link: LinkState): Outbound | undefined {
    for (const crowd of this.#crowds) {
      const entry = this.#unlessCrowd(crowd, link);
      if (entry !== undefined) return entry;
      if (this.#queue.peek(crowd) === undefined) this.#crowds.delete(crowd);
    }
    return undefined;
  }

  #unlessCrowd(lane: Lane, link: LinkState): Outbound | undefined {
    const entry = this.#queue.peek(lane);
    return entry !== undefined && this.#requests.isCrowd(entry, link) ? undefined : entry;
  }
}
