import { FlowControl, type FlowMarks } from '../../primitives/flow-control.ts';
import { encodeFrame, encodePing } from '../../protocol/encode.ts';
import { FrameBatch } from '../../protocol/frame-batch.ts';
import { MOST_FLOOR_EXCEPTIONS, type Welcome } from '../../protocol/messages.ts';
import type { Link } from '../../transport/transport.ts';

/** Calls that may be in flight before the server told its limits. */
const CALLS_BEFORE_WELCOME = 8;
/** A frame may be this large before the server told its limits. */
export const FRAME_BYTES_BEFORE_WELCOME: number = 16 * 1024;

/** Which of the server's limits a message counts against. */
export type Slot = 'calls' | 'streams';

/** What the flow of one socket needs from around it. */
export interface LinkFlow {
  readonly marks: FlowMarks;
  /** Number of a ping that is written now. */
  readonly nextPing: () => number;
  /** There may be room: write on. */
  readonly room: () => void;
}

/** What the client knows of one socket: a slot, an answer and a subscription belong to the socket they were asked on. */
export class LinkState {
  readonly link: Link;
  welcome: Welcome | undefined;
  /** Messages on their way into a frame. */
  readonly batch: FrameBatch;
  /** Requests sent on this socket that the server has not yet settled on it: they take up slots, wanted or not. */
  readonly #taken: Record<Slot, number> = { calls: 0, streams: 0 };
  /** Those of them that nobody waits for any more. */
  readonly #left: Map<number, Slot> = new Map();
  readonly #parts: LinkFlow;
  readonly #flow: FlowControl;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(link: Link, flow: LinkFlow) {
    this.link = link;
    this.#parts = flow;
    this.#flow = new FlowControl(flow.marks);
    this.batch = new FrameBatch(this.send, FRAME_BYTES_BEFORE_WELCOME);
  }

  hasFreeSlot(slot: Slot): boolean {
    const { calls, streams } = this.welcome?.limits ?? { calls: CALLS_BEFORE_WELCOME, streams: 0 };
    if (slot === 'calls') return this.#taken.calls < calls;
    // All that is unsettled must fit into a floor.
    return this.#taken.streams < Math.min(streams, MOST_FLOOR_EXCEPTIONS - calls);
  }

  /** The server has settled all that was sent here. */
  get isSettled(): boolean {
    return this.#taken.calls + this.#taken.streams === 0;
  }

  takeSlot(slot: Slot): void {
    this.#taken[slot]++;
  }

  freeSlot(slot: Slot): void {
    this.#taken[slot]--;
  }

  /** Nobody waits for the answer any more: the slot is free when it comes. */
  leave(id: number, slot: Slot): void {
    this.#left.set(id, slot);
  }

  /** The server has settled an id that nobody waits for; `false` for one that it does not owe an answer here. */
  settleLeft(id: number): boolean {
    const slot = this.#left.get(id);
    if (slot !== undefined) this.freeSlot(slot);
    return this.#left.delete(id);
  }

  /** Streams among them. */
  get leftStreams(): readonly number[] {
    return [...this.#left].filter(([, slot]) => slot === 'streams').map(([id]) => id);
  }

  /** The floor settles all that nobody waits for: the server may release them without an answer. */
  forgetLeft(): void {
    for (const id of this.#left.keys()) this.settleLeft(id);
  }

  get frameBytes(): number {
    return this.welcome?.limits.frameBytes ?? FRAME_BYTES_BEFORE_WELCOME;
  }

  /** Bytes of {@link send} that no answer to a ping has covered yet: at least what lies in the engine's buffer. */
  get unanswered(): number {
    return this.#flow.unanswered;
  }

  /** Writes a frame that counts against the watermarks, and a ping after so many bytes: its answer makes room. */
  readonly send = (frame: string, bytes: number): void => {
    this.link.send(frame);
    this.#flow.wrote(bytes);
    this.#barrier();
  };

  /** Writes one message at once, ahead of all that waits. */
  say(...messages: string[]): void {
    this.link.send(encodeFrame(messages));
  }

  /** Whether so many bytes may be written now, beside those that are already gathered for a frame. */
  admits(bytes: number, buffered: number | undefined): boolean {
    return this.#flow.admits(bytes, this.batch.bytes, buffered);
  }

  /** Writing stopped at a watermark: the answer to a ping goes on with it, or a look at the buffer. */
  hold(): void {
    this.#barrier();
    if (this.#timer !== undefined) return;
    const ms = this.#flow.nextLookMs(this.link.bufferedAmount);
    if (ms === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#parts.room();
    }, ms);
  }

  /** A ping, to be written now. */
  ping(): string {
    const n = this.#parts.nextPing();
    this.#flow.pinged(n);
    return encodePing(n);
  }

  pong(n: number): void {
    this.#flow.ponged(n, this.link.bufferedAmount);
    this.#parts.room();
  }

  /** The socket is gone, and its timer with it. */
  gone(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #barrier(): void {
    if (this.#flow.barrierDue) this.say(this.ping());
  }
}
