import type { WebSocketConstructor, WebSocketLike } from '../../transport/web-socket-like.ts';
import { Log } from './log.ts';

/** A socket, and what it tells. */
export class WatchedSocket {
  readonly socket: WebSocketLike;
  /** `open`, `message …`, `close …`. Not its errors: the transport goes by the close that follows. */
  readonly log: Log = new Log();
  /** `readyState` when each came. */
  readonly states: number[] = [];
  /** Those that came while one of its functions ran. */
  readonly within: string[] = [];
  #calling = true;

  constructor(WebSocket: WebSocketConstructor, url: string, protocols?: string[]) {
    this.socket = protocols === undefined ? new WebSocket(url) : new WebSocket(url, protocols);
    this.socket.onopen = () => this.#hear('open');
    this.socket.onmessage = ({ data }: { readonly data: unknown }) => this.#hear(`message ${describe(data)}`);
    this.socket.onerror = () => undefined;
    this.socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) =>
      this.#hear(`close ${code} ${reason}`);
    this.#calling = false;
  }

  send(text: string): void {
    this.#call(() => this.socket.send(text));
  }

  close(code: number, reason: string): void {
    this.#call(() => this.socket.close(code, reason));
  }

  #call(call: () => void): void {
    this.#calling = true;
    try {
      call();
    } finally {
      this.#calling = false;
    }
  }

  #hear(event: string): void {
    this.states.push(this.socket.readyState);
    if (this.#calling) this.within.push(event);
    this.log.add(event);
  }
}

function describe(data: unknown): string {
  return typeof data === 'string' ? data : `that is ${typeof data}`;
}
