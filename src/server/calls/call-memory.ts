import { encodeError } from '../../protocol/encode.ts';
import { CallTable } from './call-table.ts';
import { Floor } from './floor.ts';
import { KeptAnswers, unknownOutcome } from './kept-answers.ts';
import type { AnswerLimits } from './kept-answers.ts';
import { KnownCall } from './known-call.ts';
import type { AnswerSocket, CallKind } from './known-call.ts';

/** What {@link CallMemory.take} made of an id. */
export type Taken =
  /** Never seen: run it. */
  | { readonly kind: 'new'; readonly call: KnownCall }
  /** Never seen, but there is too much to do: it waits for the error that settles it. */
  | { readonly kind: 'refused'; readonly call: KnownCall }
  /** It runs: its answer will come to this socket too. `again`: it was sent here before. */
  | { readonly kind: 'joined'; readonly call: KnownCall; readonly again: boolean }
  /** Here is what to answer at once. */
  | { readonly kind: 'answered'; readonly message: string };

/** Bounds of a {@link CallMemory}. */
export interface CallMemoryLimits extends AnswerLimits {
  readonly calls: number;
  readonly streams: number;
}

/** Calls whose handlers were told to end and have not. */
export interface AbortedCalls {
  add(call: KnownCall, calls: CallMemory): void;
  /** It has ended, or was given up. */
  remove(call: KnownCall): void;
}

/**
 * What a server remembers of one client's calls (PROTOCOL.md, calls across sockets, rules 1 and 2): what runs, and the
 * answers of what acts until the floor settles them. An id that it knows never runs again.
 */
export class CallMemory {
  readonly #limits: CallMemoryLimits;
  readonly #floor = new Floor();
  /** Not yet settled, or settled and their entry kept. */
  readonly #calls = new CallTable();
  readonly #answers: KeptAnswers;
  /** Streams that are not settled. */
  #streaming: Set<KnownCall> | undefined;
  readonly #abortedCalls: AbortedCalls;
  #busy = 0;
  #streams = 0;
  #aborted = 0;

  constructor(limits: CallMemoryLimits, onBytes: (delta: number) => void, abortedCalls: AbortedCalls) {
    this.#limits = limits;
    this.#abortedCalls = abortedCalls;
    this.#answers = new KeptAnswers(limits, onBytes);
  }

  /** Entries: not yet settled, and settled. */
  get size(): number {
    return this.#calls.size;
  }

  /** Work in hand: calls that wait or run, and handlers that go on after their call was settled. */
  get busy(): number {
    return this.#busy;
  }

  /** Those of {@link busy} that are streams. */
  get streams(): number {
    return this.#streams;
  }

  /** Those of {@link busy} whose handlers were told to end and have not. */
  get aborted(): number {
    return this.#aborted;
  }

  /** There is as much to do as there may be: twice what one socket may ask for, as rule 5 has it. */
  get isFull(): boolean {
    return this.#busy >= 2 * this.#limits.calls;
  }

  /** Keeps more answers than it is promised. */
  get isOver(): boolean {
    return this.#answers.isOver;
  }

  /** The id was taken in before: what is to be said of it is said by {@link CallMemory.take}. */
  knows(id: number): boolean {
    return this.#calls.has(id) || this.#floor.bars(id);
  }

  get(id: number): KnownCall | undefined {
    return this.#calls.get(id);
  }

