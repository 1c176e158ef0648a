import type { WebSocketConstructor, WebSocketLike } from '../../src/transport/web-socket-like.ts';

type Handler = ((event: never) => unknown) | null;

/** A WebSocket that does what the test says, and is as strict as the standard where the transport calls it. */
export class FakeWebSocket implements WebSocketLike {
  readonly url: string;
  readonly protocols: string | string[] | undefined;
  readonly sent: string[] = [];
  /** What `close()` was called with. */
  closedWith: { readonly code: number | undefined; readonly reason: string } | undefined;
  readyState = 0;
  bufferedAmount = 0;
  protocol = '';
  onopen: Handler = null;
  onmessage: Handler = null;
  onerror: Handler = null;
  onclose: Handler = null;

  constructor(url: string, protocols?: string | string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(data: string): void {
    if (this.readyState === 0) throw new DOMException('connecting', 'InvalidStateError');
    if (this.readyState === 1) this.sent.push(data);
  }

  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(`close code ${code}`, 'InvalidAccessError');
    }
    if (Buffer.byteLength(reason) > 123) throw new DOMException('reason too long', 'SyntaxError');
    if (this.readyState >= 2) return;
    this.closedWith = { code, reason };
    // A dead link: nothing answers, no event comes.
    this.readyState = 2;
  }

  /** Connecting or open. */
  get live(): boolean {
    return this.readyState < 2;
  }

  /** The server accepts. */
  open(protocol = [this.protocols ?? []].flat()[0] ?? ''): void {
    this.readyState = 1;
    this.protocol = protocol;
    this.emit('open', {});
  }

  message(data: unknown): void {
    this.emit('message', { data });
  }

  /** The server closes; engines report 1006 with an error before it. */
  end(code: number, reason = ''): void {
    this.readyState = 3;
    if (code === 1006) this.emit('error', {});
    this.emit('close', { code, reason });
  }

  /** An `error` event, in this state of the socket, with nothing after it. */
  fail(readyState: number, event: object = {}): void {
    this.readyState = readyState;
    this.emit('error', event);
  }

  emit(type: 'open' | 'message' | 'error' | 'close', event: object): void {
    this[`on${type}`]?.(event as never);
  }
}

/** A constructor of {@link FakeWebSocket} and what it made. */
export interface FakeWebSockets {
  readonly WebSocket: WebSocketConstructor;
  readonly made: readonly FakeWebSocket[];
  /** Most sockets that were live at the same time. */
  readonly mostLive: number;
  /** The newest. */
  last(): FakeWebSocket;
  /** Sockets that are connecting or open. */
  live(): readonly FakeWebSocket[];
}

/** @param born - Runs in the constructor, before anyone has the socket. */
export function fakeWebSockets(born: (socket: FakeWebSocket) => void = () => {}): FakeWebSockets {
  const made: FakeWebSocket[] = [];
  let mostLive = 0;
  return {
    WebSocket: class extends FakeWebSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(url, protocols);
        made.push(this);
        mostLive = Math.max(mostLive, made.filter(({ live }) => live).length);
        born(this);
      }
    },
    made,
    get mostLive() {
      return mostLive;
    },
    last() {
      const socket = made.at(-1);
      if (socket === undefined) throw new Error('no socket was made');
      return socket;
    },
    live: () => made.filter(({ live }) => live),
  };
}
