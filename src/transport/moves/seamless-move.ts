import { drawDelay, type DelayWindow } from '../../primitives/backoff.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { closeReaction } from '../../protocol/close-reaction.ts';
import { LEAVING } from '../line.ts';
import type { LineLink } from '../line-link.ts';
import type { Move } from '../phase.ts';
import type { CloseCause } from '../transport.ts';
import type { MoveOwner } from '../transport-parts.ts';

/** A line that was left without an announced end may answer for so long, ms. */
const RETIRE_MS = 30_000;

/**
 * The lines on both sides of a welcomed one: its successor, which is opened while it serves, and its predecessor, on
 * which nothing new is written, but which may still answer. There are none until a move begins.
 */
export class SeamlessMove implements Move<LineLink> {
  successor: LineLink | undefined;
  replaced: CloseCause | undefined;
  readonly #owner: MoveOwner;
  readonly #present: LineLink;
  #retiring: LineLink | undefined;
  #retireTimer: ReturnType<typeof setTimeout> | undefined;
  #beginTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param predecessor - The line that was left for the present one, if it is still there. */
  constructor(owner: MoveOwner, present: LineLink, predecessor: LineLink | undefined) {
    this.#owner = owner;
    this.#present = present;
    this.#retiring = predecessor;
    if (predecessor === undefined) return;
    const untilMs = predecessor.leavingWindow(performance.now())?.toMs ?? RETIRE_MS;
    this.#retireTimer = setTimeout(() => this.#retired(predecessor, MOVED), untilMs);
  }

  get lines(): readonly LineLink[] {
    return [this.successor, this.#retiring].filter((line) => line !== undefined);
  }

  begin(): void {
    if (this.successor === undefined) this.#owner.dial((line) => (this.successor = line));
  }

  /** Everyone who was told of the window moves, and not at once. */
  beginWithin(window: DelayWindow): void {
    clearTimeout(this.#beginTimer);
    this.#beginTimer = setTimeout(() => this.begin(), drawDelay(window, this.#owner.random));
  }

  ended(line: LineLink, cause: CloseCause): boolean {
    if (line === this.#retiring) this.#retired(line, cause);
    else if (line === this.successor) this.#failed(line, cause);
    else if (line === this.#present && cause.code === CloseCode.TAKEN_OVER && this.successor?.opened === true)
      this.replaced = cause;
    else return false;
    return true;
  }

  /** Not where what it has asked for, or said, is of no use after this loss: its credentials, or its name. */
  handOver({ code }: CloseCause): LineLink | undefined {
    const { successor } = this;
    const reaction = closeReaction(code);
    if (reaction === 'credentials' || reaction === 'other-identity') return undefined;
    this.successor = undefined;
    return successor;
  }

  finish(): void {
    this.successor = undefined;
    if (this.#retiring !== undefined) this.#retired(this.#retiring, MOVED);
  }

  release(): void {
    clearTimeout(this.#beginTimer);
    clearTimeout(this.#retireTimer);
  }

  /** The successor came to nothing, and the present line stays, if it is still there. */
  #failed(line: LineLink, cause: CloseCause): void {
    this.successor = undefined;
    this.#owner.forget(line, cause);
    this.#owner.failed(cause);
    if (this.replaced !== undefined) this.#owner.lost(this.replaced);
  }

  #retired(line: LineLink, cause: CloseCause): void {
    this.#retiring = undefined;
    clearTimeout(this.#retireTimer);
    this.#owner.forget(line, cause);
  }
}

const MOVED: CloseCause = { code: LEAVING, reason: 'moved', opened: true, by: 'app' };
