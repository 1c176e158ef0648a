import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { OneWay } from './one-way.ts';
import { WayFaults, type Way } from './way-faults.ts';

/** Options of {@link faultProxy}. */
export interface FaultProxyOptions {
  /** Where the server is: its URL, or its port on 127.0.0.1. */
  readonly to: string | URL | number;
  /** For {@link FaultProxy.cutAtRandom}: the same draws for the same seed. @default 1 */
  readonly seed?: number | undefined;
}

interface Line {
  readonly cut: () => void;
  readonly ways: OneWay[];
}

/**
 * A TCP proxy on 127.0.0.1 that breaks lines. It knows nothing of WebSockets, so a line is cut inside a frame as likely as
 * between two. A fault is for old lines and new ones, until it is taken back. Made by {@link faultProxy}.
 */
export class FaultProxy {
  readonly #server: Server;
  readonly #target: URL;
  readonly #faults: WayFaults;
  readonly #lines: Set<Line> = new Set();
  #joined = 0;
  #admits: 'all' | 'none' | 'silence' = 'all';
  #whenEmpty: Array<() => void> = [];

  /** @internal */
  constructor({ to, seed = 1 }: FaultProxyOptions) {
    this.#target = new URL(typeof to === 'number' ? `ws://127.0.0.1:${to}` : to);
    this.#faults = new WayFaults(seed);
    // A side that has ended may still be written to: half-closed lines are real.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#join(socket));
  }

  /** @internal */
  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The URL of the server, by way of this proxy. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  /** Lines that are open. */
  get open(): number {
    return this.#lines.size;
  }

  /** Lines that were ever made, refused ones too. */
  get joined(): number {
    return this.#joined;
  }

  /** Lines that {@link FaultProxy.cutAfter} and {@link FaultProxy.cutAtRandom} have cut. */
  get cuts(): number {
    return this.#faults.cuts;
  }

  /** Resolves when no line is open. */
  empty(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Resets all lines: what is under way is lost. */
  kill(): void {
    for (const line of [...this.#lines]) line.cut();
  }

  /** Ends one way of all open lines, as if that sender had said that it is done; the other way stays. */
  halfClose(way: Way): void {
    this.#each((each) => each.way === way && each.end());
  }

  /** Nothing passes these ways any more, and nobody is told. @default both */
  freeze(...ways: Way[]): void {
    for (const way of ways.length === 0 ? (['up', 'down'] as const) : ways) this.#faults.frozen.add(way);
    this.#each((each) => each.look());
  }

  /** What was held back passes. */
  thaw(): void {
    this.#faults.frozen.clear();
    this.#each((each) => each.look());
  }

  /** New lines are reset at once; those that are open stay. */
  refuse(): void {
    this.#admits = 'none';
  }

  /** New lines are taken and lead nowhere: nobody ever answers. */
  swallow(): void {
    this.#admits = 'silence';
  }

  /** New lines are served again. */
  accept(): void {
    this.#admits = 'all';
  }

  /** So many bytes pass in a second, each way of each line; `Infinity` ends it. @throws RangeError for what is no rate */
  slow(bytesPerSecond: number): void {
    if (!(bytesPerSecond > 0)) throw new RangeError(`slow: ${bytesPerSecond} is no rate: give bytes, more than 0`);
    this.#faults.bytesPerSecond = bytesPerSecond;
  }

  /** Each chunk comes so much later, ms, in order; 0 ends it. @throws RangeError for what is no time */
  delay(ms: number): void {
    if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`delay: ${ms} is no time: give ms, 0 or more`);
    this.#faults.delayMs = ms;
  }

  /**
   * The line on which the last of so many bytes passes this way, counted over all lines, is cut behind it. Once.
   * @throws RangeError for what is no number of bytes
   */
  cutAfter(bytes: number, way: Way = 'down'): void {
    if (!(bytes >= 0)) throw new RangeError(`cutAfter: ${bytes} is no number of bytes: give 0 or more`);
    this.#faults.budget = { way, left: bytes };
  }

  /**
   * Cuts lines by the seed: about every so many chunks, somewhere in one, and so many times at most; 0 ends it.
   * @throws RangeError for what is no number of chunks
   */
  cutAtRandom({ everyChunks, most = Infinity }: { readonly everyChunks: number; readonly most?: number }): void {
    if (!(everyChunks >= 1)) throw new RangeError(`cutAtRandom: everyChunks is ${everyChunks}: give 1 or more`);
    this.#faults.atRandom = { everyChunks, left: most };
  }

  /** Resets all lines and takes no more. */
  async close(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.kill();
    await closed;
  }

  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #each(what: (way: OneWay) => unknown): void {
    for (const { ways } of [...this.#lines]) ways.forEach(what);
  }

  #join(client: Socket): void {
    this.#joined++;
    if (this.#admits === 'none') {
      client.resetAndDestroy();
      return;
    }
    const server = this.#admits === 'silence' ? undefined : this.#dial();
    const sockets = server === undefined ? [client] : [client, server];
    const cut = (): void => {
      if (!this.#lines.delete(line)) return;
      for (const way of line.ways) way.stop();
      for (const socket of sockets) socket.resetAndDestroy();
      if (this.open === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
    };
    const line: Line = { cut, ways: [] };
    this.#lines.add(line);
    for (const socket of sockets) {
      socket.setNoDelay(true);
      socket.on('error', cut);
      // What the other end has not read yet is not to be lost over one that ended in peace.
      socket.on('close', (hadError) => (hadError || sockets.every(({ closed }) => closed)) && cut());
    }
    if (server === undefined) client.resume().on('end', cut);
    else {
      line.ways.push(new OneWay('up', { from: client, to: server }, this.#faults, cut));
      line.ways.push(new OneWay('down', { from: server, to: client }, this.#faults, cut));
    }
  }

  #dial(): Socket {
    const { hostname, port, protocol } = this.#target;
    const usual = protocol === 'wss:' || protocol === 'https:' ? 443 : 80;
    return connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? usual : Number(port),
      allowHalfOpen: true,
    });
  }
}

/**
 * Puts a proxy in front of a server, of whatever kind, to test how its clients take the faults of lines. For Node.
 *
 * @example
 * await using proxy = await faultProxy({ to: listener.url });
 * const connection = connect(proxy.url);
 * proxy.kill();
 * @throws TypeError for what is no URL: as a rejection.
 */
export async function faultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  return new FaultProxy(options).listen();
}