  /** Adds how many of each contract path are work in hand. */
  countByPath(counts: Record<string, number>): void {
    for (const { holds, path } of this.#calls.values()) if (holds > 0) counts[path] = (counts[path] ?? 0) + 1;
  }

  /** All that are not settled, and those that are and still known. */
  all(): Iterable<KnownCall> {
    return this.#calls.values();
  }

  /** There is one more reason to count a call as work; what has no call counts by itself. */
  hold(call: KnownCall | undefined): void {
    if (call === undefined || call.holds++ === 0) this.#work(call, 1);
  }

  /** One reason less. */
  release(call: KnownCall | undefined): void {
    if (call === undefined || (--call.holds === 0 && call.neglect !== 'given up')) this.#work(call, -1);
  }

  /** Tells its handler to end. */
  abort(call: KnownCall, reason: Error): void {
    call.abort(reason);
    if (!call.begun || call.holds === 0 || call.neglect !== undefined) return;
    call.neglect = 'aborted';
    this.#aborted++;
    this.#abortedCalls.add(call, this);
  }

  /** Its handler was told to end a while ago, and has not: counts it no more. */
  giveUp(call: KnownCall): void {
    this.#work(call, -1);
    call.neglect = 'given up';
  }

  take(id: number, kind: CallKind, key: string, socket: AnswerSocket): Taken {
    const known = this.#calls.get(id);
    if (known !== undefined && known.key !== key) {
      return answered(id, 'BAD_REQUEST', 'this id was used for something else');
    }
    if (known !== undefined && !known.settled) {
      return { kind: 'joined', call: known, again: !known.addSocket(socket) };
    }
    if (known?.answer !== undefined) {
      this.#answers.again(known);
      return { kind: 'answered', message: known.answer };
    }
    if (known !== undefined || this.#floor.bars(id)) return { kind: 'answered', message: unknownOutcome(id) };
    const call = new KnownCall(id, kind, key, socket);
    const isFull = this.isFull || (kind === 'stream' && this.#streams >= 2 * this.#limits.streams);
    this.hold(call);
    this.#calls.add(call);
    if (kind === 'stream') (this.#streaming ??= new Set()).add(call);
    return { kind: isFull ? 'refused' : 'new', call };
  }

  /** Gives a call its answer, once: a later one is dropped. */
  settle(call: KnownCall, answer: string): void {
    if (call.settled) return;
    call.settled = true;
    const message = call.mayHaveRun && answer.startsWith('["error"') ? unknownOutcome(call.id) : answer;
    if (call.kind === 'stream') this.#streaming?.delete(call);
    if (call.kind === 'query') this.#calls.delete(call.id);
    else this.#keep(call, message);
    call.leaveSockets(message);
    call.end();
    this.release(call);
    call.observer?.(message);
  }

  /** Nobody wants it: aborts it and settles it with what there is. */
  cancel(call: KnownCall): void {
    this.abort(call, new DOMException('the call was cancelled', 'AbortError'));
    this.#drop(call, encodeError(call.id, { code: 'ABORTED', message: 'the call was cancelled' }, ''));
  }

  /** It can't be answered any more: aborts it. */
  lose(call: KnownCall): void {
    this.abort(call, new DOMException('what came of it is no longer remembered', 'AbortError'));
    this.#drop(call, unknownOutcome(call.id));
  }

  #drop(call: KnownCall, message: string): void {
    call.dropKept(message);
    // Without the items before it, the end of a stream is no answer.
    if (call.settled) this.#answers.drop(call);
    else this.settle(call, message);
  }

  /**
   * Every id below is settled at the client but for some: they are forgotten, what runs of them is aborted. Gives how many
   * ids were looked at for it.
   */
  raise(below: number, except: readonly number[]): number {
    let looked = except.length;
    if (!this.#floor.raise(below, except, (id) => this.#calls.has(id))) return looked;
    for (const call of this.#calls.below(below)) {
      looked++;
      if (this.#floor.settles(call.id)) this.#forget(call);
    }
    return looked;
  }

  /** The client is gone for good: aborts what runs. */
  clear(): void {
    for (const call of this.#calls.values()) this.#forget(call);
  }

  #forget(call: KnownCall): void {
    this.#calls.delete(call.id);
    call.dropKept(undefined);
    this.#answers.forget(call);
    if (call.settled) return;
    call.settled = true;
    this.#streaming?.delete(call);
    call.leaveSockets(undefined);
    this.abort(call, new DOMException('the client no longer waits for this call', 'AbortError'));
    call.end();
    this.release(call);
    call.observer?.(undefined);
  }

  /** Drops answers, the oldest first, down to what is promised; before them what running streams can do without. */
  trim(): void {
    for (const call of this.#streaming ?? []) {
      if (!this.isOver) return;
      call.kept?.shrink();
    }
    this.#answers.trim();
  }

  #keep(call: KnownCall, message: string): void {
    const gone = this.#answers.keep(call, message);
    if (gone === undefined) return;
    this.#calls.delete(gone.id);
    // Without an entry only this keeps the id from running again.
    this.#floor.forget(gone.id);
  }

  /** Bytes of answers, or of what is kept with them, came or went. */
  count(delta: number): void {
    this.#answers.count(delta);
  }

  #work(call: KnownCall | undefined, delta: 1 | -1): void {
    this.#busy += delta;
    if (call?.neglect === 'aborted') {
      this.#aborted--;
      this.#abortedCalls.remove(call);
    }
    if (call?.kind === 'stream') this.#streams += delta;
  }
}

function answered(id: number, code: string, message: string): Taken {
  return { kind: 'answered', message: encodeError(id, { code, message }, '') };
}

/** Why there may be more work than calls, for people. */
export function describeAborted({ aborted }: CallMemory): string {
  return aborted === 0 ? '' : `, ${aborted} of them handlers that were told to end and have not`;
}
