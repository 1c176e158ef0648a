import type { Server, ServerRequest, ServerSocket, SocketHandler } from '../../src/server/index.ts';

/** A wire message, as JSON gave it. */
export type Wire = readonly any[];

let clients = 0;

/** A name of a client that the wire allows. */
export function clientName(): string {
  clients++;
  return `client-of-the-tests-${String(clients).padStart(6, '0')}`;
}

/** A hand-driven socket: writes what a client would, and keeps what the server wrote. */
export class Peer implements ServerSocket {
  /** Messages that the server sent, in order, of all frames. */
  readonly received: Wire[] = [];
  readonly frames: string[] = [];
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  bufferedAmount = 0;
  declare bytesRead?: number;
  declare bytesTaken?: number;
  /** Sees each frame that the server hands over. */
  onSend: (frame: string) => void = () => undefined;
  readonly #handler: SocketHandler;

  constructor(server: Pick<Server, 'accept'>, request: ServerRequest = {}) {
    this.#handler = server.accept(this, request);
  }

  send(frame: string): void {
    this.onSend(frame);
    this.frames.push(frame);
    this.received.push(...(JSON.parse(frame) as Wire[]));
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
  }

  /** Writes one frame. */
  write(...messages: readonly unknown[]): this {
    return this.writeText(JSON.stringify(messages));
  }

  writeText(frame: string): this {
    this.#handler.message(frame);
    return this;
  }

  writeBinary(): void {
    this.#handler.binary();
  }

  /** The connection is gone, with the code of the peer's close frame if there was one. */
  vanish(code?: number): void {
    this.#handler.closed(code);
  }

  drain(): void {
    this.bufferedAmount = 0;
    this.#handler.drained();
  }

  hello(client: string, n = 1, more: Record<string, unknown> = {}): this {
    return this.write(['hello', { client, n, floor: [1], ...more }]);
  }

  /** All messages of a name, so far. */
  all(name: string): Wire[] {
    return this.received.filter((message) => message[0] === name);
  }

  /** What settled an id, so far: `['reply', id, …]` or `['error', id, …]`. */
  answers(id: number): Wire[] {
    return this.received.filter(([name, of]) => (name === 'reply' || name === 'error') && of === id);
  }

  /** What came of a stream, so far: `['item', id, …]`, `['done', id]` or `['error', id, …]`. */
  stream(id: number): Wire[] {
    return this.received.filter(([name, of]) => ['item', 'done', 'error'].includes(name) && of === id);
  }

  get welcome(): any {
    return this.all('welcome')[0]?.[1];
  }
}

/**
 * Lets everything run that waits for no timer and no outside: promises, and promises that they make.
 * A macrotask comes after all microtasks, however many they beget.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A promise that the test opens. */
export class Gate<T = void> {
  readonly opened: Promise<T>;
  open!: (value: T) => void;
  fail!: (error: unknown) => void;

  constructor() {
    this.opened = new Promise((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
  }
}
