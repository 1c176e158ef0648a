import { FlowControl, type FlowMarks } from '../primitives/flow-control.ts';
import { encodeFrame, encodePing } from '../protocol/encode.ts';
import { MOST_FLOOR_EXCEPTIONS, type Welcome } from '../protocol/messages.ts';
import type { Link } from '../transport/transport.ts';

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
  /** Ids of calls sent on this socket that the server has not yet settled on it: they take up slots, wanted or not. */
  readonly window: Set<number> = new Set();
  /** The same of streams, which have slots of their own. */
  readonly streams: Set<number> = new Set();
  welcome: Welcome | undefined;
  readonly #parts: LinkFlow;
  readonly #flow: FlowControl;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(link: Link, flow: LinkFlow) {
    this.link = link;
    this.#parts = flow;
    this.#flow = new FlowControl(flow.marks);
  }

  hasFreeSlot(slot: Slot): boolean {
    const { calls, streams } = this.welcome?.limits ?? { calls: CALLS_BEFORE_WELCOME, streams: 0 };
    if (slot === 'calls') return this.window.size < calls;
    // All that is unsettled must fit into a floor.
    return this.streams.size < Math.min(streams, MOST_FLOOR_EXCEPTIONS - calls);
  }

  /** The server has settled all that was sent here. */
  get isSettled(): boolean {
    return this.window.size === 0 && this.streams.size === 0;
  }

  takeSlot(slot: Slot, id: number): void {
    (slot === 'calls' ? this.window : this.streams).add(id);
  }

  /** `false` when the id had none. */
  freeSlot(id: number): boolean {
    return this.window.delete(id) || this.streams.delete(id);
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

  /** Whether so many bytes may be written now, beside those that are already gathered for a frame. */
  admits(bytes: number, gathered: number, buffered: number | undefined): boolean {
    return this.#flow.admits(bytes, gathered, buffered);
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
    if (this.#flow.barrierDue) this.link.send(encodeFrame([this.ping()]));
  }
}
