import { drawDelay, type DelayWindow } from '../../primitives/backoff.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { closeReaction } from '../../protocol/close-reaction.ts';
import { causeOf, LEAVING } from '../line.ts';
import type { LineLink } from '../line-link.ts';
import type { CloseCause } from '../transport.ts';
import type { MoveOwner, Moves } from '../transport-parts.ts';

/** A line that was left without an announced end may answer for so long, ms. */
const RETIRE_MS = 30_000;

/**
 * The lines on both sides of a welcomed one: its successor, which is opened while it serves, and its predecessor, on
 * which nothing new is written, but which may still answer. There are none until a move begins.
 */
export class SeamlessMoves implements Moves {
  readonly #owner: MoveOwner;
  readonly #random: () => number;
  #successor: LineLink | undefined;
  #retiring: LineLink | undefined;
  /** The peer closed the present line because the successor said hello: only the welcome is missing. */
  #replaced: CloseCause | undefined;
  /** Lines that have to go because another serves, and how they end. */
  #left: Array<readonly [LineLink, CloseCause]> = [];
  #retireTimer: ReturnType<typeof setTimeout> | undefined;
  #beginTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: MoveOwner, random: () => number) {
    this.#owner = owner;
    this.#random = random;
  }

  begin(): void {
    if (this.#successor !== undefined) return;
    this.#successor = this.#owner.newLine();
    this.#owner.dial(this.#successor);
  }

  /** Everyone who was told of the window moves, and not at once. */
  beginWithin(window: DelayWindow): void {
    clearTimeout(this.#beginTimer);
    this.#beginTimer = setTimeout(() => this.begin(), drawDelay(window, this.#random));
  }

  ended(line: LineLink, cause: CloseCause): boolean {
    if (line === this.#retiring) this.#retired(line, cause);
    else if (line === this.#successor) this.#failed(line, cause);
    else if (cause.code === CloseCode.TAKEN_OVER && this.#successor?.opened === true) this.#replaced = cause;
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

  welcomed(line: LineLink, last: LineLink | undefined): void {
    const [retiring, replaced] = [this.#retiring, this.#replaced];
    this.#clear();
    // Of three lines the oldest goes at once.
    if (retiring !== undefined) this.#left.push([retiring, MOVED]);
    if (last === undefined || last === line) return;
    if (replaced !== undefined) {
      this.#left.push([last, replaced]);
      return;
    }
    this.#retiring = last;
    const untilMs = last.leavingWindow(performance.now())?.toMs ?? RETIRE_MS;
    this.#retireTimer = setTimeout(() => this.#retired(last), untilMs);
  }

  finish(): void {
    for (const [line, cause] of this.#left.splice(0)) this.#owner.forget(line, cause);
  }

  end(cause: CloseCause): void {
    const lines = [this.#successor, this.#retiring].filter((line) => line !== undefined);
    this.#clear();
    // What a peer said of one line concerns none of the others.
    const concernsAll = cause.by === 'app' || cause.by === 'host';
    for (const line of lines) this.#owner.forget(line, concernsAll ? cause : causeOf(line, LEAVING, 'lost', 'app'));
  }

  #clear(): void {
    clearTimeout(this.#beginTimer);
    clearTimeout(this.#retireTimer);
    this.#successor = this.#retiring = this.#replaced = undefined;
  }

  /** The successor came to nothing, and the present line stays, if it is still there. */
  #failed(line: LineLink, cause: CloseCause): void {
    this.#successor = undefined;
    this.#owner.forget(line, cause);
    this.#owner.moveFailed(cause);
    if (this.#replaced !== undefined) this.#owner.lose(this.#replaced);
  }

  #retired(line: LineLink, cause = MOVED): void {
    this.#retiring = undefined;
    clearTimeout(this.#retireTimer);
    this.#owner.forget(line, cause);
  }
}

const MOVED: CloseCause = { code: LEAVING, reason: 'moved', opened: true, by: 'app' };
