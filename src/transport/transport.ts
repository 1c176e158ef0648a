/** Why a socket ended, or why an attempt never got one. */
export interface CloseCause {
  /** Close code of the peer or the engine, or the one the client would have given; 1006 when there was none. */
  readonly code: number;
  readonly reason: string;
  /** The socket had opened. */
  readonly opened: boolean;
  /**
   * Who ended it: the `peer` (or the network), a `timeout` of ours while connecting, an unanswered `probe`,
   * the code `above` the transport, a `provider` (what was given as URL, credentials or WebSocket let no attempt begin),
   * the `host` (a page that was frozen), or the `app` itself.
   */
  readonly by: 'peer' | 'timeout' | 'probe' | 'above' | 'provider' | 'host' | 'app';
  /** What was thrown, where something was. */
  readonly error?: unknown;
}

/** State of a connection: one immutable value a transition, handed out by identity. */
export type ConnectionStatus =
  | { readonly state: 'idle' }
  | {
      readonly state: 'connecting';
      /** Number of this attempt, from 1. */
      readonly attempt: number;
      /** There when 5 attempts in a row have failed and no socket ever opened: a wrong URL, a blocked port, no server. */
      readonly unreachable?: true;
    }
  | {
      readonly state: 'connected';
      /** Wall clock, ms since the epoch. */
      readonly since: number;
      /** The server still knew this client: nothing that was acknowledged can have been forgotten. */
      readonly resumed: boolean;
    }
  | {
      readonly state: 'waiting';
      /** Number of the attempt that comes next, from 1. */
      readonly attempt: number;
      /** Wall clock of the next attempt, ms since the epoch. */
      readonly retryAt: number;
      readonly cause: CloseCause;
      /** As in `connecting`. It goes on trying. */
      readonly unreachable?: true;
    }
  | { readonly state: 'suspended'; readonly reason: string }
  /** No new work is taken; what there is, is waited for. Told by the connection: its socket still serves. */
  | { readonly state: 'closing' }
  | { readonly state: 'closed'; readonly cause: CloseCause };

/** How a connection is made anew. */
export interface ReconnectRequest {
  /**
   * Keep the present socket until the next one is welcomed, so that there is no moment without a connection. Where the
   * next one fails, the present one stays. Without a connection it makes no difference.
   * @default false
   */
  readonly seamless?: boolean | undefined;
}

/** One socket in the life of a connection. What was sent on it can be answered on it only. */
export interface Link {
  /** Hands a frame to the socket; `false` when the socket is gone. Never throws. */
  send(frame: string): boolean;
  /** Bytes that the socket has not yet passed on; `undefined` where the engine does not tell. */
  readonly bufferedAmount: number | undefined;
  /**
   * What the peer said last: how wide the window is in which all of its clients come back after a loss, ms. What is no
   * number, 0 or more, says nothing.
   */
  spreadMs?: unknown;
  /** The peer acknowledged the handshake: the connection is connected. A second call does nothing. */
  welcomed(welcome: { readonly heartbeatMs: number; readonly resumed: boolean }): void;
  /**
   * The peer said that it will go: after `afterMs`, at a random moment within `withinMs`. The connection moves to
   * another socket in that window; a loss that comes first is retried in it, not before it begins.
   */
  leaving(announced: { readonly afterMs: number; readonly withinMs: number }): void;
  /** Gives the socket up, closing it with this code; the reconnect policy reads the code as if the peer had sent it. */
  drop(code: number, reason: string): void;
}

/** What lies above a transport: it makes sense of frames. */
export interface LinkUser {
  /** The socket is open: write the greeting. */
  opened(link: Link, token: string | undefined): void;
  frame(link: Link, frame: string): void;
  /** The peer sent bytes that are no text frame. */
  binary(link: Link): void;
  /** Write something that the peer must answer: any frame in return proves life. */
  probe(link: Link): void;
  /** Nothing was sent for the interval: the peer must not think that nobody is there. */
  silent(link: Link): void;
  /** Bytes that were written to it and that the peer is not known to have taken in: a probe waits behind them. */
  unanswered(link: Link): number;
  /** The link is gone: comes once for each that opened, before the status that follows from it. */
  lost(link: Link, cause: CloseCause): void;
  /** The socket that was to take the place of the present one failed: the present one goes on. */
  moveFailed(cause: CloseCause): void;
  /** The connection entered another state. Called after the state is in force. */
  entered(status: ConnectionStatus): void;
}

/** Keeps at most one welcomed socket alive, and comes back. Frames in, frames out: knows no messages. */
export interface Transport {
  readonly status: ConnectionStatus;
  /**
   * Leaves `idle` (or `closed`) for a first attempt; does nothing in other states. After {@link rest} it is not sooner
   * than the next attempt would have been without it.
   */
  connect(): void;
  /**
   * Nobody needs the connection: drops the socket, with 1000, and all timers until {@link connect} or
   * {@link reconnect}. Does nothing where there is none and none is tried for.
   */
  rest(): void;
  /** Something changed for the better: probes a live socket, ends a wait (at most one such attempt a second), leaves `suspended`. */
  wake(): void;
  /** Drops the socket and all timers until {@link wake}. */
  suspend(reason: string): void;
  /** Drops the socket, if any, and starts a fresh series of attempts at once; or moves, see {@link ReconnectRequest}. */
  reconnect(options?: ReconnectRequest): void;
  /** Ends it: closes the socket with 1000 (or this code) and forgets it without waiting. */
  close(code?: number, reason?: string): void;
}
