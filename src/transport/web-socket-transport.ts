import { CloseCode, closeReaction } from '../protocol/close-codes.ts';
import { timeoutCause } from './attempt-failure.ts';
import type { Connected, Connecting, Phase, Waiting } from './connection-phase.ts';
import { closedPhase, releasePhase, socketOf } from './connection-phase.ts';
import { Credentials, type TransportParts } from './credentials.ts';
import { dial } from './dial.ts';
import type { Liveness } from './liveness.ts';
import { watch } from './liveness.ts';
import { isolateUser } from './isolated-user.ts';
import { LifecycleEngine } from './lifecycle-engine.ts';
import { ReconnectSeries } from './reconnect-series.ts';
import type { SocketLink, SocketLinkEvents, Welcomed } from './socket-link.ts';
import { LEAVING } from './socket-link.ts';
import type { CloseCause, ConnectionStatus, LinkUser, Transport } from './transport.ts';
import type { TransportOptions } from './transport-options.ts';
import { resolveTransportOptions } from './transport-options.ts';

/** A timer that is later than this fired on a page that slept, ms. */
const LATE_MS = 1_000;

/**
 * Keeps one WebSocket connected and welcomed. Nothing happens before `connect()`.
 *
 * ```
 *            connect                welcomed
 *   idle ------------> connecting ------------> connected
 *                       |     ^                    |
 *        attempt failed |     | timer, wake        | lost
 *                       v     |                    |
 *                       waiting <------------------+
 *
 *   connecting, connected, waiting -- suspend ---> suspended -- wake --> connecting, or waiting for the rest of a
 *                                                  second in which another wake began an attempt
 *   any but closed ------------------ close -----> closed ---- connect -> connecting
 *   connecting, connected ----------- a loss that no retry can mend ----> closed
 *   any ----------------------------- reconnect -------------------------> connecting
 *   connecting, connected ----------- back from a freeze ----------------> connecting
 * ```
 *
 * A URL given as a string that no socket can be made from, and a missing WebSocket constructor, can't be mended by a
 * retry: `closed` with `by: 'app'` and what to do in `cause.error`. What a URL or credential function gives, or throws,
 * may be better next time: a failed attempt, `by: 'provider'`, unless it is a {@link StopReconnecting}.
 *
 * @throws TypeError or RangeError for wrong options
 */
export function createWebSocketTransport(user: LinkUser, options: TransportOptions, auth?: Credentials): Transport {
  const credentials = auth ?? new Credentials(options.auth);
  return new WebSocketTransport(user, { ...resolveTransportOptions(options), credentials });
}

class WebSocketTransport implements Transport {
  readonly #user: LinkUser;
  readonly #options: TransportParts;
  readonly #series: ReconnectSeries;
  #phase: Phase = { state: 'idle', status: { state: 'idle' } };
  readonly #host: LifecycleEngine;

