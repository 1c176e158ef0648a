import { encodeError } from '../../protocol/encode.ts';
import { Floor } from './floor.ts';

/** A socket as calls see it: where an id was sent, and where alone it is answered. */
export interface AnswerSocket {
  /** Sends the message that settles an id, and frees its slot. */
  answer(id: number, message: string): void;
  /** The floor settled the id: frees its slot. */
  release(id: number): void;
}

/** What is kept of a call besides its answer, and goes with it. */
export interface Kept {
  /** It goes: whoever still waits for some of it is told the message, or nothing where nobody can be waiting. */
  drop(message: string | undefined): void;
  /** As much of it goes as the call can do without for now. */
  shrink(): void;
}

/** What a client can ask to be run. All but a query may change something. */
export type CallKind = 'query' | 'mutation' | 'stream' | 'publish';

/** One id in the memory of a client: running, or answered, or answered once with the answer dropped since. */
export class KnownCall {
  readonly id: number;
  readonly kind: CallKind;
  /** What was called: a repeated id must name the same. */
  readonly key: string;
  readonly sockets: Set<AnswerSocket> = new Set();
  answer: string | undefined;
  kept: Kept | undefined;
  settled = false;
  /** Told how it ended: the message that settled it, or nothing when nobody waited for it any more. */
  observer: ((message: string | undefined) => void) | undefined;
  /** Reasons to count it as work: it is not settled, its handler has not ended, it waits for its turn. */
  holds = 0;
  #atEnd: Array<() => void> | undefined;
  #controller: AbortController | undefined;
  #abortReason: unknown;

  constructor(id: number, kind: CallKind, key: string) {
    this.id = id;
    this.kind = kind;
    this.key = key;
  }

  /** Made when first asked for: most handlers never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Calls back when it is settled, by whomever; at once when it is. */
  onEnd(ended: () => void): void {
    if (this.settled) ended();
    else (this.#atEnd ??= []).push(ended);
  }

  end(): void {
    const callbacks = this.#atEnd;
    this.#atEnd = undefined;
    if (callbacks !== undefined) for (const ended of callbacks) ended();
  }

  /** Lets go of what is kept besides the answer. */
  dropKept(message: string | undefined): void {
    const { kept } = this;
    this.kept = undefined;
    kept?.drop(message);
  }

  abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }
}

/** What {@link CallMemory.take} made of an id. */
export type Taken =
  /** Never seen: run it. */
  | { readonly kind: 'new'; readonly call: KnownCall }
  /** Never seen, but there is too much to do: it waits for the error that settles it. */
  | { readonly kind: 'refused'; readonly call: KnownCall }
  /** It runs: its answer will come to this socket too. */
  | { readonly kind: 'joined'; readonly call: KnownCall }
  /** Here is what to answer at once. */
  | { readonly kind: 'answered'; readonly message: string };

/** Bounds of a {@link CallMemory}. */
export interface CallMemoryLimits {
  readonly calls: number;
  readonly streams: number;
  readonly answers: number;
  readonly answerBytes: number;
}

/**
 * What a server remembers of one client's calls (PROTOCOL.md, calls across sockets, rules 1 and 2): what runs, and the
 * answers of what acts until the floor settles them. An id that it knows never runs again.
 */
export class CallMemory {
  readonly #limits: CallMemoryLimits;
  readonly #floor = new Floor();
  readonly #calls = new Map<number, KnownCall>();
  /** Settled ids whose entry is kept, oldest first; and those of them whose answer is kept too. */
  readonly #answered = new Set<KnownCall>();
  readonly #stored = new Set<KnownCall>();
  /** Streams that are not settled. */
  readonly #streaming = new Set<KnownCall>();
  readonly #onBytes: (delta: number) => void;
  #bytes = 0;
  #busy = 0;
  #streams = 0;

