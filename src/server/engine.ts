import type { Codec } from '../payload.ts';
import type { Deadlines } from '../primitives/deadlines.ts';
import type { WireLimits } from '../protocol/messages.ts';
import type { ConnectionWatch } from './brokers/connection-watch.ts';
import type { ClientDirectory } from './clients/client-directory.ts';
import type { CallStore } from './calls/call-store.ts';
import type { Dispatcher } from './calls/dispatcher.ts';
import type { BoundContract } from './app/handlers.ts';
import type { Observer } from './app/observer.ts';
import type { ClientPublisher } from './topics/client-publisher.ts';
import type { PresenceTable } from './presence/presence-table.ts';
import type { Publisher } from './topics/publisher.ts';
import type { Report } from './app/reporter.ts';
import type { ResolvedLimits, ResolvedTimes } from './app/server-options.ts';
import type { ServerRequest } from './peers/server-socket.ts';
import type { UnfinishedParts } from './peers/unfinished-parts.ts';
import type { Flusher } from './outbound/flusher.ts';
import type { SharedTexts } from './outbound/shared-texts.ts';
import type { TopicHub } from './topics/topic-hub.ts';

/** What `authenticate` says of a peer. */
export interface Credentials<Context = unknown> {
  /** Who it is: calls, answers and positions of one identity are never given to another. */
  readonly identity: string;
  /** What handlers are given. */
  readonly context: Context;
  /**
   * Until when they are good, ms since the epoch. Then the socket is closed with 4401, unless the client has brought
   * fresh ones by then, and nothing more is run or delivered before it does. @default for ever
   */
  readonly expiresAt?: number | undefined;
}

/** What {@link ServerOptions.onPeer} is told. */
export interface ArrivedPeer<Context = unknown> {
  readonly identity: string;
  readonly context: Context;
  readonly request: ServerRequest;
  /** Aborts when the client is gone for good: it said so, did not come back within `windowMs`, or was disconnected. */
  readonly signal: AbortSignal;
}

/** What `authenticate` is given. */
export interface AuthenticateArgs {
  /** What the client's `auth` gave; `undefined` without. */
  readonly token: string | undefined;
  /** The request that became the socket. */
  readonly request: ServerRequest;
  /** Aborts when the socket is gone, or `helloTimeoutMs` over. */
  readonly signal: AbortSignal;
}

/**
 * Decides who a peer is, or refuses it: `refuse()`, or any TautlineError that says so. `FORBIDDEN` is for good,
 * `RATE_LIMITED` until later, all else until it has other credentials. Whatever else is thrown, and a time limit that
 * passes, is a failure of the server: `onError` is told, and the peer comes again.
 *
 * With a broker that servers share it may be asked again, of the same token, about a peer that is connected: when the server
 * can't know whom others have put out.
 */
export type Authenticate<Context = unknown> = (
  args: AuthenticateArgs,
) => Credentials<Context> | Promise<Credentials<Context>>;

/** The parts of a server, as its sessions use them. */
export interface Engine {
  readonly bound: BoundContract;
  readonly codec: Codec;
  readonly limits: ResolvedLimits;
  readonly wireLimits: WireLimits;
  readonly times: ResolvedTimes;
  readonly deadlines: Deadlines;
  readonly authenticate: Authenticate;
  readonly onPeer: ((peer: ArrivedPeer) => void | Promise<void>) | undefined;
  readonly directory: ClientDirectory;
  readonly callStore: CallStore | undefined;
  readonly dispatcher: Dispatcher;
  readonly hub: TopicHub;
  readonly brokerWatch: ConnectionWatch;
  readonly callStoreWatch: ConnectionWatch;
  readonly publisher: Publisher;
  readonly presence: PresenceTable;
  readonly clientPublisher: ClientPublisher;
  /** Both shared by all sockets, as a publication goes to many. */
  readonly texts: SharedTexts;
  readonly flusher: Flusher;
  readonly unfinished: UnfinishedParts;
  readonly report: Report;
  /** There when the app wants to hear what happens. */
  readonly observer: Observer | undefined;
}
