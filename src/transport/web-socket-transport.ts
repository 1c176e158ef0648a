import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction } from '../protocol/close-reaction.ts';
import { noWebSocket } from './hopeless-error.ts';
import { LEAVING, type LineEnd, type Target } from './line.ts';
import { LineLink, type LineLinkOwner, type Welcomed } from './line-link.ts';
import { watch } from './liveness.ts';
import { lineOf, linesOf, releasePhase, type Connected, type Connecting, type Phase } from './phase.ts';
import { ReconnectSeries } from './reconnect-series.ts';
import type { CloseCause, ConnectionStatus, LinkUser, ReconnectRequest, Transport } from './transport.ts';
import type { ResolvedTransportOptions } from './transport-options.ts';
import type { HostWatch, TransportParts } from './transport-parts.ts';
import { globalWebSocket } from './web-socket-like.ts';

/**
 * Keeps one WebSocket connected and welcomed. Nothing happens before `connect()`.
 * {@link Phase} shows what it can be in.
 *
 * A connected transport can move: a second line, its successor, is opened while the first serves, and takes its place
 * when it is welcomed. One that fails changes nothing. The line that was left may still answer, in limited time.
 *
 * A URL given as a string that no socket can be made from, and a missing WebSocket constructor, can't be mended by a
 * retry: `closed` with `by: 'app'` and what to do in `cause.error`. What a URL or credential function gives, or throws,
 * may be better next time: a failed attempt, `by: 'provider'`, unless it is a {@link StopReconnecting}.
 */
export class WebSocketTransport implements Transport, LineLinkOwner {
  readonly #user: LinkUser;
  readonly #options: ResolvedTransportOptions;
  readonly #parts: TransportParts;
  readonly #series: ReconnectSeries;
  readonly #host: HostWatch | undefined;
  #phase: Phase<LineLink> = { status: { state: 'idle' }, at: -Infinity };

  constructor(user: LinkUser, options: ResolvedTransportOptions, parts: TransportParts) {
    this.#user = user;
    this.#options = options;
    this.#parts = parts;
    this.#series = new ReconnectSeries(options, parts.credentials);
    this.#host = parts.watchHost?.(options, {
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
    if (isIn(phase, 'closed')) this.reconnect();
    if (!isIn(phase, 'idle')) return;
    const restMs = Math.ceil(phase.at - performance.now());
    if (restMs > 0) this.#wait(restMs, this.#byApp(CloseCode.NORMAL, 'idle'), true);
    else this.#attempt(true);
  }

  /** Rest makes no attempt come sooner. */
  rest(): void {
    const phase = this.#phase;
    if (isIn(phase, 'idle') || isIn(phase, 'suspended') || isIn(phase, 'closed')) return;
    const now = performance.now();
    if (isIn(phase, 'connected') && this.#series.isStable(phase.at, now)) this.#series.restart();
    const at = Math.max(now + this.#series.guardMs(now), isIn(phase, 'waiting') ? phase.at : now);
    this.#enter({ status: { state: 'idle' }, at }, this.#byApp(CloseCode.NORMAL, 'idle'));
  }

  reconnect({ seamless = false }: ReconnectRequest = {}): void {
    const phase = this.#phase;
    if (seamless && isIn(phase, 'connected') && phase.move !== undefined) {
      phase.move.begin();
      return;
    }
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
    if (!isIn(this.#phase, 'closed')) this.#close(this.#byApp(code, reason));
  }

  #close(cause: CloseCause): void {
    this.#enter({ status: { state: 'closed', cause } }, cause);
  }

  #wake(byHost: boolean): void {
    const phase = this.#phase;
    if (isIn(phase, 'connected')) phase.line.liveness?.probe();
    else if (isIn(phase, 'waiting')) this.#hurry(phase.status.cause, phase.at);
    else if (isIn(phase, 'suspended') && (phase.byHost || !byHost)) this.#hurry(this.#byApp(LEAVING, 'woken'));
  }

  /** The lines of a page that was frozen are dead, whatever they say. */
  #restored(): void {
    const phase = this.#phase;
    if (!isIn(phase, 'connecting') && !isIn(phase, 'connected')) this.#wake(true);
    // An attempt that an earlier signal of the same return began is none of those.
    else if (isIn(phase, 'connected') || !phase.line.isFresh)
      this.#hurry({ ...this.#byApp(LEAVING, 'the page was frozen'), by: 'host' });
  }

  #suspend(reason: string, byHost: boolean): void {
    const phase = this.#phase;
    if (isIn(phase, 'idle') || isIn(phase, 'closed')) return;
    // The app's word is stronger: the host may not wake then.
    if (isIn(phase, 'suspended') && (byHost || !phase.byHost)) return;
    const cause = this.#byApp(LEAVING, reason);
    this.#enter({ status: { state: 'suspended', reason }, byHost }, byHost ? { ...cause, by: 'host' } : cause);
  }

