import type { ServerSocket, SocketHandler } from '../../src/server/peers/server-socket.ts';
import type { WebSocketConstructor, WebSocketLike } from '../../src/transport/web-socket-like.ts';
import type { Clock, Process } from './clock.ts';
import { Line } from './line.ts';
import type { LineQuality } from './line.ts';
import type { Random } from './random.ts';
import { MARK } from '../helpers/parts.ts';
import { WireRules } from './wire-rules.ts';
import { socketWire } from './wire-state.ts';
import type { SocketWire } from './wire-state.ts';

/** A server as the network sees it. */
export interface Host {
  readonly name: string;
  readonly isUp: boolean;
  accept(socket: ServerSocket): SocketHandler;
}

/** What a network needs. */
export interface NetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly servers: Process;
  readonly quality: LineQuality;
  /** The host that a new socket comes to. */
  readonly route: () => Host | undefined;
  /** The servers put every message into a frame of its own: frames mean nothing. */
  readonly splits: boolean;
  /** The part of events that a server leaves out for a slow peer, as some do. */
  readonly skipped: () => number;
  /** The part of closing codes that never arrive. */
  readonly lostCloses: () => number;
  /** Adapters that tell when a socket's buffer has emptied. */
  readonly tellsDrained: boolean;
  readonly trace: (text: string) => void;
  readonly violation: (text: string) => void;
}

/** Who listens on the sockets of a client, and is told before it is. */
export interface Tap {
  says(frame: string): void;
  hears(frame: string): void;
  isClosed(code: number): void;
}

type Handler = ((event: never) => unknown) | null;

/** All sockets between clients and servers, and what becomes of them. */
export class Network {
  readonly options: NetworkOptions;
  /** Sockets of which one end lives. */
  readonly sockets: Set<SimulatedSocket> = new Set();
  readonly rules: WireRules;
  made = 0;
  cuts = 0;
  frames = 0;
  lost = 0;
  /** Sockets that something on the way ended for the size of a frame. */
  tooLarge = 0;

  constructor(options: NetworkOptions) {
    this.options = options;
    const { violation, clock, servers } = options;
    this.rules = new WireRules({ violation, later: (ms, run) => clock.after(ms, servers, run) });
  }

  /** The constructor for the sockets of one client. */
  socketsOf(process: Process, tap: Tap): WebSocketConstructor {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- of the class inside
    const network = this;
    return class extends SimulatedSocket {
      constructor(_url: string, protocols: string | string[] = []) {
        super(network, process, [protocols].flat()[0] ?? '', tap);
      }
    };
  }

  /** Breaks the lines of a socket: a prefix of what is under way arrives, each end notices later, or never. */
  cut(socket: SimulatedSocket): void {
    this.cuts++;
    this.options.trace(`cut ${socket.name}`);
    this.lost += socket.cut(this.#noticeMs(), this.#noticeMs());
  }

  /** As {@link cut}, and both ends notice. */
  cutNow(socket: SimulatedSocket): void {
    this.options.trace(`cut ${socket.name}, noticed`);
    this.lost += socket.cut(0, 0);
  }

  /** The host died: its end of the socket is gone at once. */
  orphan(socket: SimulatedSocket): void {
    this.cuts++;
    this.lost += socket.cut(this.#noticeMs(), undefined);
    socket.hostDied();
  }

  #noticeMs(): number | undefined {
    const { random } = this.options;
    return random.weighted<() => number | undefined>([
      [60, () => random.below(50)],
      [30, () => random.below(1_000)],
      [7, () => random.below(9_000)],
      [3, () => undefined],
    ])();
  }
}

/** A socket: the client's end is a WebSocket, the server's an adapter. */
export class SimulatedSocket implements WebSocketLike {
  readonly name: string;
  readonly process: Process;
  readonly up: Line;
  readonly down: Line;
  host: Host | undefined;
  readyState = 0;
  protocol = '';
  onopen: Handler = null;
  onmessage: Handler = null;
  onerror: Handler = null;
  onclose: Handler = null;
  readonly #network: Network;
  readonly #tap: Tap;
  readonly #wire: SocketWire;
  #server: SocketHandler | undefined;
  /** The server's end was told that it is over, or is not there any more. */
  #serverOver = false;

