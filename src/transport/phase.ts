import type { DelayWindow } from '../primitives/backoff.ts';
import type { Line } from './line.ts';
import type { CloseCause, ConnectionStatus } from './transport.ts';

type Timer = ReturnType<typeof setTimeout>;
type StatusOf<State> = Extract<ConnectionStatus, { readonly state: State }>;

interface PhaseOf<State extends ConnectionStatus['state']> {
  /** What the public sees of it: made once, handed out by identity. */
  readonly status: StatusOf<State>;
}

/** Nobody needs a connection. */
export interface Idle extends PhaseOf<'idle'> {
  /** Monotonic time, ms: what was to be waited for when it came to rest is waited for still. */
  readonly at: number;
}

/** Getting a first line, or the next. */
export interface Connecting<L extends Line> extends PhaseOf<'connecting'> {
  readonly line: L;
}

/** A line that serves. */
export interface Connected<L extends Line> extends PhaseOf<'connected'> {
  readonly line: L;
  /** Monotonic time from which on it served, ms. */
  readonly at: number;
  /** There where the connection can move from one line to another. */
  move?: Move<L> | undefined;
}

/** Between two attempts. */
export interface Waiting extends PhaseOf<'waiting'> {
  /** None while it is only being told that the last line is lost. */
  readonly timer?: Timer;
  /** Monotonic time at which the timer fires, ms. */
  readonly at: number;
}

/** Without a line, without a timer, until it is woken. */
export interface Suspended extends PhaseOf<'suspended'> {
  /** The host may wake it: it was the host that put it to sleep. */
  readonly byHost: boolean;
}

/** Waits for the peer to agree to the end. */
export interface Closing<L extends Line> extends PhaseOf<'closing'> {
  /** Absent where there was none that had opened: then the end is only a task away. */
  readonly line?: L | undefined;
  readonly timer: Timer;
}

/**
 * Where a connection is, with the lines and the timers that it owns there and nowhere else.
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
 *
 * `ReconnectingWebSocket` has the same, without `idle`, `suspended` and moves; its `close` leads to `closing` and waits there
 * for the peer, and while the listeners of a lost socket are told, it is `waiting` without a timer.
 */
export type Phase<L extends Line> =
  Idle | Connecting<L> | Connected<L> | Waiting | Suspended | Closing<L> | PhaseOf<'closed'>;

/** What moves a connection from one line to the next while it serves: see `moves/`. */
export interface Move<L extends Line> {
  /** Lines beside the present one. */
  readonly lines: readonly L[];
  /** The line that is to take over. */
  readonly successor: L | undefined;
  /** The peer closed the present line because the successor said hello: only the welcome is missing. */
  readonly replaced: CloseCause | undefined;
  /** Opens a successor, unless there is one. */
  begin(): void;
  /** Begins at a random moment of a window. */
  beginWithin(window: DelayWindow): void;
  /** Takes notice of the end of a line; `false` when that is the end of the present one, and no move mends it. */
  ended(line: L, cause: CloseCause): boolean;
  /** The present line is lost: gives the successor, to go on in the place of an attempt. */
  handOver(cause: CloseCause): L | undefined;
  /** The successor serves: of three lines the oldest goes at once. */
  finish(): void;
  /** Clears its timers. The lines go their own way. */
  release(): void;
}

/** The line by which a phase stands or falls. */
export function lineOf<L extends Line>(phase: Phase<L>): L | undefined {
  return 'line' in phase ? phase.line : undefined;
}

/** All lines that a phase owns; more than one only while a connection moves. */
export function linesOf<L extends Line>(phase: Phase<L>): readonly L[] {
  const line = lineOf(phase);
  if (line === undefined) return [];
  return 'move' in phase ? [line, ...(phase.move?.lines ?? [])] : [line];
}

/** Clears the timers of a phase. */
export function releasePhase<L extends Line>(phase: Phase<L>): void {
  if ('timer' in phase) clearTimeout(phase.timer);
  if ('move' in phase) phase.move?.release();
}
