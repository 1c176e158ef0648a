import { encodeFrame, encodePing } from '../../protocol/encode.ts';
import { FrameBatch } from '../../protocol/frame-batch.ts';
import { MOST_FLOOR_EXCEPTIONS, type Welcome, type WireLimits } from '../../protocol/messages.ts';
import { LEAST_PART_BYTES, MARK, PartReader, UNFINISHED_TO_CLIENT, UNITS_TO_CLIENT } from '../../protocol/parts.ts';
import type { Link } from '../../transport/transport.ts';
import { LinkParts, type PartLimits } from './link-parts.ts';

/** Calls that may be in flight before the server told its limits. */
const CALLS_BEFORE_WELCOME = 8;
/** A frame may be this large before the server told its limits. What is larger may be what a socket is lost over. */
export const FRAME_BYTES_BEFORE_WELCOME: number = 16 * 1024;

/** Which of the server's limits a message counts against. */
export type Slot = 'calls' | 'streams';

/** Bounds what is written and not known to be taken in, where somebody does: see `flow/`. */
export interface LinkFlow {
  /** Bytes that no answer to a ping has covered yet: at least what lies in the engine's buffer. */
  readonly unanswered: number;
  wrote(bytes: number): void;
  /** Looks at the engine's buffer, before messages are written one after the other. */
  look(): void;
  /** Whether so many bytes may be written now, beside those that are already gathered for a frame. */
  admits(bytes: number): boolean;
  /** Writing stopped at a watermark: has it go on when there is room. */
  hold(): void;
  /** A ping, to be written now. */
  ping(): string;
}

/** What the client knows of one socket: a slot, an answer and a subscription belong to the socket they were asked on. */
export class LinkState {
  readonly link: Link;
  welcome: Welcome | undefined;
  flow: LinkFlow | undefined;
  /** There once it was welcomed. */
  parts: LinkParts | undefined;
  /** Bytes written since something came: without flow control, all that is known of what is under way. */
  unheard = 0;
  /** Messages through this number of the batch were taken in: a pong says so, or an answer to a later one. */
  covered = 0;
  /** Length of the message that arrives, as those of its frame have on average: a large one has a frame of its own. */
  size = 0;
  /** Messages on their way into a frame. */
  readonly batch: FrameBatch;
  /** Requests sent on this socket that the server has not yet settled on it: they take up slots, wanted or not. */
  readonly taken: Record<Slot, number> = { calls: 0, streams: 0 };
  /** Those of them that nobody waits for any more. */
  readonly left: Map<number, Slot> = new Map();
  #reader: PartReader | undefined;
  /** Hears of the parts of a large answer: its id, and how much of it is here. */
  answerCame: (id: number, fraction: number) => void = () => {};

  constructor(link: Link) {
    this.link = link;
    this.batch = new FrameBatch((frame, bytes) => {
      link.send(frame);
      this.unheard += bytes;
      this.flow?.wrote(bytes);
      // Whether a large one was taken in is worth knowing: if the socket is lost, it may be because of it.
      if (bytes > FRAME_BYTES_BEFORE_WELCOME) this.ping();
    }, FRAME_BYTES_BEFORE_WELCOME);
  }

  welcomed(welcome: Welcome): void {
    const limits = welcome.limits as { -readonly [Name in keyof WireLimits]: WireLimits[Name] };
    this.welcome = welcome;
    this.batch.frameBytes = limits.frameBytes;
    // Where one of them is missing, or makes no sense, a comparison is false.
    if (!(limits.partBytes! >= LEAST_PART_BYTES && limits.messageBytes! > 0)) {
      limits.partBytes = Infinity;
      limits.messageBytes = limits.frameBytes;
    }
    this.parts = new LinkParts(this, limits as PartLimits);
  }

  /** A frame that came; of one that comes in parts all of it, with the last. */
  whole(frame: string): string | undefined {
    if (!frame.startsWith(MARK)) return frame;
    this.unheard = 0;
    return (this.#reader ??= new PartReader(UNITS_TO_CLIENT, UNFINISHED_TO_CLIENT, (beginning, fraction) => {
      const [, id] = /^\[\["reply",(\d+)/.exec(beginning) ?? [];
      this.answerCame(Number(id), fraction);
    })).take(frame);
  }

  hasFreeSlot(slot: Slot): boolean {
    const { calls, streams } = this.welcome?.limits ?? { calls: CALLS_BEFORE_WELCOME, streams: 0 };
    // All that is unsettled must fit into a floor.
    return this.taken[slot] < (slot === 'calls' ? calls : Math.min(streams, MOST_FLOOR_EXCEPTIONS - calls));
  }

  /** The server has settled all that was sent here. */
  get isSettled(): boolean {
    return this.taken.calls + this.taken.streams === 0;
  }

  /** The server has settled an id that nobody waits for; `false` for one that it does not owe an answer here. */
  settleLeft(id: number): boolean {
    const slot = this.left.get(id);
    if (slot !== undefined) this.taken[slot]--;
    return this.left.delete(id);
  }

  /** The peer has taken in a message, and so all before it. */
  covers(message: number): void {
    // What is still written in parts has no place.
    if (message < Infinity) this.covered = Math.max(this.covered, Math.min(message, this.batch.sent));
    this.parts?.covered(this.covered);
  }

  /** The answer covers all that was sent so far. */
  ping(): void {
    this.say(this.flow?.ping() ?? encodePing(this.batch.sent));
  }

  /** A message of this length arrives. */
  arrived(size: number): void {
    this.size = size;
    this.unheard = 0;
  }

  /** Writes messages at once, ahead of all that waits. */
  say(...messages: string[]): void {
    this.link.send(encodeFrame(messages));
  }
}
