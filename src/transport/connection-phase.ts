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
  timer: Timer;
  /** Wall clock at its beginning, ms: by it a timer finds that the page slept. */
  readonly beganAt: number;
  /** Its failure counts; not when a wake signal began it, nor when the page slept through it. */
  counts: boolean;
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

/** Without a socket, without a timer, until it is woken. */
export interface Suspended extends PhaseOf<'suspended'> {
  /** The host may wake it: it was the host that put it to sleep. */
  readonly byHost: boolean;
}

/** Where a transport is, with the socket and the timers that it owns there and nowhere else. */
export type Phase = PhaseOf<'idle'> | Connecting | Connected | Waiting | Suspended | PhaseOf<'closed'>;

/** The socket that a phase owns. */
export function socketOf(phase: Phase): SocketLink | undefined {
  return phase.state === 'connecting' || phase.state === 'connected' ? phase.socket : undefined;
}

/** Clears the timers of a phase, and whoever it is waiting for. Its socket goes its own way. */
export function releasePhase(phase: Phase): void {
  switch (phase.state) {
    case 'connecting':
      clearTimeout(phase.timer);
      phase.providers?.abort();
      break;
    case 'connected':
      phase.liveness?.stop();
      break;
    case 'waiting':
      clearTimeout(phase.timer);
      break;
    case 'idle':
    case 'suspended':
    case 'closed':
      break;
    default:
      phase satisfies never;
  }
}

/** The end of a transport. */
export function closedPhase(cause: CloseCause): Phase {
  return { state: 'closed', status: { state: 'closed', cause } };
}
