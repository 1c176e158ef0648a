import type { ConnectionStatus } from './transport.ts';
import type { WebSocketAttempt } from './web-socket-attempt.ts';

type Timer = ReturnType<typeof setTimeout>;

/** Getting URL and protocols, then a native socket, then its `open`. */
export interface Connecting {
  readonly state: 'connecting';
  /** Limit of the whole attempt. */
  readonly timer: Timer;
  /** Its failure counts; not when a wake signal began it. */
  readonly counts: boolean;
  /** There until the app has given URL and protocols. */
  providers: AbortController | undefined;
  /** There after that. */
  socket: WebSocketAttempt | undefined;
}

/** An open socket. */
export interface Open {
  readonly state: 'open';
  readonly socket: WebSocketAttempt;
  /** Monotonic time, ms. */
  readonly openedAt: number;
}

/** Between two attempts. */
export interface Waiting {
  readonly state: 'waiting';
  readonly timer: Timer;
}

/** `close()` was called. */
export interface Closing {
  readonly state: 'closing';
  /** Absent where there was none that had opened: then the end is only a task away. */
  readonly socket: WebSocketAttempt | undefined;
  readonly timer: Timer;
}

/**
 * Where a `ReconnectingWebSocket` is, with the socket and the timer that it owns there and nowhere else:
 *
 * ```
 * connecting -> open -> lost -> waiting -> connecting …     connecting -> waiting
 * connecting | open | waiting -> closing -> closed          connecting | open | lost -> closed
 * ```
 * `lost` lasts while listeners are told of a socket that another will follow.
 */
export type Phase = Connecting | Open | { readonly state: 'lost' } | Waiting | Closing | { readonly state: 'closed' };

/** The socket that a phase owns. */
export function socketOf(phase: Phase): WebSocketAttempt | undefined {
  return 'socket' in phase ? phase.socket : undefined;
}

/** The same, as the host's lifecycle knows it. A closing socket is left alone. */
export function lifecycleState({ state }: Phase): ConnectionStatus['state'] {
  switch (state) {
    case 'open':
      return 'connected';
    case 'lost':
      return 'waiting';
    case 'closing':
      return 'closed';
    default:
      return state;
  }
}
