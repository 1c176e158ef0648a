import { utf8Length } from '../../protocol/utf8.ts';

/** Measures texts in bytes. The same text often goes to many, one after the other: it is measured once for all. */
export class TextBytes {
  #text = '';
  #bytes = 0;

  of(text: string): number {
    if (text !== this.#text) {
      this.#text = text;
      this.#bytes = utf8Length(text);
    }
    return this.#bytes;
  }
}
