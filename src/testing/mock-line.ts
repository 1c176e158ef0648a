import type { Server } from '../server/create-server.ts';
import type { SocketHandler } from '../server/peers/server-socket.ts';

/** The page's socket, as what stands in its place hands it over. */
export interface MockedSocket {
  readonly url: URL;
  send(frame: string): void;
  close(code?: number, reason?: string): void;
}

/** One mocked socket and its end at the engine, with the faults that lines have. */
export class MockLine {
  readonly #socket: MockedSocket;
  #engine: SocketHandler | undefined;
  /** What a frozen line holds back, both ways in the order of sending. */
  #held: Array<() => void> | undefined;
  #ended = false;

  constructor(socket: MockedSocket) {
    this.#socket = socket;
  }

  open(server: Pick<Server, 'accept'>): void {
    const { url } = this.#socket;
    this.#engine = server.accept(
      {
        // Everything arrives at once: what was left out while events gathered goes on after them.
        later: queueMicrotask,
        send: (frame) => this.#carry(() => this.#socket.send(frame)),
        close: (code, reason) => this.#carry(() => this.#socket.close(code, reason)),
      },
      { url: url.pathname + url.search },
    );
  }

  message(data: unknown): void {
    this.#carry(() => {
      if (typeof data === 'string') this.#engine?.message(data);
      else this.#engine?.binary();
    });
  }

  /** The page's end is closed, by whomever. */
  closed(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held = undefined;
    this.#engine?.closed(code);
  }

  cut(): void {
    this.closed(1006);
    this.#socket.close(1006);
  }

  freeze(): void {
    this.#held ??= [];
  }

  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const delivery of held) this.#carry(delivery);
  }

  #carry(delivery: () => void): void {
    if (this.#ended) return;
    if (this.#held === undefined) delivery();
    else this.#held.push(delivery);
  }
}
