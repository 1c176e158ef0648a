import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { ClientMessage } from '../../protocol/messages.ts';

/** Length of all messages that wait for their time. */
const MOST_LENGTH = 4 * 1024 * 1024;

/** How a frame came. */
export interface FrameArrival {
  /** By the monotonic clock, ms. */
  readonly at: number;
  readonly isVetted: boolean;
  /** Of a message of it, on average. */
  readonly length: number;
}

interface Waiting {
  readonly message: ClientMessage;
  readonly frame: FrameArrival;
  readonly dueAt: number;
}

/** Messages of one socket that wait for their time, in order: so many, and so long, as they may be. */
export class HeldMessages {
  readonly #deadlines: Deadlines;
  readonly #most: number;
  readonly #take: (message: ClientMessage, frame: FrameArrival) => void;
  #waiting: Waiting[] = [];
  #length = 0;
  #deadline: Deadline | undefined;

  constructor(deadlines: Deadlines, most: number, take: (message: ClientMessage, frame: FrameArrival) => void) {
    this.#deadlines = deadlines;
    this.#most = most;
    this.#take = take;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** `false` when there is no room for it. It is taken no earlier than those before it. */
  push(message: ClientMessage, frame: FrameArrival, dueAt: number): boolean {
    const length = this.#length + frame.length;
    if (this.#waiting.length >= this.#most || length > MOST_LENGTH) return false;
    this.#length = length;
    this.#waiting.push({ message, frame, dueAt: Math.max(dueAt, this.#waiting.at(-1)?.dueAt ?? 0) });
    if (this.#waiting.length === 1) this.#await();
    return true;
  }

  /** Takes out the call with this id; `false` where it does not wait. */
  cancel(id: number): boolean {
    const index = this.#waiting.findIndex(({ message }) => isCall(message) && message[1] === id);
    if (index < 0) return false;
    const [entry] = this.#waiting.splice(index, 1);
    this.#length -= entry!.frame.length;
    return true;
  }

  /** The socket is gone, or silent from now on: what waits was not taken in, and may be sent again. */
  close(): void {
    this.#waiting = [];
    if (this.#deadline !== undefined) this.#deadlines.remove(this.#deadline);
  }

  #await(): void {
    const [first] = this.#waiting;
    this.#deadline = first && this.#deadlines.add(first.dueAt, () => this.#takeDue());
  }

  #takeDue(): void {
    const now = performance.now();
    try {
      for (let first = this.#waiting[0]; first !== undefined && first.dueAt <= now; first = this.#waiting[0]) {
        this.#waiting.shift();
        this.#length -= first.frame.length;
        this.#take(first.message, first.frame);
      }
    } finally {
      this.#await();
    }
  }
}

function isCall(
  message: ClientMessage,
): message is Extract<ClientMessage, readonly ['call' | 'open' | 'publish', ...unknown[]]> {
  return message[0] === 'call' || message[0] === 'open' || message[0] === 'publish';
}
