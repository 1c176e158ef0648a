import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Order } from '../order.ts';

/** Who is measured: `raw` is the hand-written WebSocket that the others are compared with. */
export type PeerName = 'raw' | 'tautline' | 'socket.io' | 'trpc';

/** Which build of Tautline: the package as it is published, or the sources. */
export type Source = 'dist' | 'src';

/** Limits of Tautline that a workload exceeds; the others have none that it reaches. */
export interface RaisedLimits {
  readonly server?: { readonly calls?: number; readonly subscriptions?: number };
  readonly queue?: { readonly maxMessages: number; readonly maxBytes: number };
}

/** Where a peer serves: an HTTP server that listens, and the sockets that are open at it. */
export interface Host {
  readonly http: HttpServer;
  readonly sockets: ReadonlySet<Socket>;
}

/** The half that serves. */
export interface PeerServer {
  /** Hands an event to all subscribers of a topic. */
  publish(topic: string, event: Order): void | Promise<unknown>;
  /** Publications of clients that were taken in. */
  readonly taken: number;
}

/** The half that connects. It begins to connect when it is made. */
export interface PeerClient {
  /** Resolves when the connection can be used. */
  connected(): Promise<void>;
  /** Sends an order and gets it back. May be made before it is connected. */
  call(order: Order): Promise<Order>;
  /** Sends an order that is never answered. */
  callInVain(order: Order): Promise<unknown>;
  /** Resolves when it is subscribed. */
  subscribe(topic: string, listener: () => void): Promise<unknown>;
  /** Reads so many orders that the server pushes one after the other. */
  readItems(count: number, listener: () => void): Promise<void>;
  /** Resolves when the server has said that it took it. */
  publish(topic: string, event: Order): Promise<unknown>;
  /** Publishes so many in one loop without acknowledgement, and one with: it ends behind them. */
  flood(topic: string, event: Order, count: number): Promise<void>;
  close(): void | Promise<void>;
}

/** One library, or none. Each half is loaded by the process that needs it. */
export interface Peer {
  serve(host: Host, limits: RaisedLimits): Promise<PeerServer>;
  connector(limits: RaisedLimits): Promise<(port: number) => PeerClient>;
}
