import type { WrittenFrame } from './written-frame.ts';

/** Bytes that a socket adds to a frame, at most (RFC 6455 5.2: no mask from a server). */
const FRAME_HEADER = 10;

type Counted = Pick<WrittenFrame, 'bytes' | 'answers'>;

/** How many answers may still lie in the buffer of a socket: those in the frames that were handed to it last. */
export class UnreadAnswers {
  #frames: Counted[] = [];
  #bytes = 0;
  #answers = 0;

  /** A frame was handed to the socket. */
  add(text: number, answers: number): void {
    const bytes = text + FRAME_HEADER;
    this.#frames.push({ bytes, answers });
    this.#bytes += bytes;
    this.#answers += answers;
  }

  /** Answers that so many bytes, the last ones, can hold. */
  within(buffered: number): number {
    let gone = 0;
    for (const { bytes, answers } of this.#frames) {
      if (this.#bytes - bytes < buffered) break;
      this.#bytes -= bytes;
      this.#answers -= answers;
      gone++;
    }
    this.#frames.splice(0, gone);
    return this.#answers;
  }
}
