import type { BrokerConnection } from '../brokers/broker.ts';

/** A client that says hello, after `authenticate` has spoken. */
export interface Opening {
  readonly client: string;
  readonly identity: string;
  /** Number of its socket: counts up. */
  readonly n: number;
}

/** The memory that a client has, on whichever server; or why it may not have it: another identity's, a newer socket. */
export type Opened =
  { readonly memory: string; readonly refused?: undefined } | { readonly refused: 'identity' | 'older' };

/** Whose memory it is; where its name is another by now, nothing is done. */
export interface MemoryName {
  readonly client: string;
  readonly memory: string;
}

/** A call that acts, before it is run. */
export interface ClaimRequest extends MemoryName {
  readonly id: number;
  /** What is called: a repeated id must name the same. */
  readonly key: string;
  /** It may be run again where the server that ran it is dead. */
  readonly idempotent: boolean;
}

/** What a store says of a call. */
export type Claim =
  /**
   * It is this server's to run, and to answer under this token. `mayHaveRun`: a server that is dead has begun it, which is
   * so of idempotent ones alone.
   */
  | { readonly kind: 'new'; readonly token: string; readonly mayHaveRun?: boolean | undefined }
  /** It runs, on a server that lives. */
  | { readonly kind: 'running' }
  | { readonly kind: 'answered'; readonly message: string }
  /** Whoever ran it is dead, or what came of it is forgotten: it is run by nobody any more. */
  | { readonly kind: 'unknown' }
  /** The id was used for something else. */
  | { readonly kind: 'other' }
  /** The memory is no more: its client must get another name. */
  | { readonly kind: 'gone' };

/** The message that settles a call which was claimed. */
export interface StoredAnswer extends ClaimRequest {
  readonly token: string;
  readonly message: string;
}

/**
 * What servers remember together of each client's calls (PROTOCOL.md, calls across sockets, rule 7), so that one that
 * lands on another server is run once. Each step is atomic. Where the store may have lost something, the memories that
 * it held have other names from then on.
 */
export interface CallStore {
  /** While it is away, clients are remembered by their server alone. @default it is always there */
  readonly connection?: BrokerConnection | undefined;
  /** Opens the memory of a client, a new one where there is none. */
  open(opening: Opening): Promise<Opened>;
  /** Claims a call for this server, in the order of the requests; asked again, tells what became of it. */
  claim(request: ClaimRequest): Promise<Claim>;
  /** Keeps an answer, as soon as the store can be reached; a claim that has lapsed meanwhile stays as it is. */
  answer(answer: StoredAnswer): Promise<void>;
  /** Forgets the ids below that the client has settled: all but some. */
  floor(of: MemoryName, below: number, except: readonly number[]): Promise<void>;
  /** The client's socket of this number is gone: its memory is kept for so long, unless it has a newer one. */
  leave(of: MemoryName, n: number, windowMs: number): Promise<void>;
  /** The client, whose socket of this number was the newest, will not come back. */
  forget(of: MemoryName, n: number): Promise<void>;
  /** Calls back when something may have become of calls of a client that run elsewhere; gives its undo. */
  watch(client: string, listener: () => void): () => void;
  /** Gives up its claims; what it had claimed is of unknown outcome. */
  close(): void | Promise<void>;
}

/** What a {@link CallStore} must have. */
export const CALL_STORE_METHODS = ['open', 'claim', 'answer', 'floor', 'leave', 'forget', 'watch', 'close'] as const;
