/*
 * Large frames travel in parts, each a WebSocket message of its own: `+s,left,text`. `s` tells the frames apart that are
 * under way, `left` is how much of the frame is still to come, in UTF-16 units, 0 with the last. A part without text
 * gives the frame up. See PROTOCOL.md, "Parts".
 */

/** In `features` of a `hello`: its client takes parts. */
export const PARTS = 'parts';

/** What a part begins with: no JSON does. */
export const MARK = '+';

/** What a client takes in parts: a frame of at most so many UTF-16 units. What is larger comes whole. */
export const UNITS_TO_CLIENT: number = 16 * 1024 * 1024;

/** So many frames may be unfinished at a time on their way to a client, and to a server. */
export const UNFINISHED_TO_CLIENT = 4;
export const UNFINISHED_TO_SERVER = 2;

/** No part but the last is shorter, UTF-16 units: or what is kept of a frame would be more than its text. */
const LEAST_UNITS = 128;

/** What a server may call the size of a part, at least, bytes: a character takes three of them at most, a unit two. */
export const LEAST_PART_BYTES = 1024;

/** With what stands before its text a part is no larger than it should be. */
const HEAD_BYTES = 32;

const HEAD = /^\+(\d{1,15}),(\d{1,15}),/;

/** A frame on its way out. */
export class FrameParts {
  readonly #s: number;
  readonly #frame: string;
  readonly #units: number;
  #at = 0;

  /**
   * @param s - No other unfinished frame on its socket has the same
   * @param bytes - Those of the frame
   * @param partBytes - A part is about half as large: small ones mix better
   */
  constructor(s: number, frame: string, bytes: number, partBytes: number) {
    this.#s = s;
    this.#frame = frame;
    // As many units as have so many bytes where they are like those of the whole.
    this.#units = Math.floor(((partBytes / 2 - HEAD_BYTES) * frame.length) / bytes);
  }

  /** So many parts there will be, or one or two more where a part ends before a surrogate pair. */
  get count(): number {
    return Math.ceil(this.#frame.length / this.#units);
  }

  /** Units that are not yet taken. */
  get left(): number {
    return this.#frame.length - this.#at;
  }

  /** The next part, never cut inside a surrogate pair: what would be left of it is no text. */
  next(): string {
    const from = this.#at;
    const to = from + this.#units;
    this.#at = (this.#frame.charCodeAt(to) & 0xfc00) === 0xdc00 ? to - 1 : Math.min(to, this.#frame.length);
    return `${MARK}${this.#s},${this.left},${this.#frame.slice(from, this.#at)}`;
  }

  /** The part after which the peer forgets the others, if there were any. */
  giveUp(): string | undefined {
    return this.#at > 0 ? `${MARK}${this.#s},0,` : undefined;
  }
}

interface Unfinished {
  readonly texts: string[];
  readonly units: number;
  left: number;
}

/** Puts the frames of one sender together, each once its last part is here. What it holds is bounded, whatever comes. */
export class PartReader {
  /** A frame was refused that would have been longer than what is taken. */
  isTooLarge = false;
  /** Units of what is not yet whole. */
  held = 0;
  readonly #mostUnits: number;
  readonly #mostUnfinished: number;
  readonly #came: ((beginning: string, fraction: number) => void) | undefined;
  readonly #unfinished: Map<string, Unfinished> = new Map();

  /**
   * @param mostUnits - Longest frame, UTF-16 units
   * @param mostUnfinished - So many at a time
   * @param came - Hears of each part: how its frame begins, and which part of that is here
   */
  constructor(mostUnits: number, mostUnfinished: number, came?: (beginning: string, fraction: number) => void) {
    this.#mostUnits = mostUnits;
    this.#mostUnfinished = mostUnfinished;
    this.#came = came;
  }

  /**
   * Takes a part. Gives the frame that it completes; nothing where more is to come; and the part itself where it is
   * none that may come now: read as a frame, that is at fault.
   */
  take(part: string): string | undefined {
    const head = HEAD.exec(part);
    if (head === null) return part;
    const s = head[1]!;
    const left = Number(head[2]);
    const text = part.slice(head[0].length);
    const isFirst = !this.#unfinished.has(s);
    if (isFirst) {
      this.isTooLarge = text.length + left > this.#mostUnits;
      if (this.isTooLarge || this.#unfinished.size >= this.#mostUnfinished) return part;
      this.#unfinished.set(s, { texts: [], units: text.length + left, left: text.length + left });
    }
    const one = this.#unfinished.get(s)!;
    if (text === '' ? isFirst || left > 0 : one.left !== text.length + left) return part;
    if (left > 0 && text.length < LEAST_UNITS) return part;
    one.texts.push(text);
    one.left = left;
    this.held += text.length;
    if (text !== '') this.#came?.(one.texts[0]!, 1 - left / one.units);
    if (left > 0) return undefined;
    this.#unfinished.delete(s);
    const whole = one.texts.join('');
    this.held -= whole.length;
    return text === '' ? undefined : whole;
  }
}
