import type { Deadline } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import type { Engine } from '../engine.ts';
import { RefusedUpgrades } from './refused-upgrades.ts';
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
  /** How many of each contract path: what is slow, and takes up the slots of its clients. */
  readonly callsByPath: Readonly<Record<string, number>>;
  readonly subscriptions: number;
  /** Bytes on their way to peers: of all, and of the one with the most. */
  readonly buffered: { readonly total: number; readonly max: number };
  /** How long the broker has been away, ms; 0: it is there. */
  readonly brokerAwayMs: number;
  /** The same of the call store. */
  readonly callStoreAwayMs: number;
  /** Sockets that the server, or its adapter, turned away or ended for what they did, since it began. */
  readonly refused: number;
}

/** What `server.health()` tells. */
export interface ServerHealth {
  /**
   * `degraded`: the broker or the call store is away. Clients stay connected, and queries are answered; what is published
   * waits for the broker, and what acts for the call store, for a while, and then fails. `closing`: nobody is let in any more, so a balancer should send nobody.
   */
  readonly state: 'ready' | 'degraded' | 'closing';
  /** How long the broker has been away, ms; 0: it is there. */
  readonly brokerAwayMs: number;
  /** The same of the call store. */
  readonly callStoreAwayMs: number;
}

/** The handler of a socket that is not let in. */
const DEAF: SocketHandler = {
  message: () => undefined,
  binary: () => undefined,
  closed: () => undefined,
  drained: () => undefined,
};

/** A server that goes asks its clients back after this time, ms: its successor is often there by then. */
const AWAY_MS = 500;
/** Whoever arrives while it drains is not sent away for longer, ms: behind a balancer the next attempt may lead elsewhere. */
const AWAY_MOST_MS = 3_000;
/** Calls end without a word to the sockets: where nobody else is left they are looked at this often, ms. */
const LOOK_MS = 50;

/** Of the time that a server drains: in the rest of it calls end whose clients have gone at the last moment. */
const MOVING_PART = 0.8;

/** Until when a server drains, ms, and how wide the window of its clients was when it began, ms. */
interface Draining {
  readonly untilMs: number;
  readonly spreadMs: number;
}

const CLOSING = 'the server is closing';

