import type { Link } from '../transport/transport.ts';
import type { LinkState } from './link-state.ts';

/** The sockets of a connection: one, but for a move from one to the next. */
export class Links {
  /** The one that is spoken on. */
  current: LinkState | undefined;
  /** It has said hello while `current` serves. */
  successor: LinkState | undefined;
  /** It served before `current`, and has yet to answer what was sent on it. */
  retiring: LinkState | undefined;

  /** The one that is spoken on first. */
  get all(): readonly LinkState[] {
    return [this.current, this.successor, this.retiring].filter((state) => state !== undefined);
  }

  find(link: Link): LinkState | undefined {
    if (this.current?.link === link) return this.current;
    return this.all.find((state) => state.link === link);
  }

  /** Takes in a socket that has opened; `true` when it is to succeed one that serves. */
  add(state: LinkState): boolean {
    if (this.current?.welcome === undefined) {
      this.current = state;
      return false;
    }
    this.successor = state;
    return true;
  }

  /** A socket is gone. */
  remove(state: LinkState): void {
    if (state === this.current) {
      this.current = this.successor;
      this.successor = undefined;
    } else if (state === this.successor) this.successor = undefined;
    else this.retiring = undefined;
  }

  /** The successor takes over. */
  move(): void {
    this.retiring = this.current;
    this.current = this.successor;
    this.successor = undefined;
  }
}
