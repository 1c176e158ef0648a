import type { Welcome } from '../protocol/messages.ts';
import type { Link } from '../transport/transport.ts';

/** Calls that may be in flight before the server told its limits. */
const CALLS_BEFORE_WELCOME = 8;
/** A frame may be this large before the server told its limits. */
export const FRAME_BYTES_BEFORE_WELCOME: number = 16 * 1024;

/** What the client knows of one socket: a slot, an answer and a subscription belong to the socket they were asked on. */
export class LinkState {
  readonly link: Link;
  /** Ids sent on this socket that the server has not yet settled on it: they take up slots, wanted or not. */
  readonly window: Set<number> = new Set();
  welcome: Welcome | undefined;

  constructor(link: Link) {
    this.link = link;
  }

  get hasFreeSlot(): boolean {
    return this.window.size < (this.welcome?.limits.calls ?? CALLS_BEFORE_WELCOME);
  }

  get frameBytes(): number {
    return this.welcome?.limits.frameBytes ?? FRAME_BYTES_BEFORE_WELCOME;
  }
}
