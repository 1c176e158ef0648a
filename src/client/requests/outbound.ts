import type { Queued } from '../../primitives/send-queue.ts';
import type { Large, PartLimits } from '../kernel/link-parts.ts';
import type { LinkState, Slot } from '../kernel/link-state.ts';

/** Name, path, headers and id of a message come on top of its payload. */
export const HEADER_BYTES: number = 256;

/** Something that waits to be written. What is written is decided when it is its turn. */
export interface Outbound extends Queued, Large {
  /** It needs one of the slots that the server grants. */
  readonly takesSlot: Slot | false;
  /** Contract path, of a request. */
  readonly path?: string;
  /** It changes nothing at the server, so it may go with the greeting, before the server has answered. */
  readonly rides: boolean;
  /** UTF-8 bytes that the message takes beyond one for each unit of its text, where that is known. */
  readonly surplus?: number | undefined;
  /** The message; `undefined` when there is nothing to say any more. */
  write(link: LinkState): string | undefined;
  /** The message is larger than what the server takes. */
  tooLarge?(limits: PartLimits): void;
  /** It had to make room in the queue for another. */
  evicted?(): void;
}

/** A message that commutes with all others. */
export function control(write: (link: LinkState) => string | undefined): Outbound {
  return { bytes: 16, takesSlot: false, rides: false, write };
}

/** Where the outbox takes requests from that were sent before and must be written again first. */
export interface Resends {
  next(link: LinkState): Outbound | undefined;
  /** Nothing goes just now but control messages: something goes alone. */
  holds(link: LinkState): boolean;
  /** There are so many of its kind under way that the slots that are left are for others. */
  isCrowd(entry: Outbound, link: LinkState): boolean;
  /** Takes out what `next` gave. */
  take(link: LinkState): void;
}