  constructor(network: Network, process: Process, protocol: string, tap: Tap) {
    const { clock, random, servers, quality } = network.options;
    this.name = `${process.name}#${++network.made}`;
    this.process = process;
    this.#network = network;
    this.#tap = tap;
    this.#wire = socketWire(this.name);
    this.up = new Line(clock, random, servers, quality);
    this.down = new Line(clock, random, process, quality);
    network.sockets.add(this);
    this.up.carry(0, () => this.#arrived(protocol));
  }

  get bufferedAmount(): number {
    return this.up.buffered;
  }

  /** Neither end has given it up, as far as the client knows. */
  get isLive(): boolean {
    return this.readyState < 2;
  }

  /** A server has its end of it, and was not told that it is over. */
  get isServed(): boolean {
    return this.#server !== undefined && !this.#serverOver;
  }

  send(data: string): void {
    if (this.readyState === 0) throw new Error('InvalidStateError: the socket is connecting');
    if (this.readyState !== 1) return;
    this.#network.frames++;
    this.#network.options.trace(`${this.name} -> ${data}`);
    this.#tap.says(data);
    const messages = this.#network.rules.clientSends(this.#wire, data);
    this.up.carry(data.length, () => {
      if (this.#serverOver) return;
      this.#network.rules.serverGets(this.#wire, messages);
      this.#server?.message(data);
    });
  }

  close(code = 1005): void {
    if (this.readyState >= 2) return;
    const opened = this.readyState === 1;
    this.readyState = 2;
    this.#wire.isOver = true;
    this.#network.options.trace(`${this.name} -> close ${String(code)}`);
    const { random, lostCloses } = this.#network.options;
    if (random.chance(lostCloses())) this.up.cut(undefined, () => undefined);
    else this.up.end(() => this.#endServer(opened ? code : 1006));
    this.#forget();
  }

  /** The server's end, as its adapter gives it to the engine. */
  get serverEnd(): ServerSocket {
    const { down } = this;
    return {
      send: (frame) => this.#serverSends(frame),
      close: (code, reason) => this.#serverCloses(code, reason),
      get bufferedAmount() {
        return down.buffered;
      },
    };
  }

  cut(clientNoticesMs: number | undefined, serverNoticesMs: number | undefined): number {
    const up = this.up.cut(serverNoticesMs, () => this.#endServer(undefined));
    return up + this.down.cut(clientNoticesMs, () => this.#endClient(1006, ''));
  }

  /** Something on the way ends it, both ways. */
  endByGateway(code: number): void {
    this.#network.options.trace(`${this.name} ended by a gateway with ${String(code)}`);
    this.up.end(() => this.#endServer(1006));
    this.down.end(() => this.#endClient(code, ''));
  }

  hostDied(): void {
    this.#wire.closed = true;
    this.#serverOver = true;
    this.#server = undefined;
    this.#forget();
  }

  #serverSends(frame: string): void {
    const { options, rules } = this.#network;
    rules.serverSends(this.#wire, frame);
    const skipped = options.skipped();
    if ((!options.splits && skipped === 0) || frame.startsWith(MARK)) return this.#carryDown(frame);
    const messages = (JSON.parse(frame) as readonly (readonly unknown[])[]).filter(
      ([name]) => name !== 'event' || !options.random.chance(skipped),
    );
    if (options.splits) for (const message of messages) this.#carryDown(JSON.stringify([message]));
    else if (messages.length > 0) this.#carryDown(JSON.stringify(messages));
  }

  #carryDown(frame: string): void {
    this.#network.frames++;
    this.#network.options.trace(`${this.name} <- ${frame}`);
    this.down.carry(frame.length, () => {
      if (this.readyState !== 1) return;
      this.#tap.hears(frame);
      this.#network.rules.clientGets(this.#wire, frame);
      dispatch(this.onmessage, { type: 'message', data: frame });
    });
  }

  #serverCloses(code: number, reason: string): void {
    this.#network.rules.serverCloses(this.#wire, code);
    this.#wire.closed = true;
    const { random, lostCloses, trace, clock, servers } = this.#network.options;
    trace(`${this.name} <- close ${String(code)} ${reason}`);
    const told = random.chance(lostCloses()) ? { code: 1006, reason: '' } : { code, reason };
    if (this.down.over) return this.#endServer(undefined);
    this.down.end(() => {
      this.#endClient(told.code, told.reason);
      if (this.up.over) clock.after(0, servers, () => this.#endServer(undefined));
      else this.up.end(() => this.#endServer(told.code));
    });
  }

  #arrived(protocol: string): void {
    const { route, tellsDrained, trace, clock, servers } = this.#network.options;
    const host = route();
    trace(`${this.name} arrives at ${host?.name ?? 'nobody'}`);
    if (host?.isUp !== true) {
      this.#serverOver = true;
      this.down.end(() => this.#endClient(1006, ''));
      return;
    }
    this.host = host;
    this.#wire.node = host.name;
    this.#server = host.accept(this.serverEnd);
    if (tellsDrained) this.down.drained = () => clock.after(0, servers, () => this.#server?.drained());
    this.down.carry(0, () => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.protocol = protocol;
      dispatch(this.onopen, { type: 'open' });
    });
  }

  #endClient(code: number, reason: string): void {
    if (this.readyState === 3) return;
    const refused = this.readyState === 0;
    this.readyState = 3;
    if (code === 1009) this.#network.tooLarge++;
    this.#wire.isOver = true;
    if (refused || code === 1006) dispatch(this.onerror, { type: 'error' });
    if (!refused && this.onclose !== null) this.#tap.isClosed(code);
    dispatch(this.onclose, { type: 'close', code: refused ? 1006 : code, reason: refused ? '' : reason });
    this.#forget();
  }

  #endServer(code: number | undefined): void {
    if (this.#serverOver) return;
    this.#wire.closed = true;
    this.#serverOver = true;
    this.#server?.closed(code);
    this.#server = undefined;
    this.#forget();
  }

  #forget(): void {
    if (this.readyState >= 2 && this.#serverOver) this.#network.sockets.delete(this);
  }
}

function dispatch(handler: Handler, event: object): void {
  handler?.(event as never);
}
