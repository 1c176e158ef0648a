import { drawDelay, type DelayWindow } from '../primitives/backoff.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction } from '../protocol/close-reaction.ts';
import type { Attempt } from './attempt.ts';
import type { SocketLink } from './socket-link.ts';
import { LEAVING } from './socket-link.ts';
import type { CloseCause } from './transport.ts';

/** A socket that was left without an announced end may answer for so long, ms. */
const RETIRE_MS = 30_000;

/** What a {@link Move} needs of its transport. */
export interface MoveOwner {
  /** Forgets a socket that belongs to no phase any more. */
  readonly forget: (socket: SocketLink, cause: CloseCause) => void;
  /** The successor came to nothing, and the present socket stays. */
  readonly failed: (cause: CloseCause) => void;
  /** The successor came to nothing, and the present socket is gone. */
  readonly lost: (cause: CloseCause) => void;
}

/**
 * The sockets on both sides of a welcomed one: its successor, which is opened while it serves, and its predecessor, on
 * which nothing new is written, but which may still answer. There are none until a move begins.
 */
export class Move {
  successor: Attempt | undefined;
  /** The server closed the present socket because the successor said hello: only the welcome is missing. */
  replaced: CloseCause | undefined;
  readonly #owner: MoveOwner;
  #retiring: SocketLink | undefined;
  #retireTimer: ReturnType<typeof setTimeout> | undefined;
  #beginTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param predecessor - The socket that was left for the present one, if it is still there. */
  constructor(owner: MoveOwner, predecessor: SocketLink | undefined) {
    this.#owner = owner;
    this.#retiring = predecessor;
    if (predecessor === undefined) return;
    const untilMs = predecessor.leavingWindow(performance.now())?.toMs ?? RETIRE_MS;
    this.#retireTimer = setTimeout(() => this.#retired(predecessor, MOVED), untilMs);
  }

  /** Sockets beside the present one. */
  get sockets(): readonly SocketLink[] {
    return [this.successor?.socket, this.#retiring].filter((socket) => socket !== undefined);
  }

  /** Begins at a random moment of a window: everyone who was told of it moves, and not at once. */
  beginWithin(window: DelayWindow, random: () => number, begin: () => void): void {
    clearTimeout(this.#beginTimer);
    this.#beginTimer = setTimeout(begin, drawDelay(window, random));
  }

  /** Takes notice of the end of a socket; `false` when that is the end of the present one, and no move mends it. */
  ended(link: SocketLink, present: SocketLink, cause: CloseCause): boolean {
    if (link === this.#retiring) this.#retired(link, cause);
    else if (link === this.successor?.socket) this.failed(this.successor, cause);
    else if (link === present && cause.code === CloseCode.TAKEN_OVER && this.successor?.socket?.opened === true)
      this.replaced = cause;
    else return false;
    return true;
  }

  /** The successor came to nothing. */
  failed(attempt: Attempt, cause: CloseCause): void {
    this.successor = undefined;
    attempt.release();
    if (attempt.socket !== undefined) this.#owner.forget(attempt.socket, cause);
    this.#owner.failed(cause);
    if (this.replaced !== undefined) this.#owner.lost(this.replaced);
  }

  /**
   * The present socket is lost: gives the successor, to go on in the place of an attempt. Not where what it has asked
   * for, or said, is of no use after this loss: its credentials, or its name.
   */
  handOver({ code }: CloseCause): Attempt | undefined {
    const { successor } = this;
    const reaction = closeReaction(code);
    if (reaction === 'credentials' || reaction === 'other-identity') return undefined;
    this.successor = undefined;
    return successor;
  }

  /** The present socket was left too: of three the oldest goes at once. */
  finish(): void {
    if (this.#retiring !== undefined) this.#retired(this.#retiring, MOVED);
  }

  /** Gives up what it waits for. The sockets go their own way. */
  release(): void {
    clearTimeout(this.#beginTimer);
    clearTimeout(this.#retireTimer);
    this.successor?.release();
  }

  #retired(socket: SocketLink, cause: CloseCause): void {
    this.#retiring = undefined;
    clearTimeout(this.#retireTimer);
    this.#owner.forget(socket, cause);
  }
}

const MOVED: CloseCause = { code: LEAVING, reason: 'moved', opened: true, by: 'app' };
