import type { Server, ServerSocket, SocketHandler } from '../../src/server/index.ts';
import { memoryWebSocket } from '../../src/transport/memory-transport.ts';
import type { WebSocketConstructor } from '../../src/transport/web-socket-like.ts';

/** How often the line carries on, ms. */
const STEP_MS = 50;

interface Passing {
  readonly frame: string;
  left: number;
}

/**
 * The server's end of a line so thin that what is written to it stays a while: a frame arrives when its last byte has,
 * up to `kernelBytes` are taken at once and never come back to sight, the rest is what the socket has buffered. It goes
 * by the timers of the test.
 */
export class ThinSocket implements ServerSocket {
  /** Nothing passes any more, and nobody is told. */
  dead = false;
  peakBuffered = 0;
  closedAt: number | undefined;
  readonly #bytesPerSecond: number;
  readonly #kernelBytes: number;
  readonly #deliver: (frame: string) => void;
  readonly #end: (code: number, reason: string) => void;
  readonly #waiting: Passing[] = [];
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  handler: SocketHandler | undefined;

  constructor(
    { bytesPerSecond, kernelBytes }: ThinLineOptions,
    deliver: (frame: string) => void,
    end: (code: number, reason: string) => void,
  ) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#kernelBytes = kernelBytes;
    this.#deliver = deliver;
    this.#end = end;
  }

  get bufferedAmount(): number {
    return Math.max(0, this.#bytes - this.#kernelBytes);
  }

  send(frame: string): void {
    const left = Buffer.byteLength(frame) + 4;
    this.#waiting.push({ frame, left });
    this.#bytes += left;
    this.peakBuffered = Math.max(this.peakBuffered, this.bufferedAmount);
    this.#timer ??= setTimeout(this.#step, STEP_MS);
  }

  later(task: () => void): void {
    setTimeout(task, 0);
  }

  close(code: number, reason: string): void {
    this.stop();
    this.closedAt = performance.now();
    this.#end(code, reason);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#bytes = 0;
  }

  readonly #step = (): void => {
    this.#timer = undefined;
    if (this.dead) return;
    const wasBuffered = this.bufferedAmount > 0;
    let room = (this.#bytesPerSecond * STEP_MS) / 1000;
    while (room > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const bytes = Math.min(room, first.left);
      first.left -= bytes;
      room -= bytes;
      this.#bytes -= bytes;
      if (first.left > 0) break;
      this.#waiting.shift();
      this.#deliver(first.frame);
    }
    if (this.#bytes > 0) this.#timer ??= setTimeout(this.#step, STEP_MS);
    if (wasBuffered && this.bufferedAmount === 0) this.handler?.drained();
  };
}

export interface ThinLineOptions {
  /** From the server to the client; the other way is fast. */
  readonly bytesPerSecond: number;
  /** Bytes that the system takes at once, and that are on their way then. */
  readonly kernelBytes: number;
}

/** Sockets for a client whose lines to the server are thin; `sockets` are their server's ends, in order. */
export function thinLines(
  server: Pick<Server, 'accept'>,
  options: ThinLineOptions,
): { readonly WebSocket: WebSocketConstructor; readonly sockets: ThinSocket[] } {
  const sockets: ThinSocket[] = [];
  const WebSocket = memoryWebSocket((peer) => {
    const socket = new ThinSocket(
      options,
      (frame) => {
        peer.send(frame);
      },
      (code, reason) => {
        peer.close(code, reason);
      },
    );
    sockets.push(socket);
    const handler = server.accept(socket, { url: peer.url });
    socket.handler = handler;
    peer.onMessage = (frame) => {
      if (!socket.dead) handler.message(frame);
    };
    peer.onClose = (code) => {
      socket.stop();
      handler.closed(code);
    };
  });
  return { WebSocket, sockets };
}
