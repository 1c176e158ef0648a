import { encodeFrame } from '../protocol/encode.ts';

/** A batch of answers stays small, so that the client works on them while more are made. Lengths in UTF-16 units. */
const ANSWERS_LENGTH = 4 * 1024;
const ANSWERS = 16;
/** Events have no such turn to lose. */
const BULK_LENGTH = 64 * 1024;

/**
 * Messages on their way to one socket: gathered into frames in their order, sent in a microtask after the first one.
 * Nothing depends on the size of a frame here (a client states no limit), so lengths do for bytes.
 */
export class Outbox {
  readonly #send: (frame: string) => void;
  #frames: string[] = [];
  #batch: string[] = [];
  #batchLength = 0;
  #answers = 0;
  #length = 0;
  #scheduled = false;

  constructor(send: (frame: string) => void) {
    this.#send = send;
  }

  /** Length of what waits for the microtask. */
  get length(): number {
    return this.#length;
  }

  push(message: string, kind: 'answer' | 'bulk'): void {
    if (kind === 'answer') this.#answers++;
    const most = this.#answers > 0 ? ANSWERS_LENGTH : BULK_LENGTH;
    if (this.#batch.length > 0 && this.#batchLength + message.length > most) {
      this.#close();
      if (kind === 'answer') this.#answers = 1;
    }
    this.#batch.push(message);
    this.#batchLength += message.length + 1;
    this.#length += message.length;
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
    this.#length = 0;
    for (const frame of frames) this.#send(frame);
  }

  /** Drops everything: the socket is gone. */
  clear(): void {
    this.#batch = [];
    this.#close();
    this.#frames = [];
    this.#length = 0;
  }

  #close(): void {
    if (this.#batch.length > 0) this.#frames.push(encodeFrame(this.#batch));
    this.#batch = [];
    this.#batchLength = 0;
    this.#answers = 0;
  }
}
