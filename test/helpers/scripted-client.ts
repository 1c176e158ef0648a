import { afterEach, beforeEach, expect, vi } from 'vitest';
import { connect, createClient, type Client, type Connection, type ConnectOptions } from '../../src/index.ts';
import { plain } from './chat-contract.ts';
import { ScriptedServer, type ScriptedSocket } from './scripted-server.ts';

/** What the tests of a file share: for each test a server of its own, and fake timers of which none may be left. */
class Scripted {
  server = new ScriptedServer();
  connection!: Connection;
  /** What the connection reported. */
  errors: unknown[] = [];
  readonly #defaults: ConnectOptions;

  constructor(defaults: ConnectOptions) {
    this.#defaults = defaults;
    beforeEach(() => {
      vi.useFakeTimers();
      this.server = new ScriptedServer();
      this.errors = [];
    });
    afterEach(async () => {
      await this.connection.close();
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    });
  }

  /** Connects, without a client. */
  connect(options: ConnectOptions = {}): Connection {
    this.connection = connect('ws://test/', { WebSocket: this.server.WebSocket, ...this.#defaults, ...options });
    this.connection.on('error', (error) => this.errors.push(error));
    return this.connection;
  }

  /** Connects a client of the contract that has one of everything. */
  start(options: ConnectOptions = {}): Client<(typeof plain)['tree']> {
    return createClient(plain, this.connect(options));
  }

  /** The newest socket, welcomed. */
  async welcomed(): Promise<ScriptedSocket> {
    const socket = await this.server.socket();
    await socket.welcome();
    return socket;
  }
}

/** To be called once at the top of a test file. */
export function scripted(defaults: ConnectOptions = {}): Scripted {
  return new Scripted(defaults);
}
