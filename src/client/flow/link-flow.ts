import { FlowControl, type FlowMarks } from '../../primitives/flow-control.ts';
import { encodePing } from '../../protocol/encode.ts';
import type { LinkFlow, LinkState } from '../kernel/link-state.ts';

/** What the flow of one socket needs from around it. */
export interface LinkFlowParts {
  readonly marks: FlowMarks;
  /** Number of a ping that is written now. */
  readonly nextPing: () => number;
  /** There may be room: write on. */
  readonly room: () => void;
}

/** Holds what is written to one socket, and not known to be taken in, between the watermarks. */
export class SocketFlow implements LinkFlow {
  readonly #state: LinkState;
  readonly #parts: LinkFlowParts;
  readonly #control: FlowControl;
  #buffered: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(state: LinkState, parts: LinkFlowParts) {
    this.#state = state;
    this.#parts = parts;
    this.#control = new FlowControl(parts.marks);
  }

  get unanswered(): number {
    return this.#control.unanswered;
  }

  /** A ping follows after so many bytes: its answer makes room. */
  wrote(bytes: number): void {
    this.#control.wrote(bytes);
    this.#barrier();
  }

  look(): void {
    this.#buffered = this.#state.link.bufferedAmount;
  }

  admits(bytes: number): boolean {
    return this.#control.admits(bytes, this.#state.batch.bytes, this.#buffered);
  }

  /** The answer to a ping goes on with it, or a look at the buffer. */
  hold(): void {
    this.#barrier();
    if (this.#timer !== undefined) return;
    const ms = this.#control.nextLookMs(this.#state.link.bufferedAmount);
    if (ms === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#parts.room();
    }, ms);
  }

  ping(): string {
    const n = this.#parts.nextPing();
    this.#control.pinged(n, this.#state.batch.sent);
    return encodePing(n);
  }

  pong(n: number): void {
    this.#control.ponged(n, this.#state.link.bufferedAmount);
    this.#state.covers(this.#control.messages);
    this.#parts.room();
  }

  /** The socket is gone, or only yet to answer: its timer goes. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #barrier(): void {
    if (this.#control.barrierDue) this.#state.ping();
  }
}
