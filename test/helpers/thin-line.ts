import type { Server, ServerSocket, SocketHandler } from '../../src/server/index.ts';
import { memoryWebSocket } from '../../src/transport/memory-transport.ts';
import type { WebSocketConstructor } from '../../src/transport/web-socket-like.ts';

/** How often the line carries on, ms. */
const STEP_MS = 50;

interface Passing {
  readonly frame: string;
  left: number;
}

/** One way of a thin line: a frame arrives when its last byte has. It goes by the timers of the test. */
class ThinWay {
  /** Bytes that are on it. */
  bytes = 0;
  /** Nothing passes any more. */
  dead = false;
  readonly #bytesPerSecond: number;
  readonly #deliver: (frame: string) => void;
  readonly #stepped: (before: number) => void;
  readonly #waiting: Passing[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(bytesPerSecond: number, deliver: (frame: string) => void, stepped: (before: number) => void = () => {}) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#deliver = deliver;
    this.#stepped = stepped;
  }

  send(frame: string): void {
    if (this.#bytesPerSecond === Infinity) return this.#deliver(frame);
    const left = Buffer.byteLength(frame) + 4;
    this.#waiting.push({ frame, left });
    this.bytes += left;
    this.#timer ??= setTimeout(this.#step, STEP_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.bytes = 0;
  }

  readonly #step = (): void => {
    this.#timer = undefined;
    if (this.dead) return;
    const before = this.bytes;
    let room = (this.#bytesPerSecond * STEP_MS) / 1000;
    while (room > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const bytes = Math.min(room, first.left);
      first.left -= bytes;
      room -= bytes;
      this.bytes -= bytes;
      if (first.left > 0) break;
      this.#waiting.shift();
      this.#deliver(first.frame);
    }
    if (this.bytes > 0) this.#timer ??= setTimeout(this.#step, STEP_MS);
    this.#stepped(before);
  };
}

/**
 * The server's end of a line so thin that what is written to it stays a while: up to `kernelBytes` are taken at once and
 * never come back to sight, the rest is what the socket has buffered.
 */
class ThinSocket implements ServerSocket {
  peakBuffered = 0;
  closedAt: number | undefined;
  handler: SocketHandler | undefined;
  readonly #kernelBytes: number;
  readonly #down: ThinWay;
  readonly #up: ThinWay;
  readonly #end: (code: number, reason: string) => void;
  readonly #passes: (frame: string) => boolean;

  constructor(
    { bytesPerSecond, kernelBytes, upBytesPerSecond = Infinity }: ThinLineOptions,
    deliver: (frame: string) => void,
    end: (code: number, reason: string) => void,
    passes: (frame: string) => boolean = () => true,
  ) {
    this.#passes = passes;
    this.#kernelBytes = kernelBytes;
    this.#end = end;
    this.#up = new ThinWay(upBytesPerSecond, (frame) => this.handler?.message(frame));
    this.#down = new ThinWay(bytesPerSecond, deliver, (before) => {
      if (before > kernelBytes && this.bufferedAmount === 0) this.handler?.drained();
    });
  }

  /** Nothing passes any more, and nobody is told. */
  get dead(): boolean {
    return this.#down.dead;
  }

  set dead(isDead: boolean) {
    this.#down.dead = this.#up.dead = isDead;
  }

  get bufferedAmount(): number {
    return Math.max(0, this.#down.bytes - this.#kernelBytes);
  }

  send(frame: string): void {
    if (!this.#passes(frame)) return;
    this.#down.send(frame);
    this.peakBuffered = Math.max(this.peakBuffered, this.bufferedAmount);
  }

  /** A frame of the client sets out. */
  take(frame: string): void {
    if (!this.dead) this.#up.send(frame);
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
    this.#down.stop();
    this.#up.stop();
  }
}

export interface ThinLineOptions {
  /** From the server to the client. */
  readonly bytesPerSecond: number;
  /** The other way. @default it is fast */
  readonly upBytesPerSecond?: number | undefined;
  /** Bytes that the system takes at once, and that are on their way then. */
  readonly kernelBytes: number;
  /** Something on the line resets it at a frame of more, and at more in one go. @default nothing does */
  readonly mostBytes?: number | undefined;
}

/** Sockets for a client whose lines to the server are thin; `sockets` are their server's ends, in order. */
export function thinLines(
  server: Pick<Server, 'accept'>,
  options: ThinLineOptions,
): { readonly WebSocket: WebSocketConstructor; readonly sockets: ThinSocket[]; readonly resets: () => number } {
  const sockets: ThinSocket[] = [];
  let resets = 0;
  const WebSocket = memoryWebSocket((peer) => {
    const guard = (): ((frame: string) => boolean) => {
      let at = 0;
      let bytes = 0;
      return (frame) => {
        const now = performance.now();
        if (at < now) bytes = 0;
        bytes += Buffer.byteLength(frame);
        at = Math.max(at, now);
        if (bytes <= (options.mostBytes ?? Infinity)) return true;
        if (bytes < Infinity) resets++;
        // What is still written is lost.
        bytes = Infinity;
        at = Infinity;
        peer.cut();
        return false;
      };
    };
    const passesUp = guard();
    const socket = new ThinSocket(
      options,
      (frame) => {
        peer.send(frame);
      },
      (code, reason) => {
        peer.close(code, reason);
      },
      guard(),
    );
    sockets.push(socket);
    const handler = server.accept(socket, { url: peer.url });
    socket.handler = handler;
    peer.onMessage = (frame) => {
      if (passesUp(frame)) socket.take(frame);
    };
    peer.onClose = (code) => {
      socket.stop();
      handler.closed(code);
    };
  });
  return { WebSocket, sockets, resets: () => resets };
}
