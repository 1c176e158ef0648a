import type { Flusher, Turns } from './flusher.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Delivery, FrameSink } from './frame-writer.ts';
import { LargeFrame } from './written-frame.ts';
import type { WrittenFrame } from './written-frame.ts';
import type { SharedTexts } from './shared-texts.ts';

/** The socket of a {@link BulkLane}. */
export interface LaneOwner extends Omit<FrameSink, 'send' | 'sendAll'> {
  /** Frames were added: writes those that there is room for. */
  pump(): void;
  /** A number for a frame that goes in parts. */
  nextPart(): number;
}

/**
 * Bulk that waits because its socket holds enough: answers overtake it. In order, and gathered as what is written is.
 * There while something waits.
 */
export class BulkLane implements FrameSink {
  /** Messages in it that are not held back however little the peer reads, as far as they are in frames. */
  answers = 0;
  readonly #owner: LaneOwner;
  readonly #writer: FrameWriter = new FrameWriter(this);
  #frames: WrittenFrame[] = [];
  #bytes = 0;

  constructor(owner: LaneOwner) {
    this.#owner = owner;
  }

  get texts(): SharedTexts {
    return this.#owner.texts;
  }

  get flusher(): Flusher {
    return this.#owner.flusher;
  }

  get turns(): Turns | undefined {
    return this.#owner.turns;
  }

  get gatheredBytes(): number {
    return this.#owner.gatheredBytes;
  }

  get partBytes(): number {
    return this.#owner.partBytes;
  }

  cut(frame: LargeFrame): void {
    this.#owner.cut(frame);
  }

  /** What is next goes in parts. */
  get isLarge(): boolean {
    return this.#frames[0] instanceof LargeFrame;
  }

  /** Bytes that wait, in frames or not yet. */
  get bytes(): number {
    return this.#bytes + this.#writer.bytes;
  }

  push(message: string, delivery: Delivery): void {
    this.#writer.push(message, delivery);
  }

  send(text: string, bytes: number, answers: number, hasBulk: boolean): void {
    this.sendAll([{ text, bytes, answers, hasBulk }]);
  }

  sendAll(frames: readonly WrittenFrame[]): void {
    this.add(frames);
    this.#owner.pump();
  }

  /** Lets frames wait behind the others. */
  add(frames: readonly WrittenFrame[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += frame.bytes;
      this.answers += frame.answers;
    }
  }

  /** The next frame to be written, or part of one, if one is made. */
  take(): WrittenFrame | undefined {
    const [frame] = this.#frames;
    if (frame === undefined) return undefined;
    if (frame instanceof LargeFrame) {
      const { left } = frame;
      const part = frame.next(() => this.#owner.nextPart());
      this.#bytes -= left - frame.left;
      if (!frame.isWritten) return part;
      this.#frames.shift();
      this.answers -= frame.answers;
      return part;
    }
    this.#frames.shift();
    this.#bytes -= frame.bytes;
    this.answers -= frame.answers;
    return frame;
  }

  /** Makes frames of all that waits. */
  flush(): void {
    this.#writer.flush();
  }

  /** Drops everything: the socket is gone. */
  clear(): void {
    this.#writer.clear();
    this.#frames = [];
    this.#bytes = 0;
    this.answers = 0;
  }
}
