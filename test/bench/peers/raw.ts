/*
 * What the others are compared with: a WebSocket by hand, as one writes it on a good day. JSON, one message a frame, no
 * validation, no reconnecting, no limits.
 */
import { WebSocketServer, type WebSocket as ServerWebSocket } from 'ws';
import { order, type Order } from '../order.ts';
import { pushInBursts } from '../pacing.ts';
import type { Host, Peer, PeerClient, PeerServer } from './peer.ts';

interface Request {
  /** Left off where no answer is wanted. */
  readonly id?: number;
  readonly method: string;
  readonly params: unknown;
}

interface Incoming {
  readonly id?: number;
  readonly result?: unknown;
  readonly item?: unknown;
  readonly topic?: string;
  readonly event?: unknown;
}

type Publication = { readonly topic: string; readonly event: Order };

async function serve({ http, sockets }: Host): Promise<PeerServer> {
  const subscribers = new Map<string, Set<ServerWebSocket>>();
  let taken = 0;
  const publish = (topic: string, event: Order): void => {
    const listening = subscribers.get(topic);
    if (listening === undefined) return;
    const text = JSON.stringify({ topic, event });
    for (const socket of listening) socket.send(text);
  };
  const methods: Readonly<Record<string, (params: any, socket: ServerWebSocket, id?: number) => unknown>> = {
    echo: (params) => params,
    never: () => new Promise(() => undefined),
    subscribe: (topic: string, socket) => {
      const listening = subscribers.get(topic);
      if (listening === undefined) subscribers.set(topic, new Set([socket]));
      else listening.add(socket);
    },
    publish: ({ topic, event }: Publication) => {
      taken++;
      publish(topic, event);
    },
    items: (count: number, socket, id) =>
      pushInBursts(count, () => socket.send(JSON.stringify({ id, item: order })), sockets),
  };
  new WebSocketServer({ server: http }).on('connection', (socket) => {
    const serveOne = async (data: string): Promise<void> => {
      const { id, method, params } = JSON.parse(data) as Request;
      const result = await methods[method]!(params, socket, id);
      if (id !== undefined) socket.send(JSON.stringify({ id, result }));
    };
    socket.on('message', (data) => void serveOne((data as Buffer).toString()));
  });
  return {
    publish,
    get taken() {
      return taken;
    },
  };
}

interface Pending {
  readonly resolve: (result: any) => void;
  readonly reject: (error: Error) => void;
  readonly item?: (item: unknown) => void;
}

class RawClient implements PeerClient {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, (event: unknown) => void>();
  readonly #opened: Promise<void>;
  #isOpen = false;
  #nextId = 1;

  constructor(port: number) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    this.#opened = new Promise((resolve) => {
      this.#socket.onopen = () => {
        this.#isOpen = true;
        resolve();
      };
    });
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data as string) as Incoming);
    this.#socket.onclose = () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the socket was closed'));
    };
  }

  connected(): Promise<void> {
    return this.#opened;
  }

  call(input: Order): Promise<Order> {
    return this.#isOpen ? this.#ask('echo', input) : this.#opened.then(() => this.#ask('echo', input));
  }

  callInVain(input: Order): Promise<unknown> {
    return this.#ask('never', input);
  }

  subscribe(topic: string, listener: () => void): Promise<unknown> {
    this.#listeners.set(topic, listener);
    return this.#ask('subscribe', topic);
  }

  readItems(count: number, item: () => void): Promise<void> {
    return this.#ask('items', count, item);
  }

  publish(topic: string, event: Order): Promise<unknown> {
    return this.#ask('publish', { topic, event });
  }

  async flood(topic: string, event: Order, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      this.#socket.send(JSON.stringify({ method: 'publish', params: { topic, event } }));
    }
    await this.publish(topic, event);
  }

  close(): void {
    this.#socket.close();
  }

  #ask<Result>(method: string, params: unknown, item?: (item: unknown) => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, item === undefined ? { resolve, reject } : { resolve, reject, item });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #receive({ id, result, item, topic, event }: Incoming): void {
    if (id === undefined) {
      this.#listeners.get(topic!)?.(event);
      return;
    }
    const pending = this.#pending.get(id);
    if (item !== undefined) {
      pending?.item?.(item);
      return;
    }
    this.#pending.delete(id);
    pending?.resolve(result);
  }
}

/** A hand-written WebSocket. */
export const raw: Peer = {
  serve,
  connector: async () => (port) => new RawClient(port),
};
