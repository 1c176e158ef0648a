import type { Deadline } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import type { Engine } from '../engine.ts';
import type { ServerRequest, ServerSocket, SocketHandler } from './server-socket.ts';
import { Session } from './session.ts';
import type { SessionOwner } from './session.ts';

/** Counters of a server, as they are now. */
export interface ServerStats {
  /** Sockets. */
  readonly peers: number;
  /** Clients that are remembered, with a socket or without. */
  readonly clients: number;
  /** Calls, streams and publications at work. */
  readonly calls: number;
  /** Those of them that are streams. */
  readonly streams: number;
  readonly subscriptions: number;
  /** Bytes on their way to peers: of all, and of the one with the most. */
  readonly buffered: { readonly total: number; readonly max: number };
  /** Sockets that the server turned away or ended for what they did, since it began. */
  readonly refused: number;
}

/** The handler of a socket that is not let in. */
const DEAF: SocketHandler = {
  message: () => undefined,
  binary: () => undefined,
  closed: () => undefined,
  drained: () => undefined,
};

/** All sockets of a server. */
export class SessionTable implements SessionOwner {
  readonly #engine: Engine;
  /** With when each began, ms. */
  readonly #sessions = new Map<Session, number>();
  #refused = 0;
  #draining = false;
  /** Resolves the running {@link drain}. */
  #emptied: (() => void) | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A quarter more than all need: who is turned away because too many came at a moment has room then. */
  get spreadMs(): number {
    return Math.ceil((this.#sessions.size / this.#engine.limits.connectionsPerSecond) * 1_250);
  }

  accept(socket: ServerSocket, request: ServerRequest): SocketHandler {
    const { observer } = this.#engine;
    const openedAt = Date.now();
    observer?.tell({ type: 'opened' });
    if (this.#draining) {
      this.#turnAway(socket);
      this.#observeEnd(openedAt, 'server', CloseCode.SERVICE_RESTART);
      return DEAF;
    }
    const session = new Session(this.#engine, socket, request, this);
    this.#sessions.set(session, openedAt);
    return session;
  }

  ended(session: Session, by: 'server' | 'peer', code: number | undefined): void {
    const openedAt = this.#sessions.get(session) ?? Date.now();
    this.#sessions.delete(session);
    if (by === 'server' && code !== undefined && isRefusal(code)) this.#refused++;
    if (this.#sessions.size === 0) this.#emptied?.();
    this.#observeEnd(openedAt, by, code);
  }

  stats(): ServerStats {
    let subscriptions = 0;
    let total = 0;
    let max = 0;
    let calls = 0;
    let streams = 0;
    for (const session of this.#sessions.keys()) {
      subscriptions += session.subscriptions;
      total += session.buffered;
      max = Math.max(max, session.buffered);
    }
    for (const client of this.#engine.directory.clients()) {
      calls += client.calls.busy;
      streams += client.calls.streams;
    }
    const clients = this.#engine.directory.size;
    return {
      peers: this.#sessions.size,
      clients,
      calls,
      streams,
      subscriptions,
      buffered: { total, max },
      refused: this.#refused,
    };
  }

  /** Tells everyone to go, and closes those who are still here after the time. Lets nobody in from now on. */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    if (this.#sessions.size === 0) return;
    for (const session of this.#sessions.keys())
      session.goAway({ reason: 'the server is closing', afterMs: 0, withinMs });
    if (withinMs > 0) await this.#emptyWithin(withinMs);
    for (const session of [...this.#sessions.keys()]) session.close(CloseCode.SERVICE_RESTART, 'the server is closing');
  }

  #observeEnd(openedAt: number, by: 'server' | 'peer', code: number | undefined): void {
    this.#engine.observer?.tell({ type: 'closed', by, code, openMs: Date.now() - openedAt });
  }

  #emptyWithin(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline: Deadline = this.#engine.deadlines.add(Date.now() + withinMs, resolve);
      this.#emptied = () => {
        this.#engine.deadlines.remove(deadline);
        resolve();
      };
    });
  }

  #turnAway(socket: ServerSocket): void {
    try {
      socket.close(CloseCode.SERVICE_RESTART, 'the server is closing');
    } catch (error) {
      this.#engine.report(error, { during: 'session' });
    }
  }
}

/** A takeover is ordinary life, and so is the end of a server. */
function isRefusal(code: number): boolean {
  return code !== CloseCode.TAKEN_OVER && code !== CloseCode.SERVICE_RESTART && code !== CloseCode.NORMAL;
}
