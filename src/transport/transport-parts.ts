import type { DelayWindow } from '../primitives/backoff.ts';
import type { LineLink } from './line-link.ts';
import type { CloseCause, ConnectionStatus, LinkUser } from './transport.ts';
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
  /** A delay that the limit of automatic connections allows, ms. */
  guarded(delayMs: number): number;
  /** Forgets a line that serves, or is to serve, no more. */
  forget(line: LineLink, cause: CloseCause): void;
  /** Tells the layer above. */
  tell(what: (user: LinkUser) => void): void;
  /** A line is lost that is none of the moves' any more. */
  ended(line: LineLink, cause: CloseCause): void;
}

/**
 * Moves a connection from one line to the next while it serves. It has the lines beside the present one: a successor
 * that is to take over, and a predecessor that may still answer. There are none unless the connection is connected.
 */
export interface Moves {
  /** Opens a successor, unless there is one; `false` where there is no connection to move. */
  begin(): boolean;
  /** Begins at a random moment of a window, if this is the present line. */
  beginWithin(line: LineLink, window: DelayWindow): void;
  /** Takes notice of the end of a line; `false` when that is the end of the present one, and no move mends it. */
  ended(line: LineLink, cause: CloseCause): boolean;
  /** The present line is lost: gives the successor, to go on in the place of an attempt. */
  handOver(cause: CloseCause): LineLink | undefined;
  /**
   * The transport entered a state, and it is in force: its line, if any, was `last` before it. Without a cause the line
   * is welcomed; with one all lines of the former state end with it. Gives what is left to do when the status was told.
   */
  entered(
    line: LineLink | undefined,
    last: LineLink | undefined,
    cause: CloseCause | undefined,
  ): (() => void) | undefined;
}

/** What a transport can do without. */
export interface TransportParts {
  readonly credentials?: CredentialSource | undefined;
  readonly watchHost?: ((options: ResolvedTransportOptions, actions: HostActions) => HostWatch) | undefined;
  readonly moves?: ((options: ResolvedTransportOptions, owner: MoveOwner) => Moves) | undefined;
}
