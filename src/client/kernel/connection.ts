import type { Happening } from './happening.ts';
import type { Store } from '../../primitives/store.ts';
import type { ConnectionStatus, ReconnectRequest } from '../../transport/transport.ts';
import type { AuthOption } from '../../transport/transport-options.ts';

/** What a connection tells, by name. */
export interface ConnectionEvents {
  /** It entered another state: the same object as `connection.status`. */
  status: (status: ConnectionStatus) => void;
  /**
   * Something went wrong that no caller waits for: a listener that threw or rejected, a frame that could not be read, a
   * gap or an end of a subscription that none of its listeners takes.
   * Without a listener it goes to `reportError`, else to the console.
   */
  error: (error: unknown) => void;
  /**
   * From now on it speaks for another user, or for none: after `setAuth`, and where the server finds that the credentials
   * prove somebody else. Its calls have ended and its topics are empty by now: drop what you keep of the former user.
   */
  identity: () => void;
  /** `stats().backlogBytes` reached the high watermark: pause what makes messages. Once, until it has drained. */
  congested: () => void;
  /** After `congested`: it is below the low watermark again. */
  drained: () => void;
  /** Something happened or was decided, with its reason: what `record()` keeps, as it happens. */
  happening: (happening: Happening) => void;
}

/** Options of {@link Connection.close}. */
export interface CloseOptions {
  /** Wait for calls, streams and publishes that are not settled; new ones are refused meanwhile. @default false */
  readonly drain?: boolean | undefined;
  /** Longest time to wait, ms. @default the connection's timeoutMs */
  readonly timeoutMs?: number | undefined;
}

/** Figures of a connection, at the moment of asking. */
export interface ConnectionStats {
  /** Smoothed round-trip time of pings, ms; `undefined` before the first answer. */
  readonly rttMs: number | undefined;
  /** What waits for the socket. */
  readonly queued: { readonly messages: number; readonly bytes: number };
  /** Bytes that the socket has not yet passed on; `undefined` where the engine does not tell. */
  readonly bufferedAmount: number | undefined;
  /** What waits for the socket, and what was written and the server is not known to have taken in: what `flow` bounds. */
  readonly backlogBytes: number;
  /** Lossy publishes that were dropped because the queue was full. */
  readonly evicted: number;
  /** Calls that were sent and have no answer, and streams that have not ended. */
  readonly inFlight: number;
  /** Topics that are listened to. */
  readonly subscriptions: number;
  /** Times that a connection was made again. */
  readonly reconnects: number;
  /** Gaps told to listeners. */
  readonly gaps: number;
}

/** The client's lasting relation to a server, over many sockets. Made by {@link connect}. */
export interface Connection {
  /** One immutable value a transition. */
  readonly status: ConnectionStatus;
  /** The status as a store, for UI libraries. */
  readonly state: Store<ConnectionStatus>;
  /** Listens until the function it returns is called. */
  on<Name extends keyof ConnectionEvents>(this: void, event: Name, listener: ConnectionEvents[Name]): () => void;
  /**
   * Drops the socket and connects anew at once; a closed or idle connection begins again. With `seamless` the next socket is
   * welcomed before the present one is left: calls in flight are answered on either, topics go on without a gap that
   * the history covers, and where the next one fails, the present one stays.
   */
  reconnect(options?: ReconnectRequest): void;
  /**
   * Puts another credentials function in the place of the one in force, at a login; `null` for a logout: no token from
   * now on. Connects anew at once, as another client. What is pending ends with `UNAUTHENTICATED`, positions and states
   * of topics are dropped, and what the former function is about to give is ignored. A connection that was closed for
   * missing or refused credentials (close code 4401) is woken by new ones: until then calls end with `UNAUTHENTICATED` at
   * once, and topics wait. One that is closed otherwise, suspended or idle stays so.
   * @throws TypeError for what is neither a function nor `null`
   */
  setAuth(auth: AuthOption | null): void;
  /** Something changed for the better (visible, online): probes a live socket, ends a wait, ends a suspension. Of a `lazy` one that is idle, nothing. */
  wake(): void;
  /** Drops the socket and all its timers until {@link wake}: nothing is lost that waits. One that is idle has none: it stays so. */
  suspend(reason?: string): void;
  /**
   * Ends it. What is pending settles at once: `CLOSED`, with its honest outcome; with `drain`, when it is done or the
   * time is up. A second call without `drain` does not wait. Resolves when it is closed.
   */
  close(options?: CloseOptions): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /**
   * Resolves when `stats().backlogBytes` is below the low watermark, at once when it is, and when the connection closes.
   * A producer that awaits it before each message never fills the queue.
   */
  drained(): Promise<void>;
  /**
   * The last 300 happenings as plain JSON, oldest first, for a bug report: states with causes and delays, close codes,
   * probes, failed calls, gaps, levels at congestion. Payloads, tokens and URLs' queries are never in it.
   */
  record(): readonly Happening[];
  /** Figures at this moment; cheap. */
  stats(): ConnectionStats;
}
