import type { CallMemory } from '../calls/call-memory.ts';
import type { KnownCall } from '../calls/known-call.ts';
import { ServerStream } from './server-stream.ts';
import type { StreamHome } from './server-stream.ts';

/** Bounds of a {@link StreamStore}. */
export interface StreamLimits {
  readonly items: number;
  readonly answerBytes: number;
}

/** The streams of one client of which there is something to give: they run, or items of them are not acknowledged. */
export class StreamStore implements StreamHome {
  readonly #limits: StreamLimits;
  readonly #calls: CallMemory;
  readonly #streams = new Map<number, ServerStream>();
  #waitingBytes = 0;

  constructor(limits: StreamLimits, calls: CallMemory) {
    this.#limits = limits;
    this.#calls = calls;
  }

  get hasRoom(): boolean {
    return this.#waitingBytes < this.#limits.answerBytes;
  }

  /** Begins the stream of a call. */
  start(call: KnownCall): ServerStream {
    const stream = new ServerStream(call, this, this.#limits.items);
    this.#streams.set(call.id, stream);
    return stream;
  }

  get(id: number): ServerStream | undefined {
    return this.#streams.get(id);
  }

  count(delta: number): void {
    this.#calls.count(delta);
  }

  countWaiting(delta: number): void {
    const { hasRoom } = this;
    this.#waitingBytes += delta;
    if (!hasRoom && this.hasRoom) for (const stream of this.#streams.values()) stream.look();
  }

  remove({ call }: ServerStream): void {
    this.#streams.delete(call.id);
  }
}
