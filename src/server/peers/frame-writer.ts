import { encodeFrame } from '../../protocol/encode.ts';
import type { TextBytes } from './text-bytes.ts';

/** A batch of answers stays small, so that the client works on them while more are made. */
const ANSWERS_BYTES = 4 * 1024;
const ANSWERS = 16;
/** Events have no such turn to lose. */
const BULK_BYTES = 64 * 1024;

/** Messages that are sent together. */
export interface WrittenFrame {
  readonly text: string;
  readonly bytes: number;
  /** Messages in it that somebody waits for. */
  readonly answers: number;
}

/**
 * Messages on their way to one socket: gathered into frames in their order, sent in a microtask after the first one.
 * What waits is counted in bytes, as the socket counts them: both together tell whether the peer keeps up.
 */
export class FrameWriter {
  readonly #sizes: TextBytes;
  readonly #send: (frame: WrittenFrame) => void;
  #frames: WrittenFrame[] = [];
  #batch: string[] = [];
  #batchBytes = 0;
  #answers = 0;
  #waiting = 0;
  #scheduled = false;

  constructor(sizes: TextBytes, send: (frame: WrittenFrame) => void) {
    this.#sizes = sizes;
    this.#send = send;
  }

  /** Bytes that wait for the microtask. */
  get bytes(): number {
    return this.#waiting;
  }

  push(message: string, kind: 'answer' | 'bulk'): void {
    const most = kind === 'answer' || this.#answers > 0 ? ANSWERS_BYTES : BULK_BYTES;
    const bytes = this.#sizes.of(message);
    if (this.#batch.length > 0 && this.#batchBytes + bytes > most) this.#close();
    if (kind === 'answer') this.#answers++;
    this.#batch.push(message);
    this.#batchBytes += bytes + 1;
    this.#waiting += bytes;
    if (this.#answers >= ANSWERS) this.#close();
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Sends everything now. */
  flush(): void {
    this.#close();
    const frames = this.#frames;
    this.#frames = [];
    this.#waiting = 0;
    for (const frame of frames) this.#send(frame);
  }

  /** Drops everything: the socket is gone. */
  clear(): void {
    this.#batch = [];
    this.#close();
    this.#frames = [];
    this.#waiting = 0;
  }

  #close(): void {
    if (this.#batch.length > 0) {
      this.#frames.push({ text: encodeFrame(this.#batch), bytes: this.#batchBytes + 1, answers: this.#answers });
    }
    this.#batch = [];
    this.#batchBytes = 0;
    this.#answers = 0;
  }
}