  constructor(user: LinkUser, options: TransportParts) {
    this.#user = isolateUser(user, options.onError);
    this.#options = options;
    this.#series = new ReconnectSeries(options);
    this.#host = new LifecycleEngine(options, {
      wake: () => this.#wake(true),
      restored: () => this.#restored(),
      suspend: (reason) => this.#suspend(reason, true),
    });
  }

  get status(): ConnectionStatus {
    return this.#phase.status;
  }

  connect(): void {
    if (this.#phase.state === 'idle' || this.#phase.state === 'closed') this.reconnect();
  }

  reconnect(): void {
    this.#series.restart();
    this.#attempt(true, this.#byApp(LEAVING, 'reconnecting'));
  }

  wake(): void {
    this.#wake(false);
  }

  suspend(reason: string): void {
    this.#suspend(reason, false);
  }

  close(code: number = CloseCode.NORMAL, reason = ''): void {
    if (this.#phase.state === 'closed') return;
    const cause = this.#byApp(code, reason);
    this.#enter(closedPhase(cause), cause);
  }

  #wake(byHost: boolean): void {
    const phase = this.#phase;
    if (phase.state === 'connected') phase.liveness?.probe();
    else if (phase.state === 'waiting') this.#hurry(phase.status.cause, phase.dueAt);
    else if (phase.state === 'suspended' && (phase.byHost || !byHost)) this.#hurry(this.#byApp(LEAVING, 'woken'));
  }

  /** The sockets of a page that was frozen are dead, whatever they say. */
  #restored(): void {
    const phase = this.#phase;
    if (phase.state !== 'connecting' && phase.state !== 'connected') this.#wake(true);
    // An attempt that an earlier signal of the same return began is none of those.
    else if (phase.state === 'connected' || Math.abs(Date.now() - phase.beganAt) > LATE_MS)
      this.#hurry({ ...this.#byApp(LEAVING, 'the page was frozen'), by: 'host' });
  }

  #suspend(reason: string, byHost: boolean): void {
    const phase = this.#phase;
    if (phase.state === 'idle' || phase.state === 'closed') return;
    // The app's word is stronger: the host may not wake then.
    if (phase.state === 'suspended' && (byHost || !phase.byHost)) return;
    const status = { state: 'suspended', reason } as const;
    const cause = this.#byApp(LEAVING, reason);
    this.#enter({ state: 'suspended', status, byHost }, byHost ? { ...cause, by: 'host' } : cause);
  }

  #byApp(code: number, reason: string): CloseCause {
    return { code, reason, opened: socketOf(this.#phase)?.opened ?? false, by: 'app' };
  }

  /**
   * The one place that assigns the phase. It is in force before anything is told or let go, because aborting a
   * provider and telling the layer above run code that may come back here; then the status is that call's to tell.
   */
  #enter(next: Phase, cause?: CloseCause): void {
    const last = this.#phase;
    this.#phase = next;
    this.#leave(last, cause);
    if (this.#phase === next) this.#host.entered(next.state);
    if (this.#phase === next) this.#user.status(next.status);
  }

  /** Clears what a phase owned. Its socket ends by the cause; without one the next phase has taken it over. */
  #leave(last: Phase, cause?: CloseCause): void {
    releasePhase(last);
    const socket = socketOf(last);
    if (socket === undefined || cause === undefined) return;
    socket.abandon(cause.code, cause.reason);
    if (socket.announced) this.#user.lost(socket, cause);
  }

  #attempt(counts: boolean, cause?: CloseCause): void {
    const now = performance.now();
    this.#series.began(now, !counts);
    const providers = new AbortController();
    const phase: Connecting = {
      state: 'connecting',
      status: { state: 'connecting', attempt: this.#series.attempt, ...this.#series.reach },
      timer: setTimeout(() => this.#timedOut(phase), this.#options.connectTimeoutMs),
      beganAt: Date.now(),
      counts,
      providers,
      socket: undefined,
      token: undefined,
    };
    this.#enter(phase, cause);
    if (this.#phase === phase) this.#dial(phase, providers.signal);
  }

  #timedOut(phase: Connecting): void {
    const { connectTimeoutMs } = this.#options;
    if (Date.now() - phase.beganAt <= connectTimeoutMs + LATE_MS) {
      this.#lose(phase, timeoutCause(phase, connectTimeoutMs));
      return;
    }
    // The page slept. What came in the meantime is handled first; what has not come by then will not.
    phase.counts = false;
    phase.timer = setTimeout(() => {
      this.#lose(phase, timeoutCause(phase, connectTimeoutMs));
      this.#wake(true);
    }, 0);
  }

  #dial(phase: Connecting, signal: AbortSignal): void {
    const isCurrent = () => this.#phase === phase;
    void dial(
      this.#options,
      { attempt: phase.status.attempt, reason: this.#series.authReason, signal },
      {
        get current() {
          return isCurrent();
        },
        events: this.#events,
        provided(token) {
          phase.providers = undefined;
          phase.token = token;
        },
        dialled(link) {
          phase.socket = link;
        },
        failed: (cause) => this.#lose(phase, cause),
        stopped: (cause) => this.#enter(closedPhase(cause), cause),
      },
    );
  }

  /** What sockets report; each first looks whether the socket is still the phase's. */
  readonly #events: SocketLinkEvents = {
    opened: (link) => {
      const phase = this.#owner(link);
      if (phase?.state === 'connecting') this.#opened(phase, link);
    },
    frame: (link, frame) => {
      if (this.#heard(link)) this.#user.frame(link, frame);
    },
    binary: (link) => {
      if (this.#heard(link)) this.#user.binary(link);
    },
    ended: (link, end) => this.#lose(this.#owner(link), { ...end, opened: link.opened, by: 'peer' }),
    dropped: (link, code, reason) => this.#lose(this.#owner(link), { code, reason, opened: true, by: 'above' }),
    welcomed: (link, welcome) => {
      if (this.#owner(link)?.state === 'connecting') this.#welcomed(link, welcome);
    },
  };

  #opened({ token }: Connecting, link: SocketLink): void {
    const { protocols } = this.#options;
    if (protocols.length > 0 && !protocols.includes(link.protocol)) {
      const reason = `the server chose none of the subprotocols ${protocols.join(', ')}`;
      this.#lose(this.#owner(link), { code: CloseCode.SUBPROTOCOL, reason, opened: true, by: 'peer' });
      return;
    }
    link.announced = true;
    this.#series.opened();
    this.#user.opened(link, token);
  }

  /** Any frame is life. `false` for a socket that is no longer the phase's, or that the layer above does not know. */
  #heard(link: SocketLink): boolean {
    const phase = this.#owner(link);
    if (phase?.state === 'connected') phase.liveness?.heard();
    return phase !== undefined && link.announced;
  }

  #welcomed(link: SocketLink, { heartbeatMs, resumed }: Welcomed): void {
    const phase: Connected = {
      state: 'connected',
      status: { state: 'connected', since: Date.now(), resumed },
      socket: link,
      liveness: this.#watch(link, heartbeatMs),
      welcomedAt: performance.now(),
    };
    this.#enter(phase);
  }

  #watch(link: SocketLink, hintMs: number): Liveness | undefined {
    const cause: CloseCause = { code: CloseCode.TIMED_OUT, reason: 'no sign of life', opened: true, by: 'probe' };
    return watch(this.#options.heartbeat, hintMs, {
      probe: () => this.#user.probe(link),
      dead: () => this.#lose(this.#owner(link), cause),
    });
  }

  /** The phase, when this is its socket. */
  #owner(link: SocketLink): Connecting | Connected | undefined {
    const phase = this.#phase;
    return (phase.state === 'connecting' || phase.state === 'connected') && phase.socket === link ? phase : undefined;
  }

  /** Does nothing for a phase that is over. */
  #lose(phase: Connecting | Connected | undefined, cause: CloseCause): void {
    if (phase === undefined || this.#phase !== phase) return;
    const now = performance.now();
    const welcomed = phase.state === 'connected';
    const stable = welcomed && this.#series.isStable(phase.welcomedAt, now);
    const announced = phase.socket?.leavingWindow(now);
    const loss = { cause, welcomed, stable, counts: welcomed || phase.counts, announced };
    const decision = this.#series.lost(loss, now);
    if (this.#phase !== phase) return; // the app's rule came back here
    if (decision.action === 'stop') this.#enter(closedPhase(cause), cause);
    // Lost on the way to a wake signal's answer: the signal came for this.
    else if (welcomed && phase.liveness?.woken === true && closeReaction(cause.code) === 'retry')
      this.#wait(Math.min(decision.delayMs, this.#series.wakeRestMs(now)), cause, false);
    else this.#wait(decision.delayMs, cause, true);
  }

  #wait(delayMs: number, cause: CloseCause, counts: boolean): void {
    const { attempt, reach } = this.#series;
    const phase: Waiting = {
      state: 'waiting',
      status: { state: 'waiting', attempt, retryAt: Date.now() + delayMs, cause, ...reach },
      timer: setTimeout(() => this.#attempt(counts), delayMs),
      dueAt: performance.now() + delayMs,
    };
    this.#enter(phase, cause);
  }

  /** Tries now, or as soon as the last attempt that a wake signal began is a second old. */
  #hurry(cause: CloseCause, dueAt = Infinity): void {
    const now = performance.now();
    const restMs = this.#series.wakeRestMs(now);
    if (restMs === 0) this.#attempt(false, cause);
    else if (now + restMs < dueAt) this.#wait(restMs, cause, false);
  }
}
