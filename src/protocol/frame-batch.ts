import { utf8Length } from './utf8.ts';

/** A batch of calls stays small, so that the peer begins to work while more are written. */
const CALL_BATCH_BYTES = 8 * 1024;
const CALL_BATCH_MESSAGES = 32;
/** Events and subscriptions have no such turn to lose. */
const BULK_BATCH_BYTES = 64 * 1024;

/** Gathers messages into frames, in order, none above what the peer accepts. */
export class FrameBatch {
  /** A frame may be this large. */
  frameBytes: number;
  /** Messages that were ever taken, and those of them that were sent: what is taken has its number. */
  taken = 0;
  sent = 0;
  readonly #send: (frame: string, bytes: number) => void;
  /** The frame without its closing bracket. */
  #text = '';
  #bytes = 0;
  #calls = 0;

  constructor(send: (frame: string, bytes: number) => void, frameBytes: number) {
    this.#send = send;
    this.frameBytes = frameBytes;
  }

  /** Bytes that are gathered and not yet sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * `false` when the message alone is above the limit of a frame: it was not taken.
   * @param length - Its UTF-8 bytes, where they are known.
   */
  add(message: string, kind: 'call' | 'bulk', length: number = utf8Length(message)): boolean {
    const bytes = length + 1; // a comma or a bracket
    if (bytes + 1 > this.frameBytes) return false;
    const isCall = kind === 'call';
    const soft = isCall || this.#calls > 0 ? CALL_BATCH_BYTES : BULK_BATCH_BYTES;
    if (this.#bytes > 0 && this.#bytes + bytes + 1 > Math.min(soft, this.frameBytes)) this.flush();
    this.#text = this.#bytes === 0 ? `[${message}` : `${this.#text},${message}`;
    this.#bytes += bytes;
    this.taken++;
    if (isCall && ++this.#calls >= CALL_BATCH_MESSAGES) this.flush();
    return true;
  }

  /** Sends a part of a frame, behind what is gathered; it is numbered as messages are. */
  part(part: string): void {
    this.flush();
    this.sent = ++this.taken;
    this.#send(part, utf8Length(part));
  }

  /** Sends what is gathered. */
  flush(): void {
    if (this.#bytes === 0) return;
    const frame = `${this.#text}]`;
    const bytes = this.#bytes + 1;
    this.#text = '';
    this.#bytes = 0;
    this.#calls = 0;
    this.sent = this.taken;
    this.#send(frame, bytes);
  }
}
