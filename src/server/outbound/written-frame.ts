import { FrameParts } from '../../protocol/parts.ts';
import { utf8Length } from '../../protocol/utf8.ts';

/** Messages that are sent together. */
export interface WrittenFrame {
  readonly text: string;
  readonly bytes: number;
  /** Messages in it that are not held back however little the peer reads. */
  readonly answers: number;
  /** Something in it keeps its order among the bulk. */
  readonly hasBulk: boolean;
  /** It is a part of this one. */
  readonly of?: LargeFrame | undefined;
}

/** A message that goes in parts, and how far it has come. */
export class LargeFrame implements WrittenFrame {
  readonly text: string;
  readonly bytes: number;
  readonly answers: number;
  readonly hasBulk: boolean;
  /** Bytes that wait to be written. */
  left: number;
  /** Parts that the peer has taken in. */
  taken = 0;
  #written = 0;
  readonly #partBytes: number;
  #parts: FrameParts | undefined;

  constructor(frame: WrittenFrame, partBytes: number) {
    this.text = frame.text;
    this.left = this.bytes = frame.bytes;
    this.answers = frame.answers;
    this.hasBulk = frame.hasBulk;
    this.#partBytes = partBytes;
  }

  get isWritten(): boolean {
    return this.left === 0;
  }

  get isTaken(): boolean {
    return this.isWritten && this.taken === this.#written;
  }

  /** What tells the peer to forget what it has of it, if it has something. */
  giveUp(): string | undefined {
    return this.#parts?.giveUp();
  }

  /** The next part. @param s - A number for the first one */
  next(s: () => number): WrittenFrame {
    const parts = (this.#parts ??= new FrameParts(s(), this.text, this.bytes, this.#partBytes));
    const text = parts.next();
    this.#written++;
    this.left = Math.round((this.bytes * parts.left) / this.text.length);
    const answers = this.isWritten ? this.answers : 0;
    return { text, bytes: utf8Length(text), answers, hasBulk: this.hasBulk, of: this };
  }
}
