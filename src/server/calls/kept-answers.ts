import { encodeError } from '../../protocol/encode.ts';
import type { KnownCall } from './known-call.ts';

/** Bounds of {@link KeptAnswers}. */
export interface AnswerLimits {
  readonly answers: number;
  readonly answerBytes: number;
}

/**
 * The answers of one client's mutations, publishes and streams, kept until the floor settles them: an id that is sent
 * again is answered from here, and its handler does not run again. Bounded by their number; where memory is short, by
 * their bytes.
 */
export class KeptAnswers {
  readonly #limits: AnswerLimits;
  readonly #onBytes: (delta: number) => void;
  /** Settled calls whose answer is here, and those whose answer had to go; the oldest first. */
  #whole: Set<KnownCall> | undefined;
  #dropped: Set<KnownCall> | undefined;
  #bytes = 0;

  /** `onBytes` is told of bytes that came or went. */
  constructor(limits: AnswerLimits, onBytes: (delta: number) => void) {
    this.#limits = limits;
    this.#onBytes = onBytes;
  }

  /** More than the client is promised. */
  get isOver(): boolean {
    return this.#bytes > this.#limits.answerBytes;
  }

  /** Keeps an answer. Gives the oldest call when there are too many: its answer has gone, and its entry is to go. */
  keep(call: KnownCall, message: string): KnownCall | undefined {
    call.answer = message;
    (this.#whole ??= new Set()).add(call);
    this.count(message.length);
    const size = this.#whole.size + (this.#dropped?.size ?? 0);
    if (size <= this.#limits.answers) return undefined;
    const oldest = first(this.#dropped) ?? first(this.#whole)!;
    this.drop(oldest);
    this.#dropped?.delete(oldest);
    return oldest;
  }

  /** It is sent once more: what was sent before it, the client has sooner, so that goes first where memory is short. */
  again(call: KnownCall): void {
    if (this.#whole?.delete(call)) this.#whole.add(call);
  }

  /** Lets go of an answer: its call is `UNKNOWN_OUTCOME` from now on. */
  drop(call: KnownCall): void {
    if (!this.#letGo(call)) return;
    (this.#dropped ??= new Set()).add(call);
    call.dropKept(unknownOutcome(call.id));
  }

  /** A call goes, and its answer with it. */
  forget(call: KnownCall): void {
    this.#letGo(call);
    this.#dropped?.delete(call);
  }

  /** Drops answers, the oldest first, down to what is promised. */
  trim(): void {
    if (this.#whole === undefined) return;
    for (const oldest of this.#whole) {
      if (!this.isOver) return;
      this.drop(oldest);
    }
  }

  #letGo(call: KnownCall): boolean {
    const { answer } = call;
    if (answer === undefined) return false;
    call.answer = undefined;
    this.#whole?.delete(call);
    this.count(-answer.length);
    return true;
  }

  /** Bytes of answers, or of what is kept with them, came or went. */
  count(delta: number): void {
    this.#bytes += delta;
    this.#onBytes(delta);
  }
}

/** What is said of a call of which it is not known what became. */
export function unknownOutcome(id: number): string {
  const message = 'the answer to this call is no longer remembered';
  return encodeError(id, { code: 'UNKNOWN_OUTCOME', message }, '');
}

function first<T>(values: Iterable<T> | undefined): T | undefined {
  if (values === undefined) return undefined;
  const [value] = values;
  return value;
}
