import { encodeFrame } from '../../protocol/encode.ts';
import { utf8Length } from '../../protocol/utf8.ts';

/**
 * Bytes and frames of messages. The same message often goes to many sockets, one after the other: it is measured once
 * for all, and framed once, so that all of them are given one and the same text.
 */
export class SharedTexts {
  #text = '';
  #bytes = 0;
  #only = '';
  #onlyFrame = '';
  #batch: readonly string[] = [];
  #batchFrame = '';

  /** Bytes of a text. */
  bytesOf(text: string): number {
    if (text !== this.#text) {
      this.#text = text;
      this.#bytes = utf8Length(text);
    }
    return this.#bytes;
  }

  /** The frame of one message. */
  frameOf(message: string): string {
    if (message !== this.#only) {
      this.#only = message;
      this.#onlyFrame = `[${message}]`;
    }
    return this.#onlyFrame;
  }

  /** The frame of several messages. The list must not change any more. */
  frameOfAll(messages: readonly string[]): string {
    if (!isSame(messages, this.#batch)) {
      this.#batch = messages;
      this.#batchFrame = encodeFrame(messages);
    }
    return this.#batchFrame;
  }
}

/** From behind: two lists that differ mostly do so in what came last. */
function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let index = one.length - 1; index >= 0; index--) if (one[index] !== other[index]) return false;
  return true;
}
