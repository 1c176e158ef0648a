import { drawDelay, type DelayWindow } from '../../primitives/backoff.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { readSpread } from '../reconnect-policy.ts';
import { closeReaction, parseRetryAfter } from '../../protocol/close-reaction.ts';
import { causeOf, LEAVING } from '../line.ts';
import type { LineLink } from '../line-link.ts';
import type { CloseCause } from '../transport.ts';
import type { MoveOwner, Moves } from '../transport-parts.ts';

/** A line that was left without an announced end may answer for so long, ms. */
const RETIRE_MS = 30_000;
/** Where a server goes and no successor was found, another is looked for after this time, and within the other, ms. */
const AGAIN_MS = 1_000;
const AGAIN_WITHIN_MS = 2_000;

/**
 * The lines on both sides of a welcomed one: its successor, which is opened while it serves, and its predecessor, on
 * which nothing new is written, but which may still answer. There are none until a move begins.
 */
export class SeamlessMoves implements Moves {
  readonly #owner: MoveOwner;
  readonly #random: () => number;
  /** The line that serves. */
  #present: LineLink | undefined;
  #successor: LineLink | undefined;
  #retiring: LineLink | undefined;
  /** The peer closed the present line because the successor said hello: only the welcome is missing. */
  #replaced: CloseCause | undefined;
  #retireTimer: ReturnType<typeof setTimeout> | undefined;
  #beginTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: MoveOwner, random: () => number) {
    this.#owner = owner;
    this.#random = random;
  }

  begin(): boolean {
    if (this.#present === undefined) return false;
    if (this.#successor === undefined) {
      this.#successor = this.#owner.newLine();
      this.#owner.dial(this.#successor);
    }
    return true;
  }

  /** Everyone who was told of the window moves, and not at once. */
  beginWithin(line: LineLink, window: DelayWindow): void {
    if (line !== this.#present) return;
    clearTimeout(this.#beginTimer);
    this.#beginTimer = setTimeout(() => this.begin(), this.#owner.guarded(drawDelay(window, this.#random)));
  }

  ended(line: LineLink, cause: CloseCause): boolean {
    if (line === this.#retiring) this.#retired(line, cause);
    else if (line === this.#successor) this.#failed(line, cause);
    else if (cause.code === CloseCode.TAKEN_OVER && this.#successor?.opened === true)
      this.#replaced = { ...cause, by: 'app' };
    else return false;
    return true;
  }

  /** Not where what it has asked for, or said, is of no use after this loss: its credentials, or its name. */
  handOver({ code }: CloseCause): LineLink | undefined {
    const successor = this.#successor;
    const reaction = closeReaction(code);
    if (reaction === 'credentials' || reaction === 'other-identity') return undefined;
    this.#successor = undefined;
    return successor;
  }

  entered(
    line: LineLink | undefined,
    last: LineLink | undefined,
    cause: CloseCause | undefined,
  ): (() => void) | undefined {
    const [successor, retiring, replaced] = [this.#successor, this.#retiring, this.#replaced];
    clearTimeout(this.#beginTimer);
    clearTimeout(this.#retireTimer);
    this.#successor = this.#retiring = this.#replaced = undefined;
    this.#present = cause === undefined ? line : undefined;
    if (cause !== undefined) {
      for (const one of [successor, retiring]) if (one !== undefined) this.#owner.forget(one, ofOther(one, cause));
      return undefined;
    }
    const left = last === line ? undefined : last;
    if (left !== undefined && replaced === undefined) this.#retire(left);
    return () => {
      // Of three lines the oldest goes at once.
      if (retiring !== undefined) this.#owner.forget(retiring, MOVED);
      if (left !== undefined && replaced !== undefined) this.#owner.forget(left, replaced);
    };
  }

  #retire(line: LineLink): void {
    this.#retiring = line;
    const untilMs = line.leavingWindow(performance.now())?.[1] ?? RETIRE_MS;
    this.#retireTimer = setTimeout(() => this.#retired(line), untilMs);
  }

  /** The successor came to nothing, and the present line stays, if it is still there. */
  #failed(line: LineLink, cause: CloseCause): void {
    this.#successor = undefined;
    this.#owner.forget(line, cause);
    this.#owner.tell((user) => user.moveFailed(cause));
    // It is told as lost now that nothing follows it.
    if (this.#replaced !== undefined) this.#owner.ended(this.#present!, this.#replaced);
    else this.#again(cause);
  }

  /** The server that goes turned the successor away, or the next one is not there yet. */
  #again({ code, reason }: CloseCause): void {
    const present = this.#present;
    const reaction = closeReaction(code);
    const fromMs = parseRetryAfter(reason) ?? AGAIN_MS;
    if (!present || (reaction !== 'restart' && reaction !== 'retry')) return;
    if (present.leavingMs(performance.now()) <= fromMs) return;
    this.beginWithin(present, [fromMs, fromMs + Math.max(AGAIN_WITHIN_MS, readSpread(present.spreadMs) || 0)]);
  }

  #retired(line: LineLink, cause = MOVED): void {
    this.#retiring = undefined;
    clearTimeout(this.#retireTimer);
    this.#owner.forget(line, cause);
  }
}

/** How a line ends with another: what a peer said of one concerns none of the others. */
function ofOther(line: LineLink, cause: CloseCause): CloseCause {
  return cause.by === 'app' || cause.by === 'host' ? cause : causeOf(line, LEAVING, 'lost', 'app');
}

const MOVED: CloseCause = { code: LEAVING, reason: 'moved', opened: true, by: 'app' };
