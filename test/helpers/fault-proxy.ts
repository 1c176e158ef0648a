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

/** A TCP proxy on 127.0.0.1 that breaks lines: a cut is a reset, inside a frame as likely as between two. */
export class FaultProxy {
  cuts = 0;
  readonly #server: Server;
  readonly #lines = new Set<() => void>();
  readonly #cutter: Cutter;

  private constructor(targetPort: number, cutter: Cutter) {
    this.#cutter = cutter;
    this.#server = createServer((downstream) => this.#join(downstream, connect(targetPort, '127.0.0.1')));
  }

  static async start(targetPort: number, cutter: Cutter = () => undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort, cutter);
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets all lines. */
  cutAll(): void {
    for (const cut of [...this.#lines]) cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.cutAll();
    await closed;
  }

  #join(downstream: Socket, upstream: Socket): void {
    const cut = (): void => {
      if (!this.#lines.delete(cut)) return;
      downstream.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    this.#lines.add(cut);
    for (const [from, to] of [
      [downstream, upstream],
      [upstream, downstream],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', cut);
      from.on('close', cut);
      from.on('data', (chunk) => {
        const passing = this.#cutter(chunk.length);
        if (passing === undefined) {
          to.write(chunk);
          return;
        }
        this.cuts++;
        // What passes must be on its way before the reset, which throws away what is still buffered.
        to.write(chunk.subarray(0, passing), () => setImmediate(cut));
      });
    }
  }
}
