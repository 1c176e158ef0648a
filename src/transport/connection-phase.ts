import type { Attempt } from './attempt.ts';
import type { Move } from './move.ts';
import type { ReconnectSeries } from './reconnect-series.ts';
import { LEAVING, type SocketLink } from './socket-link.ts';
import type { CloseCause, ConnectionStatus } from './transport.ts';

type Timer = ReturnType<typeof setTimeout>;
type StatusOf<State> = Extract<ConnectionStatus, { readonly state: State }>;

interface PhaseOf<State extends ConnectionStatus['state']> {
  readonly state: State;
  /** What the public sees of it: made once, handed out by identity. */
  readonly status: StatusOf<State>;
}

/** Nobody needs a connection. */
export interface Idle extends PhaseOf<'idle'> {
  /** Monotonic time, ms: what was to be waited for when it came to rest is waited for still. */
  readonly notBefore: number;
}

/** Getting a first socket, or the next. */
export interface Connecting extends PhaseOf<'connecting'> {
  readonly attempt: Attempt;
}

/** A welcomed socket. */
export interface Connected extends PhaseOf<'connected'> {
  readonly socket: SocketLink;
  /** Monotonic time of the welcome, ms. */
  readonly welcomedAt: number;
  readonly move: Move;
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

/**
 * Where a transport is, with the sockets and the timers that it owns there and nowhere else.
 *
 * ```
 *            connect                welcomed
 *   idle ------------> connecting ------------> connected
 *                       |     ^                    |
 *        attempt failed |     | timer, wake        | lost
 *                       v     |                    |
 *                       waiting <------------------+
 *
 *   connecting, connected, waiting -- rest ------> idle ------ connect -> connecting, or waiting for what is left of the
 *                                                  delay that it rested in, or of the minute of the rate guard
 *   connecting, connected, waiting -- suspend ---> suspended -- wake --> connecting, or waiting for the rest of a
 *                                                  second in which another wake began an attempt
 *   any but closed ------------------ close -----> closed ---- connect -> connecting
 *   connecting, connected ----------- a loss that no retry can mend ----> closed
 *   any ----------------------------- reconnect -------------------------> connecting
 *   connecting, connected ----------- back from a freeze ----------------> connecting
 *   connected ----------------------- successor welcomed ----------------> connected
 *   connected ----------------------- lost, with a successor under way --> connecting
 * ```
 */
export type Phase = Idle | Connecting | Connected | Waiting | Suspended | PhaseOf<'closed'>;

/** What a phase tells of the attempts before it. */
interface Attempts {
  /** Number of the attempt that comes next, or goes on. */
  readonly attempt: number;
  readonly reach: { readonly unreachable?: true };
}

/** Before the first attempt, or after others. */
export function idlePhase(notBefore: number = -Infinity): Idle {
  return { state: 'idle', status: { state: 'idle' }, notBefore };
}

/** Nobody needs the connection any more. Rest makes no attempt come sooner. */
export function restingPhase(last: Connecting | Connected | Waiting, series: ReconnectSeries): Idle {
  const now = performance.now();
  if (last.state === 'connected' && series.isStable(last.welcomedAt, now)) series.restart();
  return idlePhase(Math.max(now + series.guardMs(now), last.state === 'waiting' ? last.dueAt : now));
}

/** An attempt goes on. */
export function connectingPhase(attempt: Attempt, series: Attempts): Connecting {
  return { state: 'connecting', status: { state: 'connecting', attempt: series.attempt, ...series.reach }, attempt };
}

/** The next attempt comes after a delay. */
export function waitingPhase(series: Attempts, delayMs: number, cause: CloseCause, timeUp: () => void): Waiting {
  const { attempt, reach } = series;
  return {
    state: 'waiting',
    status: { state: 'waiting', attempt, retryAt: Date.now() + delayMs, cause, ...reach },
    timer: setTimeout(timeUp, delayMs),
    dueAt: performance.now() + delayMs,
  };
}

/** The attempt whose socket this is, while it waits for its welcome: as the first, or as a successor. */
export function attemptOf(phase: Phase, link: SocketLink): Attempt | undefined {
  const attempt =
    phase.state === 'connected' ? phase.move.successor : phase.state === 'connecting' ? phase.attempt : undefined;
  return attempt?.socket === link ? attempt : undefined;
}

/** The phase, when it stands or falls by this socket. */
export function ownerOf(phase: Phase, link: SocketLink): Connecting | Connected | undefined {
  if (phase.state === 'connected') return phase.socket === link ? phase : undefined;
  return phase.state === 'connecting' && phase.attempt.socket === link ? phase : undefined;
}

/** The socket by which a phase stands or falls. */
export function socketOf(phase: Phase): SocketLink | undefined {
  if (phase.state === 'connected') return phase.socket;
  return phase.state === 'connecting' ? phase.attempt.socket : undefined;
}

/** All sockets that a phase owns; more than one only while a connection moves. */
export function socketsOf(phase: Phase): readonly SocketLink[] {
  const present = socketOf(phase);
  if (present === undefined) return [];
  return phase.state === 'connected' ? [present, ...phase.move.sockets] : [present];
}

/** How the sockets of a phase end with it: what a peer said of one of them concerns none of the others. */
export function endsOf(phase: Phase, cause: CloseCause): ReadonlyArray<readonly [SocketLink, CloseCause]> {
  const present = socketOf(phase);
  const concernsAll = cause.by === 'app' || cause.by === 'host';
  return socketsOf(phase).map((socket) => [
    socket,
    concernsAll || socket === present ? cause : { code: LEAVING, reason: 'lost', opened: socket.opened, by: 'app' },
  ]);
}

/** Clears the timers of a phase, and whoever it is waiting for. Its sockets go their own way. */
export function releasePhase(phase: Phase): void {
  switch (phase.state) {
    case 'connecting':
      phase.attempt.release();
      break;
    case 'connected':
      phase.move.release();
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
