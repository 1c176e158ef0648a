import type { Queued } from '../../primitives/send-queue.ts';
import type { LinkState } from '../kernel/link-state.ts';

/**
 * What has had its turn, when it could not go, and must not hold up what comes behind: streams without a slot; and while
 * a large message is under way in parts, what keeps its order, and large ones that need not.
 */
export class Aside<Entry extends Queued> {
  readonly streams: Set<Entry> = new Set();
  readonly ordered: Set<Entry> = new Set();
  readonly free: Set<Entry> = new Set();

  /** The one that may go now. */
  next(link: LinkState): Entry | undefined {
    const { streams, ordered, free } = this;
    if (ordered.size + free.size + streams.size === 0) return undefined;
    if (free.size > 0 && !link.parts?.blocks(false, Infinity)) return first(free);
    if (ordered.size > 0 && !link.parts?.blocks(true, 0)) return first(ordered);
    return link.hasFreeSlot('streams') ? first(streams) : undefined;
  }

  delete(entry: Entry): void {
    this.#each((some) => some.delete(entry));
  }

  clear(): void {
    this.#each((some) => some.clear());
  }

  #each(what: (some: Set<Entry>) => void): void {
    for (const some of [this.streams, this.ordered, this.free]) if (some.size > 0) what(some);
  }
}

function first<Entry>(some: Set<Entry>): Entry | undefined {
  for (const entry of some) return entry;
  return undefined;
}