  constructor(limits: CallMemoryLimits, onBytes: (delta: number) => void) {
    this.#limits = limits;
    this.#onBytes = onBytes;
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

  /** There is as much to do as there may be: twice what one socket may ask for, as rule 5 has it. */
  get isFull(): boolean {
    return this.#busy >= 2 * this.#limits.calls;
  }

  /** Keeps more answers than it is promised. */
  get isOver(): boolean {
    return this.#bytes > this.#limits.answerBytes;
  }

  /** The id was taken in before: what is to be said of it is said by {@link CallMemory.take}. */
  knows(id: number): boolean {
    return this.#calls.has(id) || this.#floor.settles(id);
  }

  /** There is one more reason to count a call as work; what has no call counts by itself. */
  hold(call: KnownCall | undefined): void {
    if (call === undefined || call.holds++ === 0) this.#work(call, 1);
  }

  /** One reason less. */
  release(call: KnownCall | undefined): void {
    if (call === undefined || --call.holds === 0) this.#work(call, -1);
  }

  take(id: number, kind: CallKind, key: string, socket: AnswerSocket): Taken {
    const known = this.#calls.get(id);
    if (known !== undefined && known.key !== key) {
      return answered(id, 'BAD_REQUEST', 'this id was used for something else');
    }
    if (known !== undefined && !known.settled) {
      known.sockets.add(socket);
      return { kind: 'joined', call: known };
    }
    if (known?.answer !== undefined) return { kind: 'answered', message: known.answer };
    if (known !== undefined || this.#floor.settles(id)) return { kind: 'answered', message: unknownOutcome(id) };
    const call = new KnownCall(id, kind, key);
    const isFull = this.isFull || (kind === 'stream' && this.#streams >= 2 * this.#limits.streams);
    call.sockets.add(socket);
    this.hold(call);
    this.#calls.set(id, call);
    if (kind === 'stream') this.#streaming.add(call);
    return { kind: isFull ? 'refused' : 'new', call };
  }

  /** Gives a call its answer, once: a later one is dropped. */
  settle(call: KnownCall, message: string): void {
    if (call.settled) return;
    call.settled = true;
    this.#streaming.delete(call);
    if (call.kind === 'query') this.#calls.delete(call.id);
    else this.#keep(call, message);
    const sockets = [...call.sockets];
    call.sockets.clear();
    for (const socket of sockets) socket.answer(call.id, message);
    call.end();
    this.release(call);
    call.observer?.(message);
  }

  /** Nobody wants it: aborts it and settles it with what there is. */
  cancel(call: KnownCall): void {
    call.abort(new DOMException('the call was cancelled', 'AbortError'));
    this.#giveUp(call, encodeError(call.id, { code: 'ABORTED', message: 'the call was cancelled' }, ''));
  }

  /** It can't be answered any more: aborts it. */
  lose(call: KnownCall): void {
    call.abort(new DOMException('what came of it is no longer remembered', 'AbortError'));
    this.#giveUp(call, unknownOutcome(call.id));
  }

  #giveUp(call: KnownCall, message: string): void {
    call.dropKept(message);
    // Without the items before it, the end of a stream is no answer.
    if (call.settled) this.#drop(call);
    else this.settle(call, message);
  }

  /** Every id below is settled at the client but for some: they are forgotten, what runs of them is aborted. */
  raise(below: number, except: Iterable<number>): void {
    if (!this.#floor.raise(below, except)) return;
    for (const call of [...this.#calls.values()]) if (this.#floor.settles(call.id)) this.#forget(call);
  }

  /** The client is gone for good: aborts what runs. */
  clear(): void {
    for (const call of [...this.#calls.values()]) this.#forget(call);
  }

  #forget(call: KnownCall): void {
    this.#calls.delete(call.id);
    call.dropKept(undefined);
    this.#drop(call);
    this.#answered.delete(call);
    if (call.settled) return;
    call.settled = true;
    this.#streaming.delete(call);
    for (const socket of call.sockets) socket.release(call.id);
    call.sockets.clear();
    call.abort(new DOMException('the client no longer waits for this call', 'AbortError'));
    call.end();
    this.release(call);
    call.observer?.(undefined);
  }

  /** Drops answers, the oldest first, down to what is promised; before them what running streams can do without. */
  trim(): void {
    for (const call of this.#streaming) {
      if (!this.isOver) return;
      call.kept?.shrink();
    }
    for (const oldest of this.#stored) {
      if (!this.isOver) return;
      this.#drop(oldest);
    }
  }

  #keep(call: KnownCall, message: string): void {
    call.answer = message;
    this.#answered.add(call);
    this.#stored.add(call);
    this.count(message.length);
    for (const oldest of this.#answered) {
      if (this.#answered.size <= this.#limits.answers) break;
      this.#drop(oldest);
      this.#answered.delete(oldest);
      this.#calls.delete(oldest.id);
      // Without an entry only the floor keeps the id from running again.
      this.#floor.settle(oldest.id, this.#calls.keys());
    }
  }

  #drop(call: KnownCall): void {
    if (call.answer === undefined) return;
    const { length } = call.answer;
    call.answer = undefined;
    this.#stored.delete(call);
    call.dropKept(unknownOutcome(call.id));
    this.count(-length);
  }

  /** Bytes of answers, or of what is kept with them, came or went. */
  count(delta: number): void {
    this.#bytes += delta;
    this.#onBytes(delta);
  }

  #work(call: KnownCall | undefined, delta: 1 | -1): void {
    this.#busy += delta;
    if (call?.kind === 'stream') this.#streams += delta;
  }
}

function unknownOutcome(id: number): string {
  const message = 'the answer to this call is no longer remembered';
  return encodeError(id, { code: 'UNKNOWN_OUTCOME', message }, '');
}

function answered(id: number, code: string, message: string): Taken {
  return { kind: 'answered', message: encodeError(id, { code, message }, '') };
}