/** All sockets of a server. */
export class SessionTable implements SessionOwner {
  readonly #engine: Engine;
  /** With when each began, ms. */
  readonly #sessions = new Map<Session, number>();
  readonly refusedUpgrades: RefusedUpgrades;
  #refused = 0;
  /** There once it drains. */
  #draining: Draining | undefined;
  /** Looks whether the running {@link drain} is over. */
  #look = (): void => undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.refusedUpgrades = new RefusedUpgrades(engine.report, engine.observer);
  }

  /** All of them. */
  get all(): Iterable<Session> {
    return this.#sessions.keys();
  }

  get spreadMs(): number {
    return spreadOf(this.#sessions.size, this.#engine.limits.connectionsPerSecond);
  }

  accept(socket: ServerSocket, request: ServerRequest): SocketHandler {
    const { observer } = this.#engine;
    const openedAt = performance.now();
    observer?.tell({ type: 'opened' });
    if (this.#draining !== undefined) {
      this.#turnAway(socket, this.#draining);
      this.#observeEnd(openedAt, 'server', CloseCode.SERVICE_RESTART);
      return DEAF;
    }
    const session = new Session(this.#engine, socket, request, this);
    this.#sessions.set(session, openedAt);
    return session;
  }

  ended(session: Session, by: 'server' | 'peer', code: number | undefined): void {
    const openedAt = this.#sessions.get(session) ?? performance.now();
    this.#sessions.delete(session);
    if (by === 'server' && code !== undefined && isRefusal(code)) this.#refused++;
    if (this.#sessions.size === 0) this.#look();
    this.#observeEnd(openedAt, by, code);
  }

  stats(): ServerStats {
    let subscriptions = 0;
    let total = 0;
    let max = 0;
    let calls = 0;
    let streams = 0;
    // Any name may be a path, also one that each object has.
    const callsByPath = Object.create(null) as Record<string, number>;
    for (const session of this.#sessions.keys()) {
      subscriptions += session.subscriptions;
      total += session.buffered;
      max = Math.max(max, session.buffered);
    }
    for (const client of this.#engine.directory.clients()) {
      calls += client.calls.busy;
      streams += client.calls.streams;
      client.calls.countByPath(callsByPath);
    }
    const clients = this.#engine.directory.size;
    return {
      peers: this.#sessions.size,
      clients,
      calls,
      streams,
      callsByPath,
      subscriptions,
      buffered: { total, max },
      ...this.#awayMs,
      refused: this.#refused + this.refusedUpgrades.count,
    };
  }

  health(): ServerHealth {
    const away = this.#awayMs;
    const state = away.brokerAwayMs + away.callStoreAwayMs > 0 ? 'degraded' : 'ready';
    return { state: this.#draining === undefined ? state : 'closing', ...away };
  }

  get #awayMs(): Pick<ServerHealth, 'brokerAwayMs' | 'callStoreAwayMs'> {
    const { brokerWatch, callStoreWatch } = this.#engine;
    return { brokerAwayMs: brokerWatch.awayMs, callStoreAwayMs: callStoreWatch.awayMs };
  }

  /**
   * Tells everyone to go, and closes those who are still here after the time. Lets nobody in from now on. Those whom it
   * closes, or turns away, are told when to come back: soon, and not all at once.
   */
  async drain(withinMs: number): Promise<void> {
    const { spreadMs } = this;
    const draining = (this.#draining = { untilMs: performance.now() + withinMs, spreadMs });
    const each = (what: (session: Session) => void): void => [...this.#sessions.keys()].forEach(what);
    each((session) => session.isGreeting && session.close(CloseCode.SERVICE_RESTART, comeBack(draining)));
    if (withinMs > 0) {
      each((session) => session.goAway({ reason: CLOSING, afterMs: 0, withinMs: withinMs * MOVING_PART }));
      await this.#quietUntil(draining.untilMs);
    }
    each((session) => session.goAway({ reason: CLOSING, afterMs: AWAY_MS, withinMs: spreadMs }));
    each((session) => session.close(CloseCode.SERVICE_RESTART, CLOSING));
  }

  #observeEnd(openedAt: number, by: 'server' | 'peer', code: number | undefined): void {
    this.#engine.observer?.tell({ type: 'closed', by, code, openMs: performance.now() - openedAt });
  }

  /** Until nobody is left, and no call whose client may have lost its socket for a moment. */
  #quietUntil(untilMs: number): Promise<void> {
    const { deadlines } = this.#engine;
    return new Promise((resolve) => {
      let deadline: Deadline | undefined;
      this.#look = () => {
        if (deadline !== undefined) deadlines.remove(deadline);
        const now = performance.now();
        const isEmpty = this.#sessions.size === 0;
        if (now < untilMs && !(isEmpty && !this.#isBusy)) {
          deadline = deadlines.add(isEmpty ? Math.min(now + LOOK_MS, untilMs) : untilMs, this.#look);
          return;
        }
        this.#look = () => undefined;
        resolve();
      };
      this.#look();
    });
  }

  /** A call is at work: not a stream, which may never end. */
  get #isBusy(): boolean {
    for (const { calls } of this.#engine.directory.clients()) if (calls.busy > calls.streams) return true;
    return false;
  }

  #turnAway(socket: ServerSocket, draining: Draining): void {
    try {
      socket.close(CloseCode.SERVICE_RESTART, comeBack(draining));
    } catch (error) {
      this.#engine.report(error, { during: 'session' });
    }
  }
}

/**
 * How wide the window is to be in which so many clients come back, ms: a quarter more than all need, for those who are
 * turned away because too many came at a moment.
 */
export function spreadOf(clients: number, connectionsPerSecond: number): number {
  return Math.ceil((clients / connectionsPerSecond) * 1_250);
}

/** A close reason that says when to come back: a moment after it is over, if that is soon. */
function comeBack({ untilMs, spreadMs }: Draining): string {
  const awayMs = Math.min(Math.max(untilMs - performance.now(), 0) + AWAY_MS, AWAY_MOST_MS);
  return `retry-after=${Math.round(awayMs + Math.random() * spreadMs)}`;
}

/** A takeover is ordinary life, and so is the end of a server. */
function isRefusal(code: number): boolean {
  return code !== CloseCode.TAKEN_OVER && code !== CloseCode.SERVICE_RESTART && code !== CloseCode.NORMAL;
}
