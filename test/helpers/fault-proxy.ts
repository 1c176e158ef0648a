import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** A random number generator with a seed (mulberry32): the same faults in every run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Decides for each chunk how many of its bytes still pass before the line is cut; `undefined`: all of them, no cut. */
export type Cutter = (bytes: number) => number | undefined;

/** Client to server is `up`, server to client is `down`. */
export type Way = 'up' | 'down';

/**
 * A TCP proxy on 127.0.0.1 that breaks lines: a cut is a reset, inside a frame as likely as between two. Its other
 * faults last, for old lines and new ones, until they are taken back.
 */
export class FaultProxy {
  cuts = 0;
  /** Lines that were ever made. */
  joined = 0;
  /** New lines are reset at once. */
  refuses = false;
  /** New lines are taken and lead nowhere. */
  neverAnswers = false;
  /** Each chunk comes so much later, ms. */
  delayMs = 0;
  /** Bytes that pass in a second, each way of each line. */
  bytesPerSecond = Infinity;
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  readonly #cutter: Cutter;
  readonly #frozen = new Set<Way>();
  #whenEmpty: Array<() => void> = [];

  private constructor(targetPort: number, cutter: Cutter) {
    this.#cutter = cutter;
    // A side that has ended may still be written to: half-closed lines are real.
    this.#server = createServer({ allowHalfOpen: true }, (downstream) => {
      this.#join(downstream, targetPort);
    });
  }

  static async start(targetPort: number, cutter: Cutter = () => undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort, cutter);
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lines that are open. */
  get open(): number {
    return this.#lines.size;
  }

  /** Resolves when no line is open. */
  empty(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Resets all lines. */
  cutAll(): void {
    for (const line of [...this.#lines]) line.cut();
  }

  /** Nothing passes these ways any more, and nobody is told. */
  freeze(...ways: Way[]): void {
    for (const way of ways) this.#frozen.add(way);
    for (const { pumps } of this.#lines) for (const pump of pumps) pump.resume();
  }

  /** What was held back passes. */
  thaw(): void {
    this.#frozen.clear();
    for (const { pumps } of this.#lines) for (const pump of pumps) pump.resume();
  }

  /** Ends one way of all lines, as if that sender had said that it is done; the other stays. */
  halfClose(way: Way): void {
    for (const { pumps } of this.#lines) for (const pump of pumps) if (pump.way === way) pump.to.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.cutAll();
    await closed;
  }

  #join(downstream: Socket, targetPort: number): void {
    this.joined++;
    if (this.refuses) {
      downstream.resetAndDestroy();
      return;
    }
    const upstream = this.neverAnswers
      ? undefined
      : connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const sockets = upstream === undefined ? [downstream] : [downstream, upstream];
    const cut = (): void => {
      if (!this.#lines.delete(line)) return;
      for (const socket of sockets) socket.resetAndDestroy();
      if (this.open === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
    };
    const line: Line = { cut, pumps: [] };
    this.#lines.add(line);
    for (const socket of sockets) {
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('close', cut);
    }
    if (upstream === undefined) downstream.resume().on('end', cut);
    else line.pumps.push(this.#pump('up', downstream, upstream, cut), this.#pump('down', upstream, downstream, cut));
  }

  /** Carries one way of a line, chunk by chunk. */
  #pump(way: Way, from: Socket, to: Socket, cut: () => void): Pump {
    let pausedUntil = 0;
    const look = (): void => {
      if (this.#frozen.has(way) || performance.now() < pausedUntil) from.pause();
      else from.resume();
    };
    from.on('data', (chunk: Buffer) => {
      const passing = this.#cutter(chunk.length);
      if (passing !== undefined) {
        this.cuts++;
        // What passes must be on its way before the reset, which throws away what is still buffered.
        to.write(chunk.subarray(0, passing), () => setImmediate(cut));
        return;
      }
      if (this.delayMs > 0) setTimeout(() => to.write(chunk), this.delayMs);
      else to.write(chunk);
      const pauseMs = (chunk.length / this.bytesPerSecond) * 1_000;
      if (pauseMs === 0) return;
      pausedUntil = performance.now() + pauseMs;
      look();
      setTimeout(() => {
        pausedUntil = 0;
        look();
      }, pauseMs);
    });
    from.on('end', () => {
      // What is delayed goes first.
      setTimeout(() => to.end(), this.delayMs);
    });
    look();
    return { way, to, resume: look };
  }
}

interface Pump {
  readonly way: Way;
  readonly to: Socket;
  /** Looks again whether anything may pass. */
  readonly resume: () => void;
}

interface Line {
  readonly cut: () => void;
  readonly pumps: Pump[];
}
