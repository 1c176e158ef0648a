import { encodeFrame } from './encode.ts';
import { utf8Length } from './utf8.ts';

/** A batch of calls stays small, so that the peer begins to work while more are written. */
const CALL_BATCH_BYTES = 4 * 1024;
const CALL_BATCH_MESSAGES = 16;
/** Events and subscriptions have no such turn to lose. */
const BULK_BATCH_BYTES = 64 * 1024;

/** Gathers messages into frames, in order, none above what the peer accepts. */
export class FrameBatch {
  readonly #send: (frame: string, bytes: number) => void;
  readonly #frameBytes: number;
  #messages: string[] = [];
  #bytes = 0;
  #hasCall = false;

  constructor(send: (frame: string, bytes: number) => void, frameBytes: number) {
    this.#send = send;
    this.#frameBytes = frameBytes;
  }

  /** Bytes that are gathered and not yet sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `false` when the message alone is above the limit of a frame: it was not taken. */
  add(message: string, kind: 'call' | 'bulk'): boolean {
    const bytes = utf8Length(message) + 1; // a comma or a bracket
    if (bytes + 1 > this.#frameBytes) return false;
    const isCall = kind === 'call';
    const soft = isCall || this.#hasCall ? CALL_BATCH_BYTES : BULK_BATCH_BYTES;
    if (this.#bytes > 0 && this.#bytes + bytes + 1 > Math.min(soft, this.#frameBytes)) this.flush();
    this.#messages.push(message);
    this.#bytes += bytes;
    this.#hasCall ||= isCall;
    if (this.#hasCall && this.#messages.length >= CALL_BATCH_MESSAGES) this.flush();
    return true;
  }

  /** Sends what is gathered. */
  flush(): void {
    if (this.#messages.length === 0) return;
    const frame = encodeFrame(this.#messages);
    const bytes = this.#bytes + 1;
    this.#messages = [];
    this.#bytes = 0;
    this.#hasCall = false;
    this.#send(frame, bytes);
  }
}
