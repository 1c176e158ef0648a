import { CloseCode } from '../protocol/close-codes.ts';
import { isHopeless, noWebSocket, providerCause, timeoutCause } from './attempt-failure.ts';
import type { Connected, Connecting, Phase, Waiting } from './connection-phase.ts';
import { closedPhase, socketOf } from './connection-phase.ts';
import { heartbeatTimes, Liveness } from './liveness.ts';
import type { Provided } from './providers.ts';
import { provide } from './providers.ts';
import { ReconnectSeries } from './reconnect-series.ts';
import type { SocketLinkEvents, Welcomed } from './socket-link.ts';
import { LEAVING, SocketLink } from './socket-link.ts';
import { resolveSocketUrl } from './socket-url.ts';
import type { CloseCause, ConnectionStatus, LinkUser, Transport } from './transport.ts';
import type { ResolvedTransportOptions, TransportOptions } from './transport-options.ts';
import { resolveTransportOptions } from './transport-options.ts';
import type { WebSocketConstructor } from './web-socket-like.ts';
import { globalWebSocket } from './web-socket-like.ts';

/** A wake signal begins at most one attempt in this time, ms. */
const WAKE_SPACING_MS = 1_000;

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
 *   connecting, connected, waiting -- suspend ---> suspended -- wake --> connecting
 *   any but closed ------------------ close -----> closed ---- connect -> connecting
 *   connecting, connected ----------- a loss that no retry can mend ----> closed
 *   any ----------------------------- reconnect -------------------------> connecting
 * ```
 *
 * A URL given as a string that no socket can be made from, and a missing WebSocket constructor, can't be mended by a
 * retry: `closed` with `by: 'app'` and what to do in `cause.error`. What a URL or credential function gives, or throws,
 * may be better next time: a failed attempt, `by: 'provider'`.
 *
 * @throws TypeError or RangeError for wrong options
 */
export function createWebSocketTransport(user: LinkUser, options: TransportOptions): Transport {
  return new WebSocketTransport(user, resolveTransportOptions(options));
}

class WebSocketTransport implements Transport {
  readonly #user: LinkUser;
  readonly #options: ResolvedTransportOptions;
  readonly #series: ReconnectSeries;
  #phase: Phase = { state: 'idle', status: { state: 'idle' } };
  /** Monotonic time of the last attempt that a wake signal began. */
  #wokeAt = -Infinity;

  constructor(user: LinkUser, options: ResolvedTransportOptions) {
    this.#user = user;
    this.#options = options;
    this.#series = new ReconnectSeries(options);
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
    const phase = this.#phase;
    if (phase.state === 'connected') phase.liveness?.probe();
    else if (phase.state === 'waiting') this.#hurry(phase);
    else if (phase.state === 'suspended') this.#attempt(false);
  }

  suspend(reason: string): void {
    const { state } = this.#phase;
    if (state === 'idle' || state === 'suspended' || state === 'closed') return;
    this.#enter({ state: 'suspended', status: { state: 'suspended', reason } }, this.#byApp(LEAVING, reason));
  }

  close(code: number = CloseCode.NORMAL, reason = ''): void {
    if (this.#phase.state === 'closed') return;
    const cause = this.#byApp(code, reason);
    this.#enter(closedPhase(cause), cause);
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
    if (this.#phase === next) this.#tell(() => this.#user.status(next.status));
  }

  /** Clears what a phase owned. Its socket ends by the cause; without one the next phase has taken it over. */
  #leave(last: Phase, cause?: CloseCause): void {
    switch (last.state) {
      case 'connecting':
        clearTimeout(last.timer);
        last.providers?.abort();
        break;
      case 'connected':
        last.liveness?.stop();
        break;
      case 'waiting':
        clearTimeout(last.timer);
        break;
      case 'idle':
      case 'suspended':
      case 'closed':
        break;
      default:
        last satisfies never;
    }
    const socket = socketOf(last);
    if (socket === undefined || cause === undefined) return;
    socket.abandon(cause.code, cause.reason);
    if (socket.announced) this.#tell(() => this.#user.lost(socket, cause));
  }

  #attempt(counts: boolean, cause?: CloseCause): void {
    const now = performance.now();
    this.#series.began(now);
    if (!counts) this.#wokeAt = now;
    const { connectTimeoutMs } = this.#options;
    const providers = new AbortController();
    const phase: Connecting = {
      state: 'connecting',
      status: { state: 'connecting', attempt: this.#series.attempt },
      timer: setTimeout(() => this.#lose(phase, timeoutCause(phase, connectTimeoutMs)), connectTimeoutMs),
      counts,
      providers,
      socket: undefined,
      token: undefined,
    };
    this.#enter(phase, cause);
    if (this.#phase === phase) void this.#dial(phase, providers.signal);
  }

  async #dial(phase: Connecting, signal: AbortSignal): Promise<void> {
    const WebSocket = this.#options.WebSocket ?? globalWebSocket();
    if (WebSocket === undefined) {
      this.#stop(phase, noWebSocket());
      return;
    }
    try {
      const { attempt } = phase.status;
      const provided = await provide(this.#options, { attempt, reason: this.#series.authReason, signal });
      if (this.#phase === phase) this.#open(phase, WebSocket, provided);
    } catch (error) {
      this.#lose(phase, providerCause(error));
    }
  }

  #open(phase: Connecting, WebSocket: WebSocketConstructor, { url, token }: Provided): void {
    phase.providers = undefined;
    phase.token = token;
    try {
      const link = new SocketLink(WebSocket, resolveSocketUrl(url), this.#options.protocols, this.#events);
      // The constructor is not ours: it may have called back.
      if (this.#phase === phase) phase.socket = link;
      else link.abandon(LEAVING, '');
    } catch (error) {
      const fixed = typeof this.#options.url !== 'function';
      if (fixed && isHopeless(error)) this.#stop(phase, error);
      else this.#lose(phase, providerCause(error));
    }
  }

  /** The app's own settings are in the way. */
  #stop(phase: Connecting, error: unknown): void {
    const cause: CloseCause = { ...providerCause(error), by: 'app' };
    if (this.#phase === phase) this.#enter(closedPhase(cause), cause);
  }

  /** What sockets report; each first looks whether the socket is still the phase's. */
  readonly #events: SocketLinkEvents = {
    opened: (link) => {
      const phase = this.#owner(link);
      if (phase?.state === 'connecting') this.#opened(phase, link);
    },
    frame: (link, frame) => {
      if (!this.#heard(link)) return;
      // No closure: this runs for every frame.
      try {
        this.#user.frame(link, frame);
      } catch (error) {
        this.#options.onError(error);
      }
    },
    binary: (link) => {
      if (this.#heard(link)) this.#tell(() => this.#user.binary(link));
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
    this.#tell(() => this.#user.opened(link, token));
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
    const { heartbeat } = this.#options;
    if (heartbeat === false) return undefined;
    const cause: CloseCause = { code: CloseCode.TIMED_OUT, reason: 'no sign of life', opened: true, by: 'probe' };
    return new Liveness(heartbeatTimes(heartbeat, hintMs), {
      probe: () => this.#tell(() => this.#user.probe(link)),
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
    const decision = this.#series.lost({ cause, welcomed, stable, counts: welcomed || phase.counts }, now);
    if (decision.action === 'stop') this.#enter(closedPhase(cause), cause);
    else this.#wait(decision.delayMs, cause, true);
  }

  #wait(delayMs: number, cause: CloseCause, counts: boolean): void {
    const phase: Waiting = {
      state: 'waiting',
      status: { state: 'waiting', attempt: this.#series.attempt, retryAt: Date.now() + delayMs, cause },
      timer: setTimeout(() => this.#attempt(counts), delayMs),
      dueAt: performance.now() + delayMs,
    };
    this.#enter(phase, cause);
  }

  /** Tries now, or as soon as the last attempt that a wake signal began is a second old. */
  #hurry({ dueAt, status }: Waiting): void {
    const now = performance.now();
    const restMs = Math.ceil(this.#wokeAt + WAKE_SPACING_MS - now);
    if (restMs <= 0) this.#attempt(false);
    else if (now + restMs < dueAt) this.#wait(restMs, status.cause, false);
  }

  /** Calls the layer above: what it throws is reported and changes nothing here. */
  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
