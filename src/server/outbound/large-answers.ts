import type { LargeFrame, WrittenFrame } from './written-frame.ts';

/** So many are under way at a time, in turn: one that is very large holds up others for that long no more. */
const UNDER_WAY = 3;

/** Answers that go in parts and are not wholly written. */
export class LargeAnswers {
  bytes = 0;
  readonly #nextPart: () => number;
  #frames: LargeFrame[] = [];

  constructor(nextPart: () => number) {
    this.#nextPart = nextPart;
  }

  get size(): number {
    return this.#frames.length;
  }

  push(frame: LargeFrame): void {
    this.#frames.push(frame);
    this.bytes += frame.left;
  }

  /** The next part of one of them. */
  take(): WrittenFrame | undefined {
    const frame = this.#frames.shift();
    if (frame === undefined) return undefined;
    const { left } = frame;
    const part = frame.next(this.#nextPart);
    this.bytes -= left - frame.left;
    if (!frame.isWritten) this.#frames.splice(UNDER_WAY - 1, 0, frame);
    return part;
  }

  /** Takes out the answer to this id, if it is here. */
  drop(id: number): LargeFrame | undefined {
    const at = this.#frames.findIndex(({ text }) => /^\[\["(?:reply|error)",(\d+)/.exec(text)?.[1] === String(id));
    if (at < 0) return undefined;
    const [frame] = this.#frames.splice(at, 1);
    this.bytes -= frame!.left;
    return frame;
  }

  clear(): void {
    this.#frames = [];
    this.bytes = 0;
  }
}
