import { UNITS_TO_CLIENT } from '../../protocol/parts.ts';
import type { Flusher, Gatherer, Turns } from './flusher.ts';
import { LARGE } from './large-messages.ts';
import type { SharedTexts } from './shared-texts.ts';
import { LargeFrame } from './written-frame.ts';
import type { WrittenFrame } from './written-frame.ts';

/** A batch with an answer in it stays small, so that the client works on it while more are made. */
const ANSWERS_BYTES = 8 * 1024;
const ANSWERS_MESSAGES = 32;
/** Events have no such turn to lose. A large one goes alone: the client bounds what waits there by the length of frames. */
const BULK_BYTES = 64 * 1024;

/**
 * What a message is. Somebody waits for an `answer`: it is written in a microtask, or `gathered` with those that may come
 * in the same turn of the event loop. Nobody waits for `bulk`, the events and items that come in streams: they gather.
 * A `notice` is written at once, and is no answer. An `ordered answer` keeps its place among the bulk, as what tells where
 * a subscription begins or ends: it is not held back as bulk is, so it counts as an answer where nobody reads.
 */
export type Delivery = 'answer' | 'gathered answer' | 'ordered answer' | 'notice' | 'bulk';

/** What may wait, and keeps its order: answers overtake it where a socket is full. */
export function isBulk(delivery: Delivery): boolean {
  return delivery === 'bulk' || delivery === 'ordered answer';
}

/** Where the frames of a {@link FrameWriter} go. */
export interface FrameSink {
  readonly texts: SharedTexts;
  readonly flusher: Flusher;
  /** Nothing where the runtime knows no end of a turn. */
  readonly turns: Turns | undefined;
  /** More than this does not wait for the end of a turn. */
  readonly gatheredBytes: number;
  /** Size of the parts that the peer takes: a message of more goes in those. `Infinity` where it takes none. */
  readonly partBytes: number;
  /** A message goes in parts. */
  cut(frame: LargeFrame): void;
  send(text: string, bytes: number, answers: number, hasBulk: boolean): void;
  /** The same for several that are there at once, in order. */
  sendAll(frames: readonly WrittenFrame[]): void;
}

/**
 * Messages on their way to one socket: gathered into frames in their order, and written when the {@link Flusher} says so.
 * What waits is counted in bytes, as the socket counts them: both together tell whether the peer keeps up.
 */
export class FrameWriter implements Gatherer {
  readonly #sink: FrameSink;
  /** The batch: its first message, and all of them as soon as there are two. Most have one. */
  #first = '';
  #batch: string[] | undefined;
  #size = 0;
  #batchBytes = 0;
  #answers = 0;
  #ordered = 0;
  #hasBulk = false;
  #frames: WrittenFrame[] | undefined;
  #waiting = 0;
  #isSoon = false;
  #isLater = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Bytes that wait to be written. */
  get bytes(): number {
    return this.#waiting;
  }

  push(message: string, delivery: Delivery): void {
    const isAnswer = delivery === 'answer' || delivery === 'gathered answer';
    const most = isAnswer || this.#answers > 0 ? ANSWERS_BYTES : BULK_BYTES;
    const bytes = this.#sink.texts.bytesOf(message) + 1; // a comma or a bracket
    if (bytes > this.#sink.partBytes && message.length + 2 <= UNITS_TO_CLIENT)
      return this.#pushLarge(message, bytes, delivery);
    const isLarge = bytes > LARGE;
    if (this.#size > 0 && (isLarge || this.#batchBytes + bytes + 1 > most)) this.#close();
    if (isAnswer) this.#answers++;
    else if (delivery === 'ordered answer') this.#ordered++;
    if (isBulk(delivery)) this.#hasBulk = true;
    if (this.#size === 0) this.#first = message;
    else if (this.#batch === undefined) this.#batch = [this.#first, message];
    else this.#batch.push(message);
    this.#size++;
    this.#batchBytes += bytes;
    this.#waiting += bytes - 1;
    if (isLarge || (this.#answers > 0 && this.#size >= ANSWERS_MESSAGES)) this.#close();
    this.#schedule(delivery);
  }

  #pushLarge(message: string, bytes: number, delivery: Delivery): void {
    this.#close();
    const hasBulk = isBulk(delivery);
    const text = this.#sink.texts.frameOf(message);
    const answers = delivery === 'bulk' || delivery === 'notice' ? 0 : 1;
    const frame = new LargeFrame({ text, bytes: bytes + 1, answers, hasBulk }, this.#sink.partBytes);
    (this.#frames ??= []).push(frame);
    this.#waiting += bytes - 1;
    this.#sink.cut(frame);
    this.#schedule(delivery);
  }

  /** Sends everything now. */
  flush(): void {
    this.#isSoon = false;
    if (this.#frames !== undefined) return this.#flushAll();
    if (this.#size === 0) return;
    const text = this.#text();
    const bytes = this.#batchBytes + 1;
    const answers = this.#answers + this.#ordered;
    const hasBulk = this.#hasBulk;
    this.#empty();
    this.#waiting = 0;
    this.#sink.send(text, bytes, answers, hasBulk);
  }

  turnEnded(): void {
    this.#isLater = false;
    this.flush();
  }

  /** Drops everything: the socket is gone. */
  clear(): void {
    this.#empty();
    this.#frames = undefined;
    this.#waiting = 0;
  }

  /** What fills a frame of its own has nothing to wait for. */
  #schedule(delivery: Delivery): void {
    if (this.#isSoon) return;
    const { flusher, turns, gatheredBytes } = this.#sink;
    const gathers = isBulk(delivery) || delivery === 'gathered answer';
    if (gathers && turns !== undefined && this.#waiting < Math.min(BULK_BYTES, gatheredBytes)) {
      if (this.#isLater) return;
      this.#isLater = true;
      flusher.later(this, turns);
    } else {
      this.#isSoon = true;
      flusher.soon(this);
    }
  }

  #flushAll(): void {
    this.#close();
    const frames = this.#frames!;
    this.#frames = undefined;
    this.#waiting = 0;
    this.#sink.sendAll(frames);
  }

  #close(): void {
    if (this.#size === 0) return;
    const answers = this.#answers + this.#ordered;
    const bytes = this.#batchBytes + 1;
    (this.#frames ??= []).push({ text: this.#text(), bytes, answers, hasBulk: this.#hasBulk });
    this.#empty();
  }

  #text(): string {
    const { texts } = this.#sink;
    return this.#batch === undefined ? texts.frameOf(this.#first) : texts.frameOfAll(this.#batch);
  }

  #empty(): void {
    this.#first = '';
    this.#batch = undefined;
    this.#size = 0;
    this.#batchBytes = 0;
    this.#answers = 0;
    this.#ordered = 0;
    this.#hasBulk = false;
  }
}
