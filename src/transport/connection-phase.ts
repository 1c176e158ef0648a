import type { Liveness } from './liveness.ts';
import type { SocketLink } from './socket-link.ts';
import type { CloseCause, ConnectionStatus } from './transport.ts';

type Timer = ReturnType<typeof setTimeout>;
type StatusOf<State> = Extract<ConnectionStatus, { readonly state: State }>;

interface PhaseOf<State extends ConnectionStatus['state']> {
  readonly state: State;
  /** What the public sees of it: made once, handed out by identity. */
  readonly status: StatusOf<State>;
}

/** Getting URL and credentials, then a socket, then its welcome. */
export interface Connecting extends PhaseOf<'connecting'> {
  /** Limit of the whole attempt. */
  readonly timer: Timer;
  /** Its failure counts; not when a wake signal began it. */
  readonly counts: boolean;
  /** There until the app has given URL and credentials. */
  providers: AbortController | undefined;
  /** There after that. */
  socket: SocketLink | undefined;
  token: string | undefined;
}

/** A welcomed socket. */
export interface Connected extends PhaseOf<'connected'> {
  readonly socket: SocketLink;
  /** Absent where the app wants no heartbeat. */
  readonly liveness: Liveness | undefined;
  /** Monotonic time of the welcome, ms. */
  readonly welcomedAt: number;
}

/** Between two attempts. */
export interface Waiting extends PhaseOf<'waiting'> {
  readonly timer: Timer;
  /** Monotonic time at which the timer fires, ms. */
  readonly dueAt: number;
}

/** Where a transport is, with the socket and the timers that it owns there and nowhere else. */
export type Phase = PhaseOf<'idle'> | Connecting | Connected | Waiting | PhaseOf<'suspended'> | PhaseOf<'closed'>;

/** The socket that a phase owns. */
export function socketOf(phase: Phase): SocketLink | undefined {
  return phase.state === 'connecting' || phase.state === 'connected' ? phase.socket : undefined;
}

/** The end of a transport. */
export function closedPhase(cause: CloseCause): Phase {
  return { state: 'closed', status: { state: 'closed', cause } };
}
