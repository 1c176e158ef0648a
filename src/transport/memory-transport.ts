import type { WebSocketConstructor, WebSocketLike } from './web-socket-like.ts';
import { READY_STATE } from './web-socket-like.ts';

/** The server's end of a socket in memory. */
export interface MemoryPeer {
  readonly url: string;
  /** What the client asked for first, which is what it gets; '' for none. */
  readonly protocol: string;
  onMessage: ((text: string) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  send(text: string): void;
  /** Ends it. Called while it is being accepted it refuses: the client sees no open, and 1006. */
  close(code?: number, reason?: string): void;
  /** The line breaks: what was under way is lost, both ends see 1006. */
  cut(): void;
  /** Holds everything back, both ways, like a dead link: neither end notices. */
  freeze(): void;
  /** Delivers what was held back, in order. */
  thaw(): void;
  /** How much is under way, both ways. */
  readonly underWay: number;
}

/**
 * A WebSocket constructor whose sockets lead to `accept`, in this process: the whole transport runs on it as on a real
 * one. Everything arrives in order, each in a microtask of its own, never in the stack of its sender.
 */
export function memoryWebSocket(accept: (peer: MemoryPeer) => void): WebSocketConstructor {
  return class extends MemoryWebSocket {
    constructor(url: string, protocols: string | string[] = []) {
      super(url, [protocols].flat()[0] ?? '', accept);
    }
  };
}

type Handler = ((event: never) => unknown) | null;

class MemoryWebSocket implements WebSocketLike {
  readonly url: string;
  readonly bufferedAmount = 0;
  readyState: number = READY_STATE.CONNECTING;
  protocol = '';
  onopen: Handler = null;
  onmessage: Handler = null;
  onerror: Handler = null;
  onclose: Handler = null;
  readonly #line = new Line();
  readonly #peer: Peer;

  constructor(url: string, protocol: string, accept: (peer: MemoryPeer) => void) {
    this.url = url;
    const peer = new Peer(url, protocol, this.#line, {
      message: (data) => {
        if (this.readyState === READY_STATE.OPEN) dispatch(this.onmessage, { type: 'message', data });
      },
      closed: (code, reason) => this.#closed(code, reason),
    });
    this.#peer = peer;
    this.#line.carry(() => {
      if (this.readyState !== READY_STATE.CONNECTING) return;
      accept(peer);
      if (!peer.open) return;
      this.readyState = READY_STATE.OPEN;
      this.protocol = protocol;
      dispatch(this.onopen, { type: 'open' });
    });
  }

  /** @throws Error while connecting, as the standard demands */
  send(data: string): void {
    if (this.readyState === READY_STATE.CONNECTING) throw new Error('InvalidStateError: the socket is connecting');
    if (this.readyState === READY_STATE.OPEN) this.#line.carry(() => this.#peer.receive(data));
  }

  close(code = 1005, reason = ''): void {
    if (this.readyState >= READY_STATE.CLOSING) return;
    const opened = this.readyState === READY_STATE.OPEN;
    this.readyState = READY_STATE.CLOSING;
    this.#line.carry(() => {
      this.#peer.closed(code, reason);
      this.#closed(opened ? code : 1006, opened ? reason : '');
    });
  }

  #closed(code: number, reason: string): void {
    if (this.readyState === READY_STATE.CLOSED) return;
    const refused = this.readyState === READY_STATE.CONNECTING;
    this.readyState = READY_STATE.CLOSED;
    const end = refused ? { code: 1006, reason: '' } : { code, reason };
    if (end.code === 1006) dispatch(this.onerror, { type: 'error' });
    dispatch(this.onclose, { type: 'close', wasClean: end.code !== 1006, ...end });
  }
}

function dispatch(handler: Handler, event: object): void {
  handler?.(event as never);
}

/** What the server's end does to the client's. */
interface ClientEnd {
  message(data: string): void;
  closed(code: number, reason: string): void;
}

class Peer implements MemoryPeer {
  readonly url: string;
  readonly protocol: string;
  onMessage: ((text: string) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  /** Neither end has closed it. */
  open = true;
  #told = false;
  readonly #line: Line;
  readonly #client: ClientEnd;

  constructor(url: string, protocol: string, line: Line, client: ClientEnd) {
    this.url = url;
    this.protocol = protocol;
    this.#line = line;
    this.#client = client;
  }

  send(text: string): void {
    this.#line.carry(() => this.#client.message(text));
  }

  receive(text: string): void {
    if (this.open) this.onMessage?.(text);
  }

  close(code = 1005, reason = ''): void {
    if (this.open) this.#end(code, reason);
  }

  cut(): void {
    this.#line.clear();
    this.#end(1006, '');
  }

  /** It is over, and this end comes to know it. */
  closed(code: number, reason: string): void {
    this.open = false;
    if (this.#told) return;
    this.#told = true;
    this.onClose?.(code, reason);
  }

  freeze(): void {
    this.#line.freeze();
  }

  thaw(): void {
    this.#line.thaw();
  }

  get underWay(): number {
    return this.#line.underWay;
  }

  #end(code: number, reason: string): void {
    this.open = false;
    this.#line.carry(() => this.#client.closed(code, reason));
    this.#line.carry(() => this.closed(code, reason));
  }
}

/** A line that is never quiet lets timers run after so many deliveries, as a real one does after each. */
const DELIVERIES_PER_TURN = 1_000;

/** What is under way between two ends, both directions in the order of sending. */
class Line {
  #under: Array<() => void> = [];
  #frozen = false;
  #scheduled = false;
  #delivered = 0;

  get underWay(): number {
    return this.#under.length;
  }

  carry(delivery: () => void): void {
    this.#under.push(delivery);
    this.#schedule();
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    this.#schedule();
  }

  /** Loses what is under way, held back or not. */
  clear(): void {
    this.#under = [];
    this.#frozen = false;
  }

  #schedule(): void {
    if (this.#scheduled || this.#frozen || this.#under.length === 0) return;
    this.#scheduled = true;
    const deliver = (): void => {
      this.#scheduled = false;
      if (this.#frozen) return;
      const delivery = this.#under.shift();
      // Before the delivery, which may throw.
      this.#schedule();
      delivery?.();
    };
    if (++this.#delivered % DELIVERIES_PER_TURN === 0) setTimeout(deliver, 0);
    else queueMicrotask(deliver);
  }
}
