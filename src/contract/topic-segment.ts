/** A segment of a topic's name as it is written; `undefined` for text with a lone surrogate. */
export function encodeSegment(text: string): string | undefined {
  try {
    return encodeURIComponent(text);
  } catch {
    return undefined;
  }
}
