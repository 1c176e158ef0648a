import { vi } from 'vitest';
import { decodeClientFrame } from '../../src/protocol/client-messages.ts';
import type { ClientMessage, Hello } from '../../src/protocol/messages.ts';
import { PartReader } from '../../src/protocol/parts.ts';
import { memoryWebSocket, type MemoryPeer } from '../../src/transport/memory-transport.ts';
import { MARK } from './parts.ts';
import type { WebSocketConstructor } from '../../src/transport/web-socket-like.ts';

const LIMITS = { frameBytes: 1024 * 1024, calls: 8, streams: 8, items: 32, subscriptions: 1000 };

/** What a test wants of a welcome. */
interface ScriptedWelcome {
  readonly memory?: string;
  readonly identity?: string;
  readonly limits?: object;
  readonly spreadMs?: number;
  readonly codec?: string;
}

/** One socket of a {@link ScriptedServer}: what came, in order, and a way to say anything. */
export class ScriptedSocket {
  readonly frames: string[] = [];
  readonly #peer: MemoryPeer;
  closedWith: number | undefined;

  constructor(peer: MemoryPeer) {
    this.#peer = peer;
    peer.onMessage = (frame) => this.frames.push(frame);
    peer.onClose = (code) => (this.closedWith = code);
  }

  /** The messages, those of a frame in parts where its last one came. */
  get received(): ClientMessage[] {
    const reader = new PartReader(Infinity, 2);
    return this.frames.flatMap((frame) => {
      const whole = frame.startsWith(MARK) ? reader.take(frame) : frame;
      return whole === undefined ? [] : [...decodeClientFrame(whole).messages];
    });
  }

  /** Parts, as they came. */
  get parts(): string[] {
    return this.frames.filter((frame) => frame.startsWith(MARK));
  }

  /** The messages of one name. */
  all<Name extends ClientMessage[0]>(name: Name): Extract<ClientMessage, readonly [Name, ...unknown[]]>[] {
    return this.received.filter((message) => message[0] === name) as never;
  }

  get hello(): Hello {
    return this.all('hello')[0]![1];
  }

  async say(...messages: unknown[]): Promise<void> {
    await this.raw(JSON.stringify(messages));
  }

  async raw(frame: string): Promise<void> {
    this.#peer.send(frame);
    await settle();
  }

  async welcome({ limits, ...given }: ScriptedWelcome = {}): Promise<void> {
    const usual = { memory: 'M1', identity: 'I1', windowMs: 60_000, heartbeatMs: 25_000 };
    await this.say(['welcome', { ...usual, ...given, limits: { ...LIMITS, ...limits } }]);
  }

  async close(code: number, reason = ''): Promise<void> {
    this.#peer.close(code, reason);
    await settle();
  }

  async cut(): Promise<void> {
    this.#peer.cut();
    await settle();
  }
}

/** A server that says only what the test says. Use with fake timers. */
export class ScriptedServer {
  readonly sockets: ScriptedSocket[] = [];
  readonly WebSocket: WebSocketConstructor = memoryWebSocket((peer) => {
    this.sockets.push(new ScriptedSocket(peer));
  });

  /** The newest socket, once it is open. */
  async socket(): Promise<ScriptedSocket> {
    await settle();
    return this.sockets.at(-1)!;
  }

  /** Lets the client come back after a loss, whatever it waits for. */
  async next(): Promise<ScriptedSocket> {
    const before = this.sockets.length;
    for (let tries = 0; tries < 120 && this.sockets.length === before; tries++)
      await vi.advanceTimersByTimeAsync(1_000);
    if (this.sockets.length === before) throw new Error('the client did not come back');
    return this.sockets.at(-1)!;
  }
}

/** Lets everything that is under way in memory arrive. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