  #byApp(code: number, reason: string): CloseCause {
    return { code, reason, opened: lineOf(this.#phase)?.opened ?? false, by: 'app' };
  }

  /**
   * The one place that assigns the phase. It is in force before anything is told or let go, because aborting a
   * provider and telling the layer above run code that may come back here; then the status is that call's to tell.
   * @param cause - How the lines of the last phase end; without one the next phase has taken them over.
   */
  #enter(next: Phase<LineLink>, cause?: CloseCause): void {
    const last = this.#phase;
    this.#phase = next;
    releasePhase(last);
    if (cause !== undefined) {
      const concernsAll = cause.by === 'app' || cause.by === 'host';
      for (const line of linesOf(last)) {
        if (line === lineOf(next)) continue; // the successor goes on
        // What a peer said of one line concerns none of the others.
        const isMeant = concernsAll || line === lineOf(last);
        this.#forget(line, isMeant ? cause : { code: LEAVING, reason: 'lost', opened: line.opened, by: 'app' });
      }
    }
    if (this.#phase === next) this.#host?.entered(next.status.state);
    if (this.#phase === next) this.#tell(() => this.#user.entered(next.status));
  }

  /** Forgets a line that belongs to no phase any more. */
  #forget(line: LineLink, cause: CloseCause): void {
    line.abandon(cause.code, cause.reason);
    if (line.announced) this.#tell(() => this.#user.lost(line, cause));
  }

  /** What the layer above throws is reported and changes nothing. */
  #tell<Answer>(told: () => Answer): Answer | undefined {
    try {
      return told();
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  #attempt(counts: boolean, cause?: CloseCause): void {
    const line = this.#newLine(counts);
    const phase = this.#connecting(line);
    this.#enter(phase, cause);
    if (this.#phase === phase) this.#dial(line);
  }

  #newLine(counts: boolean): LineLink {
    this.#series.began(performance.now(), !counts);
    return new LineLink(this, this.#options.connectTimeoutMs, counts);
  }

  #connecting(line: LineLink): Connecting<LineLink> {
    return { status: { state: 'connecting', attempt: this.#series.attempt, ...this.#series.reach }, line };
  }

  #dial(line: LineLink): void {
    const { url, protocols, WebSocket = globalWebSocket() } = this.#options;
    const { attempt, authReason: reason } = this.#series;
    // Async, so that a function of the app that throws and one that rejects are the same; both are asked at once.
    const give = async (signal: AbortSignal): Promise<Target> => {
      const asked = async (): Promise<string | URL> => (typeof url === 'function' ? url({ attempt, signal }) : url);
      const [given, token] = await Promise.all([asked(), this.#parts.credentials?.get(reason, signal)]);
      return { url: given, protocols, token };
    };
    if (WebSocket === undefined) line.cannotDial(noWebSocket(), true);
    else void line.ask(give, (target) => line.dial(WebSocket, target), typeof url !== 'function');
  }

  /** Each event of a line first looks whether the line is still the phase's. */
  opened(line: LineLink): void {
    if (!this.#awaits(line)) return;
    const { protocols } = this.#options;
    if (protocols.length > 0 && !protocols.includes(line.protocol)) {
      const reason = `the server chose none of the subprotocols ${protocols.join(', ')}`;
      this.ended(line, { code: CloseCode.SUBPROTOCOL, reason, opened: true, by: 'peer' });
      return;
    }
    line.announced = true;
    this.#series.opened();
    this.#tell(() => this.#user.opened(line, line.token));
  }

  /** Any frame is life. One of a line that is no longer the phase's, or that the layer above does not know, is not passed on. */
  message(line: LineLink, { data }: { readonly data: unknown }): void {
    line.liveness?.heard();
    const phase = this.#phase;
    // The first is the usual case.
    if (lineOf(phase) !== line && !linesOf(phase).includes(line)) return;
    if (!line.announced) return;
    try {
      if (typeof data === 'string') this.#user.frame(line, data);
      else this.#user.binary(line);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  ended(line: LineLink, cause: CloseCause, { isFinal, slept }: LineEnd = {}): void {
    const phase = this.#phase;
    if (isIn(phase, 'connected') && phase.move?.ended(line, cause) === true) return;
    if ((!isIn(phase, 'connected') && !isIn(phase, 'connecting')) || phase.line !== line) return;
    if (isFinal === true) this.#close(cause);
    else this.#lose(phase, cause);
    if (slept === true) this.#wake(true);
  }

  dropped(line: LineLink, code: number, reason: string): void {
    this.ended(line, { code, reason, opened: true, by: 'above' });
  }

  leaving(line: LineLink, window: { readonly fromMs: number; readonly toMs: number }): void {
    const phase = this.#phase;
    if (isIn(phase, 'connected') && phase.line === line) phase.move?.beginWithin(window);
  }

  welcomed(line: LineLink, { heartbeatMs, resumed }: Welcomed): void {
    if (!this.#awaits(line)) return;
    const last = isIn(this.#phase, 'connected') ? this.#phase : undefined;
    const replaced = last?.move?.replaced;
    line.settled();
    this.#watch(line, heartbeatMs);
    const phase: Connected<LineLink> = {
      status: { state: 'connected', since: Date.now(), resumed },
      line,
      at: performance.now(),
    };
    phase.move = this.#moveFrom(phase, replaced === undefined ? last?.line : undefined);
    this.#enter(phase);
    last?.move?.finish();
    if (last !== undefined && replaced !== undefined) this.#forget(last.line, replaced);
  }

  /** It is dialled, or open and waits for its welcome: as the first, or as a successor. */
  #awaits(line: LineLink): boolean {
    const phase = this.#phase;
    return (
      (isIn(phase, 'connecting') ? phase.line : isIn(phase, 'connected') ? phase.move?.successor : undefined) === line
    );
  }

  #moveFrom(phase: Connected<LineLink>, predecessor: LineLink | undefined): Connected<LineLink>['move'] {
    return this.#parts.moveFrom?.(
      {
        random: this.#options.random,
        dial: (made) => {
          if (this.#phase !== phase) return;
          const line = this.#newLine(true);
          made(line);
          this.#dial(line);
        },
        forget: (line, cause) => this.#forget(line, cause),
        failed: (cause) => this.#tell(() => this.#user.moveFailed(cause)),
        lost: (cause) => this.#lose(phase, cause),
      },
      phase.line,
      predecessor,
    );
  }

  #watch(line: LineLink, hintMs: number): void {
    const cause: CloseCause = { code: CloseCode.TIMED_OUT, reason: 'no sign of life', opened: true, by: 'probe' };
    line.liveness = watch(this.#options.heartbeat, hintMs, {
      probe: () => this.#tell(() => this.#user.probe(line)),
      ahead: () => ({
        unanswered: this.#tell(() => this.#user.unanswered(line)) ?? 0,
        buffered: line.bufferedAmount,
      }),
      dead: () => this.ended(line, cause),
    });
  }

  /** The one place where it is decided what follows a lost line or a failed attempt. */
  #lose(phase: Connecting<LineLink> | Connected<LineLink>, cause: CloseCause): void {
    if (this.#phase !== phase) return;
    const now = performance.now();
    const { line } = phase;
    const welcomed = isIn(phase, 'connected');
    const stable = welcomed && this.#series.isStable(phase.at, now);
    const loss = { cause, welcomed, stable, counts: welcomed || line.counts, announced: line.leavingWindow(now) };
    const decision = this.#series.lost(loss, now);
    if (this.#phase !== phase) return; // the app's rule came back here
    if (decision.action === 'stop') return this.#close(cause);
    const { delayMs } = decision;
    const successor = welcomed ? phase.move?.handOver(cause) : undefined;
    if (successor !== undefined) this.#enter(this.#connecting(successor), cause);
    // Lost on the way to a wake signal's answer: the signal came for this.
    else if (welcomed && line.liveness?.woken === true && closeReaction(cause.code) === 'retry')
      this.#wait(Math.min(delayMs, this.#series.wakeRestMs(now)), cause, false);
    else this.#wait(delayMs, cause, true);
  }

  #wait(delayMs: number, cause: CloseCause, counts: boolean): void {
    const { attempt, reach } = this.#series;
    this.#enter(
      {
        status: { state: 'waiting', attempt, retryAt: Date.now() + delayMs, cause, ...reach },
        timer: setTimeout(() => this.#attempt(counts), delayMs),
        at: performance.now() + delayMs,
      },
      cause,
    );
  }

  /** Tries now, or as soon as the last attempt that a wake signal began is a second old. */
  #hurry(cause: CloseCause, dueAt = Infinity): void {
    const now = performance.now();
    const restMs = this.#series.wakeRestMs(now);
    if (restMs === 0) this.#attempt(false, cause);
    else if (now + restMs < dueAt) this.#wait(restMs, cause, false);
  }
}

function isIn<State extends ConnectionStatus['state']>(
  phase: Phase<LineLink>,
  state: State,
): phase is Extract<Phase<LineLink>, { readonly status: { readonly state: State } }> {
  return phase.status.state === state;
}
