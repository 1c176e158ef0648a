import type { DelayWindow } from '../primitives/backoff.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction } from '../protocol/close-reaction.ts';
import { noWebSocket } from './hopeless-error.ts';
import { causeOf, LATE_MS, LEAVING } from './line.ts';
import { LineLink, type LineLinkOwner, type Welcomed } from './line-link.ts';
import { ReconnectPolicy } from './reconnect-policy.ts';
import { resolveSocketUrl } from './socket-url.ts';
import type { CloseCause, ConnectionStatus, LinkUser, ReconnectRequest, Transport } from './transport.ts';
import type { ResolvedTransportOptions } from './transport-options.ts';
import type { HostActions, HostWatch, MoveOwner, Moves, TransportParts } from './transport-parts.ts';

type Timer = ReturnType<typeof setTimeout>;

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
 *   connecting, connected, waiting -- rest ------> idle ------ connect -> connecting, or waiting for what is left of the
 *                                                  delay that it rested in, or of the minute of the rate guard
 *   connecting, connected, waiting -- suspend ---> suspended -- wake --> connecting, or waiting for the rest of a
 *                                                  second in which another wake began an attempt
 *   any but closed, closed for its credentials -- close -----> closed ---- connect -> connecting
 *   connecting, connected ----------- a loss that no retry can mend ----> closed
 *   any ----------------------------- reconnect -------------------------> connecting
 *   connecting, connected ----------- back from a freeze ----------------> connecting
 *   connecting ---------------------- not welcomed in 2 s after a wake ---> connecting
 *   connected ----------------------- successor welcomed ----------------> connected
 *   connected ----------------------- lost, with a successor under way --> connecting
 * ```
 *
 * A connected transport can move: a second line, its successor, is opened while the first serves, and takes its place
 * when it is welcomed. One that fails changes nothing. The line that was left may still answer, in limited time.
 *
 * A URL given as a string that no socket can be made from, and a missing WebSocket constructor, can't be mended by a
 * retry: `closed`, `by: 'provider'`, with what to do in `cause.error`. What a URL or credential function gives, or throws,
 * may be better next time: a failed attempt, unless it is a {@link StopReconnecting}.
 */
export class WebSocketTransport implements Transport, LineLinkOwner, HostActions, MoveOwner {
  /** Made once for each state that is entered: its identity says whether the transport is still in it. */
  status: ConnectionStatus = { state: 'idle' };
  readonly #user: LinkUser;
  readonly #options: ResolvedTransportOptions;
  readonly #parts: TransportParts;
  readonly #policy: ReconnectPolicy;
  readonly #host: HostWatch | undefined;
  readonly #moves: Moves | undefined;
  /** The line by which `connecting` and `connected` stand or fall; none in other states. */
  #line: LineLink | undefined;
  /** Of the next attempt: in `waiting` alone. */
  #timer: Timer | undefined;
  /** Monotonic time before which no attempt begins by itself, ms: in `waiting`, and in `idle` what was left of it. */
  #at = -Infinity;
  /** The host may wake it in `suspended` if it was the host that put it to sleep. */
  #suspendedBy: 'app' | 'host' | undefined;

  constructor(user: LinkUser, options: ResolvedTransportOptions, parts: TransportParts) {
    this.#user = user;
    this.#options = options;
    this.#parts = parts;
    this.#policy = new ReconnectPolicy(options, parts.credentials);
    this.#host = parts.watchHost?.(options, this);
    this.#moves = parts.moves?.(options, this);
  }

  connect(): void {
    const { state } = this.status;
    if (state === 'closed') this.reconnect();
    else if (state === 'idle') {
      const restMs = Math.ceil(this.#at - performance.now());
      this.#attemptIn(restMs, this.#cause(CloseCode.NORMAL, 'idle'), true);
    }
  }

  /** Rest makes no attempt come sooner. */
  rest(): void {
    const line = this.#line;
    // Nothing is under way: idle, suspended or closed.
    if (!line && !this.#timer) return;
    const now = performance.now();
    if (line) this.#policy.ended(line, now);
    const at = Math.max(now + this.#policy.guardMs(now), this.#at);
    this.#enter({ state: 'idle' }, this.#cause(CloseCode.NORMAL, 'idle'), undefined, undefined, at);
  }

  reconnect({ seamless = false }: ReconnectRequest = {}): void {
    if (seamless && this.#moves?.begin()) return;
    this.#policy.restart();
    this.#attempt(true, this.#cause(LEAVING, 'reconnecting'));
  }

  wake(by: 'app' | 'host' = 'app'): void {
    const { status } = this;
    if (this.#line) this.#line.wake();
    else if (status.state === 'waiting') this.#hurry(status.cause);
    else if (status.state === 'suspended' && (by === 'app' || this.#suspendedBy === 'host'))
      this.#hurry(this.#cause(LEAVING, 'woken'));
  }

  /** The lines of a page that was frozen are dead, whatever they say. */
  restored(): void {
    const line = this.#line;
    if (!line) this.wake('host');
    // An attempt that an earlier signal of the same return began is none of those, as far as the wall clock knows.
    else if (line.welcomedAt < Infinity || Math.abs(Date.now() - line.beganAt) > LATE_MS)
      this.#hurry(this.#cause(LEAVING, 'the page was frozen', 'host'));
  }

  suspend(reason: string, by: 'app' | 'host' = 'app'): void {
    const { state } = this.status;
    if (state === 'idle' || state === 'closed') return;
    // The app's word is stronger: the host may not wake then.
    if (state === 'suspended' && (by === 'host' || this.#suspendedBy === 'app')) return;
    this.#suspendedBy = by;
    this.#enter({ state: 'suspended', reason }, this.#cause(LEAVING, reason, by));
  }

  close(code: number = CloseCode.NORMAL, reason = ''): void {
    const { status } = this;
    // One that was closed for its credentials may be woken by others: not any more.
    if (status.state !== 'closed' || closeReaction(status.cause.code) === 'credentials')
      this.#close(this.#cause(code, reason));
  }

  #close(cause: CloseCause): void {
    this.#enter({ state: 'closed', cause }, cause);
  }

  #cause(code: number, reason: string, by: CloseCause['by'] = 'app'): CloseCause {
    return causeOf(this.#line, code, reason, by);
  }

  /**
   * The one place that assigns what belongs to a state. It is in force before anything is told or let go, because
   * aborting a provider and telling the layer above run code that may come back here; then the status is that call's to
   * tell.
   * @param cause - How the lines of the last state end; without one the next state has taken them over.
   */
  #enter(status: ConnectionStatus, cause?: CloseCause, line?: LineLink, timer?: Timer, at = -Infinity): void {
    const last = this.#line;
    clearTimeout(this.#timer);
    this.status = status;
    this.#line = line;
    this.#timer = timer;
    this.#at = at;
    if (cause && last) this.forget(last, cause);
    const rest = this.#moves?.entered(line, last, cause);
    if (this.status === status) this.#host?.entered(status.state);
    if (this.status === status) this.tell((user) => user.entered(status));
    rest?.();
  }

  forget(line: LineLink, cause: CloseCause): void {
    line.abandon(cause.code, cause.reason);
    if (line.announced) this.tell((user) => user.lost(line, cause));
  }

  /** What the layer above throws is reported and changes nothing. */
  tell<Answer>(what: (user: LinkUser) => Answer): Answer | undefined {
    try {
      return what(this.#user);
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  #attempt(counts: boolean, cause: CloseCause): void {
    const line = this.newLine(counts);
    this.#connecting(line, cause);
    if (this.#line === line) this.dial(line);
  }

  #connecting(line: LineLink, cause: CloseCause): void {
    this.#enter({ state: 'connecting', ...this.#policy.outlook }, cause, line);
  }

  guarded(delayMs: number): number {
    return this.#policy.guarded(delayMs, performance.now());
  }

  newLine(counts = true): LineLink {
    this.#policy.began(performance.now(), !counts);
    return new LineLink(this, this.#options.connectTimeoutMs, counts);
  }

  dial(line: LineLink): void {
    const { url, protocols, WebSocket = globalThis.WebSocket } = this.#options;
    const { authReason, outlook } = this.#policy;
    if (!WebSocket) line.cannotDial(noWebSocket(), true);
    else
      void line.ask(
        // Async, so that a function of the app that throws and one that rejects are the same.
        async (signal) =>
          Promise.all([
            typeof url === 'function' ? url({ attempt: outlook.attempt, signal }) : url,
            this.#parts.credentials?.get(authReason, signal),
          ]),
        ([given, token]) => {
          line.token = token;
          line.dial(WebSocket, resolveSocketUrl(given), protocols);
        },
        typeof url !== 'function',
      );
  }

  opened(line: LineLink): void {
    const { protocols } = this.#options;
    if (protocols[0] && !protocols.includes(line.socket!.protocol)) {
      const reason = `the server chose none of the subprotocols ${protocols.join(', ')}`;
      this.ended(line, causeOf(line, CloseCode.SUBPROTOCOL, reason, 'peer'));
      return;
    }
    line.announced = true;
    this.#policy.reached = true;
    this.tell((user) => user.opened(line, line.token));
  }

  /** Any frame is life. One of a line that the layer above does not know is not passed on. */
  message(line: LineLink, data: unknown): void {
    line.heard();
    if (!line.announced) return;
    try {
      if (typeof data === 'string') this.#user.frame(line, data);
      else this.#user.binary(line);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  leaving(line: LineLink, window: DelayWindow): void {
    this.#moves?.beginWithin(line, window);
  }

  welcomed(line: LineLink, { heartbeatMs, resumed }: Welcomed): void {
    const { heartbeat } = this.#options;
    if (heartbeat) line.watch(heartbeat, heartbeatMs);
    this.#enter({ state: 'connected', since: Date.now(), resumed }, undefined, line);
  }

  /** The one place where it is decided what follows a lost line or a failed attempt. */
  ended(line: LineLink, cause: CloseCause, isFinal = false): void {
    if (this.#moves?.ended(line, cause) || line !== this.#line) return;
    const now = performance.now();
    const delayMs = isFinal ? Infinity : this.#policy.lost(cause, line, now);
    if (line !== this.#line) return; // the app's rule came back here
    if (delayMs === Infinity) return this.#close(cause);
    const successor = this.#moves?.handOver(cause);
    if (successor) return this.#connecting(successor, cause);
    // Lost on the way to a wake signal's answer: the signal came for this.
    const woken = line.woken && closeReaction(cause.code) === 'retry';
    this.#wait(woken ? Math.min(delayMs, this.#policy.wakeRestMs(now)) : delayMs, cause, !woken);
    // The page slept through the attempt.
    if (woken && line.welcomedAt === Infinity) this.wake('host');
  }

  #wait(delayMs: number, cause: CloseCause, counts: boolean): void {
    this.#enter(
      { state: 'waiting', retryAt: Date.now() + delayMs, cause, ...this.#policy.outlook },
      cause,
      undefined,
      setTimeout(() => this.#attempt(counts, cause), delayMs),
      performance.now() + delayMs,
    );
  }

  #attemptIn(delayMs: number, cause: CloseCause, counts: boolean): void {
    if (delayMs > 0) this.#wait(delayMs, cause, counts);
    else this.#attempt(counts, cause);
  }

  /** Tries now, or as soon as the last attempt that a wake signal began is a second old, unless one is due before. */
  #hurry(cause: CloseCause): void {
    const now = performance.now();
    const restMs = this.#policy.wakeRestMs(now);
    if (restMs && this.#timer && this.#at <= now + restMs) return;
    this.#attemptIn(restMs, cause, false);
  }
}
