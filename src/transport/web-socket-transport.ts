import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction } from '../protocol/close-reaction.ts';
import type { AttemptOwner } from './attempt.ts';
import { Attempt } from './attempt.ts';
import { subprotocolProblem } from './attempt-failure.ts';
import type { Connected, Connecting, Phase } from './connection-phase.ts';
import {
  attemptOf,
  closedPhase,
  connectingPhase,
  endsOf,
  idlePhase,
  ownerOf,
  releasePhase,
  restingPhase,
  socketOf,
  socketsOf,
  waitingPhase,
} from './connection-phase.ts';
import { Credentials, type TransportParts } from './credentials.ts';
import type { Liveness } from './liveness.ts';
import { watch } from './liveness.ts';
import { isolateUser } from './isolated-user.ts';
import { LifecycleEngine } from './lifecycle-engine.ts';
import { Move, type MoveOwner } from './move.ts';
import { ReconnectSeries } from './reconnect-series.ts';
import type { SocketLink, SocketLinkEvents, Welcomed } from './socket-link.ts';
import { LEAVING } from './socket-link.ts';
import type { CloseCause, ConnectionStatus, LinkUser, ReconnectRequest, Transport } from './transport.ts';
import type { TransportOptions } from './transport-options.ts';
import { resolveTransportOptions } from './transport-options.ts';

