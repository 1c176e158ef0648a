import * as CloseCode from '../../protocol/close-code.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import { closeReaction } from '../../protocol/close-reaction.ts';
import type { Engine } from '../engine.ts';
import type { ServerRequest } from './server-socket.ts';
import type { Session } from './session.ts';

/** A client with a socket, at this moment. */
export interface PeerInfo<Context = unknown> {
  readonly identity: string;
  /** Name that the client made up for itself: the same over all its sockets. Two tabs of one person are two clients. */
  readonly client: string;
  /** What `authenticate` said of it. */
  readonly context: Context;
  readonly request: ServerRequest;
  /** Topics that it is subscribed to. */
  readonly subscriptions: number;
}

/** Options of {@link Server.disconnect}. */
export interface DisconnectOptions {
  /**
   * How the sockets are closed. It must be a code after which a client does not come back by itself: 4403, 4500 to 4999
   * for reasons of your own, or 4401, after which it asks its `auth` for other credentials. @default 4403
   */
  readonly code?: number | undefined;
  /** Told to the client. @default 'disconnected by the server' */
  readonly reason?: string | undefined;
}

const REASON = 'disconnected by the server';
const REVOKED = { code: 'FORBIDDEN', message: 'the server has ended this subscription' };

/** Of so many at a time it is asked again who they are. */
const VERIFIED_AT_ONCE = 64;

/** Ends what was allowed: a person's connections, subscriptions, and what runs for them. */
export class Admission {
  readonly #engine: Engine;
  readonly #sessions: () => Iterable<Session>;

  constructor(engine: Engine, sessions: () => Iterable<Session>) {
    this.#engine = engine;
    this.#sessions = sessions;
  }

  *peers(identity: string | undefined): Iterable<PeerInfo> {
    for (const { peer, request } of this.#open(identity)) {
      const { client, context, subscriptions } = peer;
      yield { identity: peer.identity, client: client.id, context, request, subscriptions };
    }
  }

  /** @throws TypeError for an identity that is none; RangeError for a code after which clients come back. */
  disconnect(identity: string, { code = CloseCode.FORBIDDEN, reason = REASON }: DisconnectOptions): void {
    checkIdentity('disconnect', identity);
    const reaction = closeReaction(code);
    if ((reaction !== 'stop' && reaction !== 'credentials') || code < 3000 || code > 4999) {
      throw new RangeError(`disconnect: after ${code} a client comes back: give 4403, 4401, or 4500 to 4999`);
    }
    const ban = { code, reason };
    for (const session of this.#sessions()) session.ban(identity, ban);
    this.#engine.directory.endAll(identity, ban);
  }

  revoke(topic: string, identity: string): void {
    checkIdentity('revoke', identity);
    for (const { peer } of this.#open(identity)) peer.revoke(topic, REVOKED);
    const { directory, presence } = this.#engine;
    // Also one between two sockets is not there any more.
    for (const client of directory.clients()) if (client.identity === identity) presence.leave(client, topic);
  }

  reauthorize(identity: string | undefined): void {
    if (identity !== undefined) checkIdentity('reauthorize', identity);
    for (const { peer } of this.#open(identity)) peer.authorizeAgain(true);
  }

  /** Asks about everybody again: who is still welcome, and to what. */
  verifyAgain(): void {
    const turns = Array.from({ length: VERIFIED_AT_ONCE }, () => new SerialQueue());
    [...this.#sessions()].forEach((session, index) => session.verifyAgain(turns[index % VERIFIED_AT_ONCE]!));
  }

  *#open(identity: string | undefined): Iterable<Session & { readonly peer: NonNullable<Session['peer']> }> {
    for (const session of [...this.#sessions()]) {
      const { peer } = session;
      if (peer !== undefined && (identity === undefined || peer.identity === identity)) yield session as never;
    }
  }
}

/** @throws TypeError */
export function checkIdentity(what: string, identity: unknown): void {
  if (typeof identity === 'string') return;
  throw new TypeError(`${what}: give the identity that authenticate gave, a string, not ${typeof identity}`);
}
