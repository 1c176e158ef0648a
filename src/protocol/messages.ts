/** The messages of `tautline.v1` as they lie on the wire: see PROTOCOL.md for what each means. */

/** Subprotocol that both sides negotiate. */
export const SUBPROTOCOL = 'tautline.v1';

/**
 * Ids that a floor may except: those in flight at the client, of which no server allows more than 1024 calls, and some
 * to spare for streams. Of a constant number, as the client may come from a server with higher limits.
 */
export const MOST_FLOOR_EXCEPTIONS: number = 1024 + 64;

/** `[epoch, offset]`: a place in the history of one topic. */
export type Position = readonly [epoch: string, offset: number];

/** First message of the client on every socket. */
export interface Hello {
  readonly client: string;
  /** Number of this socket in the life of `client`. */
  readonly n: number;
  readonly floor: readonly [id: number, ...except: number[]];
  readonly token?: string | undefined;
  readonly codec?: string | undefined;
  readonly features?: readonly string[] | undefined;
  readonly sdk?: string | undefined;
}

/** What a server allows one socket. */
export interface WireLimits {
  readonly frameBytes: number;
  /** A message above it goes in parts; absent where the server takes none. See `parts.ts`. */
  readonly partBytes?: number | undefined;
  /** Largest message of a client that may come in parts. */
  readonly messageBytes?: number | undefined;
  readonly calls: number;
  readonly streams: number;
  readonly items: number;
  readonly subscriptions: number;
}

/** First message of the server on every socket. */
export interface Welcome {
  /** Random name of what the server remembers of this client. */
  readonly memory: string;
  /** Opaque, the same for the same identity. */
  readonly identity: string;
  /** Hint how long a client without a socket is remembered, ms. */
  readonly windowMs: number;
  readonly heartbeatMs: number;
  /** How wide the window is to be in which all clients of this server come back after a loss, ms. Nobody checks it. */
  readonly spreadMs?: unknown;
  readonly limits: WireLimits;
  /** Of the server's contract: for a client that named none, and compares. Nobody checks it. */
  readonly codec?: unknown;
  readonly features?: readonly string[] | undefined;
}

/** Headers of a call: `deadlineMs` is the time left when the message was written. */
export type Headers = Readonly<Record<string, unknown>> & { readonly deadlineMs?: number | undefined };

/** One problem that a schema found with what the client sent. */
export interface WireIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<string | number>;
}

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
  /** Of input alone: what is wrong with an output may tell of what nobody was to see. */
  readonly issues?: readonly WireIssue[] | undefined;
}

export interface GoAway {
  readonly reason: string;
  readonly afterMs: number;
  readonly withinMs: number;
}

/** How a subscription begins: a word that is not known is a gap. */
export type Continuity = 'live' | 'resumed' | 'gap';

type PayloadSlots = [json?: unknown, meta?: unknown];

export type ClientMessage =
  | readonly ['hello', Hello]
  | readonly ['call', id: number, path: string, headers?: Headers | null, ...PayloadSlots]
  | readonly ['open', id: number, path: string, headers: Headers | null, after: number, upTo: number, ...PayloadSlots]
  | readonly ['more', id: number, after: number, upTo: number]
  | readonly ['cancel', id: number]
  | readonly ['floor', id: number, ...except: number[]]
  | readonly ['subscribe', n: number, topic: string, position?: Position | null]
  | readonly ['unsubscribe', topic: string]
  | readonly ['publish', id: number, topic: string, ...PayloadSlots]
  | readonly ['auth', id: number, token: string]
  | readonly ['ping', n: number]
  | readonly ['pong', n: number];

export type ServerMessage =
  | readonly ['welcome', Welcome]
  | readonly ['reply', id: number, ...PayloadSlots]
  | readonly ['error', id: number, error: WireError, ...PayloadSlots]
  | readonly ['item', id: number, seq: number, ...PayloadSlots]
  | readonly ['done', id: number]
  | readonly ['subscribed', n: number, topic: string, position: Position, continuity: Continuity]
  | readonly ['snapshot', topic: string, position: Position, ...PayloadSlots]
  | readonly ['event', topic: string, offset: number, ...PayloadSlots]
  | readonly ['unsubscribed', n: number, topic: string, error: WireError]
  | readonly ['goaway', GoAway]
  | readonly ['ping', n: number, spreadMs?: unknown]
  | readonly ['pong', n: number];

/**
 * A known message whose slots are wrong, with the address that an answer needs:
 * `id` (call, open, publish, auth, …) or `n` and `topic` (subscribe). With neither, the frame is at fault.
 */
export interface Malformed {
  readonly name: string;
  readonly problem: string;
  readonly id?: number;
  readonly n?: number;
  readonly topic?: string;
}