/**
 * Keeps one WebSocket connected and welcomed. Nothing happens before `connect()`.
 * {@link Phase} shows what it can be in.
 *
 * A connected transport can move: a second socket, its successor, is opened while the first serves, and takes its place
 * when it is welcomed. One that fails changes nothing. The socket that was left may still answer, in limited time.
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
  #phase: Phase = idlePhase();
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
    const phase = this.#phase;
    if (phase.state === 'closed') this.reconnect();
    if (phase.state !== 'idle') return;
    const restMs = Math.ceil(phase.notBefore - performance.now());
    if (restMs > 0) this.#wait(restMs, this.#byApp(CloseCode.NORMAL, 'idle'), true);
    else this.#attempt(true);
  }

  rest(): void {
    const phase = this.#phase;
    if (phase.state === 'idle' || phase.state === 'suspended' || phase.state === 'closed') return;
    this.#enter(restingPhase(phase, this.#series), this.#byApp(CloseCode.NORMAL, 'idle'));
  }

  reconnect({ seamless = false }: ReconnectRequest = {}): void {
    if (seamless && this.#phase.state === 'connected') return this.#move(this.#phase);
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
    if (phase.state === 'connected') phase.socket.liveness?.probe();
    else if (phase.state === 'waiting') this.#hurry(phase.status.cause, phase.dueAt);
    else if (phase.state === 'suspended' && (phase.byHost || !byHost)) this.#hurry(this.#byApp(LEAVING, 'woken'));
  }

  /** The sockets of a page that was frozen are dead, whatever they say. */
  #restored(): void {
    const phase = this.#phase;
    if (phase.state !== 'connecting' && phase.state !== 'connected') this.#wake(true);
    // An attempt that an earlier signal of the same return began is none of those.
    else if (phase.state === 'connected' || !phase.attempt.isFresh)
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

  /** Clears what a phase owned. Its sockets end by the cause; without one the next phase has taken them over. */
  #leave(last: Phase, cause?: CloseCause): void {
    releasePhase(last);
    if (cause !== undefined) for (const [socket, end] of endsOf(last, cause)) this.#forget(socket, end);
  }

  /** Forgets a socket that belongs to no phase any more. */
  #forget(socket: SocketLink, cause: CloseCause): void {
    socket.abandon(cause.code, cause.reason);
    if (socket.announced) this.#user.lost(socket, cause);
  }

  #attempt(counts: boolean, cause?: CloseCause): void {
    this.#series.began(performance.now(), !counts);
    const phase = connectingPhase(new Attempt(this.#options, this.#attempts, this.#events, counts), this.#series);
    this.#enter(phase, cause);
    if (this.#phase === phase) this.#begin(phase.attempt);
  }

  #begin(attempt: Attempt): void {
    attempt.begin({ attempt: this.#series.attempt, reason: this.#series.authReason });
  }

  /** Opens a successor beside the socket that serves, unless there is one. */
  #move(phase: Connected): void {
    if (this.#phase !== phase || phase.move.successor !== undefined) return;
    this.#series.began(performance.now());
    phase.move.successor = new Attempt(this.#options, this.#attempts, this.#events, true);
    this.#begin(phase.move.successor);
  }

  readonly #attempts: AttemptOwner = {
    attemptFailed: (attempt, cause, slept) => {
      const phase = this.#phase;
      if (phase.state === 'connected') phase.move.failed(attempt, cause);
      if (phase.state !== 'connecting') return;
      this.#lose(phase, cause);
      if (slept) this.#wake(true);
    },
    attemptStopped: (attempt, cause) => {
      const phase = this.#phase;
      if (phase.state === 'connected') phase.move.failed(attempt, cause);
      else this.#enter(closedPhase(cause), cause);
    },
  };

  /** What sockets report; each first looks whether the socket is still the phase's. */
  readonly #events: SocketLinkEvents = {
    opened: (link) => {
      const attempt = attemptOf(this.#phase, link);
      if (attempt !== undefined) this.#opened(attempt, link);
    },
    frame: (link, frame) => {
      if (this.#heard(link)) this.#user.frame(link, frame);
    },
    binary: (link) => {
      if (this.#heard(link)) this.#user.binary(link);
    },
    ended: (link, end) => this.#ended(link, { ...end, opened: link.opened, by: 'peer' }),
    dropped: (link, code, reason) => this.#ended(link, { code, reason, opened: true, by: 'above' }),
    welcomed: (link, welcome) => {
      if (attemptOf(this.#phase, link) !== undefined) this.#welcomed(link, welcome);
    },
    leaving: (link, window) => {
      const phase = this.#phase;
      if (phase.state === 'connected' && phase.socket === link)
        phase.move.beginWithin(window, this.#options.random, () => this.#move(phase));
    },
  };

  #opened({ token }: Attempt, link: SocketLink): void {
    const problem = subprotocolProblem(link.protocol, this.#options.protocols);
    if (problem !== undefined) return this.#ended(link, problem);
    link.announced = true;
    this.#series.opened();
    this.#user.opened(link, token);
  }

  /** Any frame is life. `false` for a socket that is no longer the phase's, or that the layer above does not know. */
  #heard(link: SocketLink): boolean {
    link.liveness?.heard();
    const phase = this.#phase;
    if (phase.state === 'connected' && phase.socket === link) return true; // the usual case
    return link.announced && socketsOf(phase).includes(link);
  }

  #ended(link: SocketLink, cause: CloseCause): void {
    const phase = this.#phase;
    if (phase.state !== 'connected' || !phase.move.ended(link, phase.socket, cause))
      this.#lose(ownerOf(this.#phase, link), cause);
  }

  #welcomed(link: SocketLink, { heartbeatMs, resumed }: Welcomed): void {
    const last = this.#phase.state === 'connected' ? this.#phase : undefined;
    link.liveness = this.#watch(link, heartbeatMs);
    const owner: MoveOwner = {
      forget: (socket, cause) => this.#forget(socket, cause),
      failed: (cause) => this.#user.moveFailed(cause),
      lost: (cause) => this.#lose(phase, cause),
    };
    const phase: Connected = {
      state: 'connected',
      status: { state: 'connected', since: Date.now(), resumed },
      socket: link,
      welcomedAt: performance.now(),
      move: new Move(owner, last?.move.replaced === undefined ? last?.socket : undefined),
    };
    this.#enter(phase);
    last?.move.finish();
    if (last?.move.replaced !== undefined) this.#forget(last.socket, last.move.replaced);
  }

  #watch(link: SocketLink, hintMs: number): Liveness | undefined {
    const cause: CloseCause = { code: CloseCode.TIMED_OUT, reason: 'no sign of life', opened: true, by: 'probe' };
    return watch(this.#options.heartbeat, hintMs, { link, user: this.#user, dead: () => this.#ended(link, cause) });
  }

  /** Does nothing for a phase that is over. */
  #lose(phase: Connecting | Connected | undefined, cause: CloseCause): void {
    if (phase === undefined || this.#phase !== phase) return;
    const now = performance.now();
    const welcomed = phase.state === 'connected';
    const stable = welcomed && this.#series.isStable(phase.welcomedAt, now);
    const announced = socketOf(phase)?.leavingWindow(now);
    const loss = { cause, welcomed, stable, counts: welcomed || phase.attempt.counts, announced };
    const decision = this.#series.lost(loss, now);
    if (this.#phase !== phase) return; // the app's rule came back here
    if (decision.action === 'stop') return this.#enter(closedPhase(cause), cause);
    const successor = welcomed ? phase.move.handOver(cause) : undefined;
    if (successor !== undefined) this.#enter(connectingPhase(successor, this.#series), cause);
    // Lost on the way to a wake signal's answer: the signal came for this.
    else if (welcomed && phase.socket.liveness?.woken === true && closeReaction(cause.code) === 'retry')
      this.#wait(Math.min(decision.delayMs, this.#series.wakeRestMs(now)), cause, false);
    else this.#wait(decision.delayMs, cause, true);
  }

  #wait(delayMs: number, cause: CloseCause, counts: boolean): void {
    const phase = waitingPhase(this.#series, delayMs, cause, () => this.#attempt(counts));
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
