import { z } from 'zod';
import { connect, createClient, defineContract, mutation, type Client, type Connection } from '../../../src/index.ts';
import { createServer, type Server } from '../../../src/server/index.ts';
import { memoryWebSocket, type MemoryPeer } from '../../../src/transport/memory-transport.ts';
import { Clock, type Process } from '../../simulation/clock.ts';
import { Random } from '../../simulation/random.ts';

const contract = defineContract({ act: mutation({ output: z.int() }) });
type Tree = (typeof contract)['tree'];

/** What becomes of an attempt to connect. */
export type Endpoint = (peer: MemoryPeer) => void;

/** Refuses: no socket opens. */
export const refuses: Endpoint = (peer) => peer.close();

/** Accepts, and closes at once. */
export const closes = (code: number): Endpoint => {
  return (peer) => queueMicrotask(() => (code === 1006 ? peer.cut() : peer.close(code)));
};

/** A client, and how long it was connected. */
class User {
  readonly connection: Connection;
  readonly client: Client<Tree>;
  /** Times without a connection, each once it was over, ms. */
  readonly away: number[] = [];
  connectedAt = Infinity;
  /** Times from a call to its answer, ms; `Infinity` for one that failed. */
  readonly answered: number[] = [];
  readonly #now: () => number;
  #lostAt = 0;
  #isConnected = false;

  constructor(connection: Connection, now: () => number) {
    this.connection = connection;
    this.client = createClient(contract, connection);
    this.#now = now;
    connection.on('status', ({ state }) => this.#entered(state === 'connected'));
  }

  /** Time without a connection so far, ms. */
  get awayMs(): number {
    return this.away.reduce((sum, ms) => sum + ms, this.#isConnected ? 0 : this.#now() - this.#lostAt);
  }

  async call(): Promise<void> {
    const at = this.#now();
    const { ok } = await this.client.act().safe();
    this.answered.push(ok ? this.#now() - at : Infinity);
  }

  #entered(isConnected: boolean): void {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    const now = this.#now();
    if (!isConnected) this.#lostAt = now;
    else {
      this.away.push(now - this.#lostAt);
      this.connectedAt = now;
    }
  }
}

/**
 * Real clients and real servers, over sockets in memory without latency, on a clock that does not wait. While it is there
 * it stands in the place of the global clock.
 */
export class World implements Disposable {
  readonly users: User[] = [];
  /** Times of all attempts to connect, ms. */
  readonly attempts: number[] = [];
  readonly random: Random;
  endpoint: Endpoint = refuses;
  readonly #process: Process = { name: 'all', frozenUntil: 0 };
  readonly #clock: Clock;
  readonly #installed: Disposable;
  readonly #peers = new Set<MemoryPeer>();

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#clock = new Clock(this.random, this.#process);
    this.#installed = this.#clock.install();
  }

  get now(): number {
    return this.#clock.now;
  }

  get server(): Server<Tree> {
    return createServer(contract, { handlers: { act: () => 1 }, development: false });
  }

  /** An endpoint that leads to a server; each line breaks after so many ms. */
  serves(server: Server<Tree>, lifeMs = Infinity): Endpoint {
    return (peer) => {
      const socket = server.accept({
        send: (frame) => peer.send(frame),
        close: (code, reason) => peer.close(code, reason),
      });
      this.#peers.add(peer);
      peer.onMessage = (frame) => socket.message(frame);
      peer.onClose = (code) => {
        this.#peers.delete(peer);
        socket.closed(code);
      };
      if (lifeMs < Infinity) this.after(lifeMs, () => peer.cut());
    };
  }

  /** Makes clients, each at a time of its own within the first second. */
  join(count: number): void {
    const WebSocket = memoryWebSocket((peer) => {
      this.attempts.push(this.now);
      this.endpoint(peer);
    });
    for (let n = 0; n < count; n++)
      this.after(this.random.below(1_000), () => {
        this.users.push(new User(connect('ws://memory.test/', { WebSocket, lifecycle: false }), () => this.now));
      });
  }

  /** Every line breaks. */
  cut(): void {
    for (const peer of this.#peers) peer.cut();
  }

  /** Every line goes dead, without a word. */
  freeze(): void {
    for (const peer of this.#peers) peer.freeze();
  }

  after(ms: number, what: () => void): void {
    this.#clock.after(ms, this.#process, what);
  }

  /** Does it again and again. */
  every(ms: number, what: () => void): void {
    this.after(ms, () => (what(), this.every(ms, what)));
  }

  async run(ms: number): Promise<void> {
    // What was done before it is over before time goes on.
    await new Promise(setImmediate);
    await this.#clock.run(this.now + ms);
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.users) void connection.close();
    this.#installed[Symbol.dispose]();
  }
}
