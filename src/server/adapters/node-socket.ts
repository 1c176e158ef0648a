import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers';
import type { ServerSocket, SocketHandler } from '../peers/server-socket.ts';
import type { FrameBytes } from './text-frame.ts';

/** A socket of `ws`, as far as it is needed here. */
export interface WsSocket {
  readonly readyState: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  /** Names of the extensions in use, empty for none. */
  readonly extensions: string;
  send(data: string, written: () => void): void;
}

/** Below this a socket has room again, bytes. */
const LOW_WATER_BYTES = 64 * 1024;
/** Frames of up to this much are copied into one buffer: one write costs more than that. */
const COPIED_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** What Node's own time limit of idle sockets goes by: a write is one to the stream until all of it is gone. */
interface Handle {
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
}

/**
 * A socket of `ws` that is written to past `ws`: frames as they lie on the wire, so that the bytes of a frame that goes
 * to many are made once, several frames go in one write, and what was taken at once calls nobody back. With an extension
 * the frames are others, and `ws` makes them. Control frames stay with `ws`: it writes whole frames to the same stream,
 * so the two never get into each other.
 */
export class NodeSocket implements ServerSocket {
  readonly #webSocket: WsSocket;
  /** No extension changes what is on the wire. */
  readonly #isPlain: boolean;
  readonly #stream: Duplex;
  readonly #frames: FrameBytes;
  readonly #end: (code: number, reason: string) => void;
  #handler: SocketHandler | undefined;
  #corked: Buffer[] | undefined;
  #corkedBytes = 0;
  #written: (() => void) | undefined;

  /** `end` closes the socket. */
  constructor(webSocket: WsSocket, stream: Duplex, frames: FrameBytes, end: (code: number, reason: string) => void) {
    this.#webSocket = webSocket;
    this.#isPlain = webSocket.extensions === '';
    this.#stream = stream;
    this.#frames = frames;
    this.#end = end;
  }

  /** Who is told that there is room again. */
  serve(handler: SocketHandler): void {
    this.#handler = handler;
  }

  get bufferedAmount(): number {
    const buffered = this.#isPlain ? this.#stream.writableLength : this.#webSocket.bufferedAmount;
    return buffered + this.#corkedBytes;
  }

  get bytesRead(): number {
    return (this.#stream as Partial<Socket>).bytesRead ?? 0;
  }

  get bytesTaken(): number | undefined {
    const handle = (this.#stream as { readonly _handle?: Partial<Handle> | null })._handle;
    const { bytesWritten, writeQueueSize } = handle ?? {};
    return bytesWritten === undefined || writeQueueSize === undefined ? undefined : bytesWritten - writeQueueSize;
  }

  send(frame: string): void {
    const webSocket = this.#webSocket;
    // What is sent to a closing socket is lost, and its callback would report the error once more.
    if (webSocket.readyState !== webSocket.OPEN) return;
    if (!this.#isPlain) return webSocket.send(frame, this.#tellWritten);
    const bytes = this.#frames.of(frame);
    if (this.#corked === undefined) return this.#write(bytes);
    this.#corked.push(bytes);
    this.#corkedBytes += bytes.length;
  }

  close(code: number, reason: string): void {
    this.uncork();
    this.#end(code, reason);
  }

  later(task: () => void): void {
    setImmediate(task);
  }

  cork(): void {
    this.#corked ??= [];
  }

  uncork(): void {
    const corked = this.#corked;
    const bytes = this.#corkedBytes;
    this.#corked = undefined;
    this.#corkedBytes = 0;
    const { readyState, OPEN } = this.#webSocket;
    if (corked === undefined || readyState !== OPEN) return;
    if (bytes <= COPIED_BYTES && corked.length > 1) this.#write(Buffer.concat(corked, bytes));
    else for (const frame of corked) this.#write(frame);
  }

  /**
   * Where something is left in the buffer, the handler is told each time some of it has gone. Nobody is called for what
   * the system took at once; when it begins to take less, an empty write behind what is left tells.
   */
  #write(bytes: Buffer): void {
    const stream = this.#stream;
    const isBehind = stream.writableLength > 0;
    stream.write(bytes, isBehind ? this.#tellWritten : undefined);
    if (!isBehind && stream.writableLength > 0) stream.write(NOTHING, this.#tellWritten);
  }

  get #tellWritten(): () => void {
    return (this.#written ??= () => {
      if (this.bufferedAmount <= LOW_WATER_BYTES) this.#handler?.drained();
    });
  }
}
