import type { DelayWindow } from '../primitives/backoff.ts';
import type { LineLink } from './line-link.ts';
import type { CloseCause, ConnectionStatus } from './transport.ts';
import type { AuthRequest, ResolvedTransportOptions } from './transport-options.ts';

/** Where the token of each attempt comes from. */
export interface CredentialSource {
  /** It can give other credentials. */
  readonly renewable: boolean;
  get(reason: AuthRequest['reason'], signal: AbortSignal): Promise<string | undefined>;
}

/** What signals of the host do to a connection. */
export interface HostActions {
  /** Probe, or try now; end a suspension that the host began. */
  wake(by: 'host'): void;
  /** What lines there are, they are dead: connect anew. */
  restored(): void;
  suspend(reason: string, by: 'host'): void;
}

/** Listens to the host while a connection lives. */
export interface HostWatch {
  /** The connection entered a state, and it is in force. May act before it returns. */
  entered(state: ConnectionStatus['state']): void;
}

/** What moves need of their transport. */
export interface MoveOwner {
  /** A line that is not dialled yet. */
  newLine(): LineLink;
  dial(line: LineLink): void;
  /** Forgets a line that serves, or is to serve, no more. */
  forget(line: LineLink, cause: CloseCause): void;
  /** The successor came to nothing, and the present line stays. */
  moveFailed(cause: CloseCause): void;
  /** The present line is lost. */
  lose(cause: CloseCause): void;
}

/**
 * Moves a connection from one line to the next while it serves. It has the lines beside the present one: a successor
 * that is to take over, and a predecessor that may still answer. There are none unless the connection is connected.
 */
export interface Moves {
  /** Opens a successor, unless there is one. */
  begin(): void;
  /** Begins at a random moment of a window. */
  beginWithin(window: DelayWindow): void;
  /** Takes notice of the end of a line; `false` when that is the end of the present one, and no move mends it. */
  ended(line: LineLink, cause: CloseCause): boolean;
  /** The present line is lost: gives the successor, to go on in the place of an attempt. */
  handOver(cause: CloseCause): LineLink | undefined;
  /** A line is welcomed; `last` was the present one before, and may be the same. Nothing is told. */
  welcomed(line: LineLink, last: LineLink | undefined): void;
  /** It serves: tells of those that have to go for it. */
  finish(): void;
  /** The connection is connected no more: forgets its lines, and clears its timers. */
  end(cause: CloseCause): void;
}

/** What a transport can do without. */
export interface TransportParts {
  readonly credentials?: CredentialSource | undefined;
  readonly watchHost?: ((options: ResolvedTransportOptions, actions: HostActions) => HostWatch) | undefined;
  readonly moves?: ((options: ResolvedTransportOptions, owner: MoveOwner) => Moves) | undefined;
}
