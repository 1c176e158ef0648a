import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/**
 * A TCP connection that can be made bad while it is in use: slow or cut. The HTTP server takes it in place of the
 * socket itself (any duplex stream will do), so what it does happens below HTTP and WebSocket, as on a real line.
 */
export class Line extends Duplex {
  /** What each piece of data has to wait, one after the other, in each direction. */
  delayMs = 0;
  readonly #socket: Socket;
  readonly #timers = new Set<NodeJS.Timeout>();
  #held = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.setNoDelay();
    socket.on('data', (data) => this.#arrived(data));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Ends it as a pulled plug does: no goodbye, neither of WebSocket nor of TCP. */
  cut(): void {
    this.#socket.resetAndDestroy();
  }

  #arrived(data: Buffer): void {
    // Reading pauses while a piece is held, so order is kept and the sender feels the pressure.
    this.#socket.pause();
    this.#held = true;
    this.#later(() => {
      this.#held = false;
      if (this.push(data)) this.#socket.resume();
    });
  }

  #later(run: () => void): void {
    if (this.delayMs === 0) return run();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, this.delayMs);
    this.#timers.add(timer);
  }

  override _read(): void {
    if (!this.#held) this.#socket.resume();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#later(() => this.#socket.write(data, done));
  }

  /** What was written in one go, a frame's head and body, travels in one piece. */
  override _writev(pieces: Array<{ chunk: Buffer }>, done: Done): void {
    this._write(Buffer.concat(pieces.map(({ chunk }) => chunk)), 'utf8', done);
  }

  override _final(done: Done): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket.destroy();
    done(error);
  }
}
