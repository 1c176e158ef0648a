/**
 * How deep a frame may nest: 64 levels for a value, and some for the frame, the message and what a codec wraps
 * around. What reads a decoded value may therefore recurse.
 */
export const MAX_DEPTH = 72;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Whether a JSON text nests deeper than {@link MAX_DEPTH}. One pass over the text without recursion, done before
 * `JSON.parse`, which some engines write recursively. A text that is no JSON gets some answer, never an exception.
 */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index + 1);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
  return false;
}

/** Index of the quote that ends a string, or of the end of a text that never ends it. */
function endOfString(text: string, start: number): number {
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return index;
    if (code === BACKSLASH) index++;
  }
  return text.length;
}
