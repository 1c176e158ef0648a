import type { LineLink } from './line-link.ts';
import type { Move } from './phase.ts';
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
  wake(): void;
  /** What lines there are, they are dead: connect anew. */
  restored(): void;
  suspend(reason: string): void;
}

/** Listens to the host while a connection lives. */
export interface HostWatch {
  /** The connection entered a state, and it is in force. May act before it returns. */
  entered(state: ConnectionStatus['state']): void;
}

/** What a move needs of its transport. */
export interface MoveOwner {
  /** [0, 1). */
  readonly random: () => number;
  /** Opens another line beside the present one, while that serves; `made` comes before anything else happens to it. */
  readonly dial: (made: (line: LineLink) => void) => void;
  /** Forgets a line that belongs to no phase any more. */
  readonly forget: (line: LineLink, cause: CloseCause) => void;
  /** The successor came to nothing, and the present line stays. */
  readonly failed: (cause: CloseCause) => void;
  /** The successor came to nothing, and the present line is gone. */
  readonly lost: (cause: CloseCause) => void;
}

/** What a transport can do without. */
export interface TransportParts {
  readonly credentials?: CredentialSource | undefined;
  readonly watchHost?: ((options: ResolvedTransportOptions, actions: HostActions) => HostWatch) | undefined;
  readonly moveFrom?:
    ((owner: MoveOwner, present: LineLink, predecessor: LineLink | undefined) => Move<LineLink>) | undefined;
}
