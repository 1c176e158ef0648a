import { SendQueue } from '../primitives/send-queue.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { isHopeless, providerCause } from './attempt-failure.ts';
import { LifecycleEngine } from './lifecycle-engine.ts';
import { ReconnectSeries } from './reconnect-series.ts';
import type { Connecting, Phase } from './reconnecting-phase.ts';
import { lifecycleState, socketOf } from './reconnecting-phase.ts';
import type { ResolvedOptions } from './reconnecting-web-socket-options.ts';
import { StopReconnecting } from './stop-reconnecting.ts';
import type { CloseCause } from './transport.ts';
import type { UrlRequest } from './transport-options.ts';
import type { CloseArguments } from './web-socket-arguments.ts';
import type { AttemptEnd, AttemptEvents, Target } from './web-socket-attempt.ts';
import { causeOf, UNTOLD, WebSocketAttempt } from './web-socket-attempt.ts';
import type { WebSocketData } from './web-socket-data.ts';
import { bytesOf, copyOf } from './web-socket-data.ts';
import { closeEvent, errorEvent, messageEvent, reconnectingEvent } from './web-socket-events.ts';
import type { WebSocketConstructor } from './web-socket-like.ts';
import { READY_STATE } from './web-socket-like.ts';

/** What the engine is given besides its options. */
export interface EngineParts {
  /** Known from the start, or asked for anew for every attempt. */
  readonly target: Target | ((request: UrlRequest) => Promise<Target>);
  /** Looked up for every attempt. @throws TypeError when there is none */
  readonly native: () => WebSocketConstructor;
  readonly dispatch: (event: Event) => void;
}

/** What waits for a socket. */
interface Entry {
  readonly data: WebSocketData;
  readonly bytes: number;
}

/** Time a peer has to answer `close()`, ms, where the engine has no limit of its own. That of `ws`. */
const CLOSE_TIMEOUT_MS = 30_000;
/** Wake signals begin at most one attempt in so many ms. */
const WAKE_PAUSE_MS = 1_000;

/** What lies behind the attributes and methods of `ReconnectingWebSocket`: its phases, see reconnecting-phase.ts. */
export class ReconnectingEngine {
  binaryType: BinaryType = 'blob';
  url = '';
  readonly #parts: EngineParts;
  readonly #options: ResolvedOptions;
  readonly #series: ReconnectSeries;
  readonly #lifecycle: LifecycleEngine;
  readonly #queue: SendQueue<Entry> | undefined;
  #phase: Phase = { state: 'lost' };
  /** The newest socket, alive or not. */
  #socket: WebSocketAttempt | undefined;
  /** What `send()` was given when it was too late. */
  #discardedBytes = 0;
  #wokeAt = -WAKE_PAUSE_MS;

  /** Makes the first socket, where no provider has to be asked. @throws what the constructor of that socket throws */
  constructor(options: ResolvedOptions, parts: EngineParts) {
    this.#parts = parts;
    this.#options = options;
    this.#series = new ReconnectSeries(options.transport);
    this.#queue = options.queue === false ? undefined : new SendQueue(options.queue);
    this.#lifecycle = new LifecycleEngine(options.transport, {
      wake: () => this.#wake(),
      restored: () => this.#restored(),
      suspend: () => {}, // suspendAfterHiddenMs is none of its options
    });
    if (typeof parts.target !== 'function') this.url = parts.target.url;
    this.#connect(true, (error) => {
      this.#enter({ state: 'closed' });
      throw error;
    });
  }

  get readyState(): 0 | 1 | 2 | 3 {
    const phase = this.#phase;
    switch (phase.state) {
      case 'connecting':
      case 'waiting':
        return READY_STATE.CONNECTING;
      case 'open':
        // The peer may have begun to close.
        return phase.socket.readyState === READY_STATE.OPEN ? READY_STATE.OPEN : READY_STATE.CLOSING;
      case 'closing':
        return READY_STATE.CLOSING;
      case 'lost':
      case 'closed':
        return READY_STATE.CLOSED;
      default:
        return phase satisfies never;
    }
  }

  get protocol(): string {
    return this.#socket?.protocol ?? '';
  }

  get extensions(): string {
    return this.#socket?.extensions ?? '';
  }

  get bufferedAmount(): number {
    return (this.#queue?.bytes ?? 0) + (this.#socket?.bufferedAmount ?? 0) + this.#discardedBytes;
  }

  /** For the socket that is there; later ones are made with it. */
  setBinaryType(type: BinaryType): void {
    this.binaryType = type;
    if (this.#socket !== undefined) this.#socket.binaryType = type;
  }

  /** @throws DOMException `QuotaExceededError` or, without a queue, `InvalidStateError`; then nothing was taken in */
  send(data: WebSocketData): void {
    const phase = this.#phase;
    const { readyState } = this;
    if (phase.state === 'open' && readyState === READY_STATE.OPEN) {
      phase.socket.send(data);
    } else if (this.#queue === undefined && readyState === READY_STATE.CONNECTING) {
      throw new DOMException('The socket is connecting, and its queue is switched off.', 'InvalidStateError');
    } else if (this.#queue === undefined || !this.#mayConnect) {
      this.#discardedBytes += bytesOf(data);
    } else {
      const pushed = this.#queue.push('ordered', { data: copyOf(data), bytes: bytesOf(data) });
      if (!pushed.accepted) {
        throw new DOMException(`The queue has no more room for ${pushed.bound}.`, 'QuotaExceededError');
      }
    }
  }

  close(how: CloseArguments): void {
    const phase = this.#phase;
    if (phase.state === 'closing' || phase.state === 'closed') return;
    if (phase.state === 'lost') {
      // Its `close` is being told: there is nothing else to tell.
      this.#enter({ state: 'closed' });
      return;
    }
    const socket = phase.state === 'open' ? phase.socket : undefined;
    const timer = setTimeout(() => this.#finish(UNTOLD), socket === undefined ? 0 : CLOSE_TIMEOUT_MS);
    this.#enter({ state: 'closing', socket, timer });
    socket?.close(how);
  }

  /** What is sent now can still go out some day. */
  get #mayConnect(): boolean {
    const { state } = this.#phase;
    return (
      state === 'connecting' || state === 'waiting' || ((state === 'open' || state === 'lost') && this.#options.reopen)
    );
  }

  /** Leaves a phase: ends what it owned and the next does not. */
  #enter(next: Phase): void {
    const phase = this.#phase;
    this.#phase = next;
    if ('timer' in phase) clearTimeout(phase.timer);
    if (phase.state === 'connecting') phase.providers?.abort();
    const socket = socketOf(phase);
    if (socket !== socketOf(next)) socket?.abandon();
    if (next.state === 'closing' || next.state === 'closed') {
      this.#discardedBytes += this.#queue?.bytes ?? 0;
      this.#queue?.clear();
    }
    this.#lifecycle.entered(lifecycleState(next));
  }

  #connect(counts: boolean, onThrow?: (error: unknown) => never): void {
    const { connectTimeoutMs } = this.#options.transport;
    const { target } = this.#parts;
    const providers = typeof target === 'function' ? new AbortController() : undefined;
    const timer = setTimeout(() => {
      const reason = `not connected within ${connectTimeoutMs} ms`;
      this.#lose(UNTOLD, { code: CloseCode.TIMED_OUT, reason, opened: false, by: 'timeout' });
    }, connectTimeoutMs);
    const phase: Connecting = { state: 'connecting', timer, counts, providers, socket: undefined };
    this.#series.began(performance.now());
    this.#enter(phase);
    if (this.#phase !== phase) return;
    if (typeof target === 'function') void this.#ask(phase, target);
    else this.#dial(phase, target, onThrow ?? ((error) => this.#failed(phase, error, isHopeless(error))));
  }

  async #ask(phase: Connecting, target: (request: UrlRequest) => Promise<Target>): Promise<void> {
    try {
      const { signal } = phase.providers!;
      const given = await target({ attempt: this.#series.attempt, signal });
      if (this.#phase !== phase) return;
      phase.providers = undefined;
      this.url = given.url;
      this.#dial(phase, given, (error) => this.#failed(phase, error, false));
    } catch (error) {
      this.#failed(phase, error, error instanceof StopReconnecting);
    }
  }

  #dial(phase: Connecting, target: Target, onThrow: (error: unknown) => void): void {
    let socket;
    try {
      socket = new WebSocketAttempt(this.#parts.native(), target, this.binaryType, this.#events);
    } catch (error) {
      onThrow(error);
      return;
    }
    phase.socket = socket;
    this.#socket = socket;
  }

  #failed(phase: Phase, error: unknown, hopeless: boolean): void {
    if (this.#phase !== phase) return;
    if (hopeless) this.#finish({ ...UNTOLD, error });
    else this.#lose({ ...UNTOLD, error }, providerCause(error));
  }

  /** What sockets report. One that was abandoned reports nothing. */
  readonly #events: AttemptEvents = {
    opened: (socket) => {
      this.#enter({ state: 'open', socket, openedAt: performance.now() });
      this.#flush(socket);
      this.#parts.dispatch(new Event('open'));
    },
    message: (socket, event) => {
      // What comes after close() was called is dropped, as the standard says.
      if (this.#phase.state === 'open') this.#parts.dispatch(messageEvent(event, this.url));
    },
    ended: (_socket, end) => {
      const phase = this.#phase;
      if (phase.state === 'closing') this.#finish(end);
      else this.#lose(end, { ...causeOf(end), opened: phase.state === 'open', by: 'peer' });
    },
  };

  /** Before `open` is told: what was sent before goes before what its listeners send. */
  #flush(socket: WebSocketAttempt): void {
    while (socket.readyState === READY_STATE.OPEN) {
      const entry = this.#queue?.take();
      if (entry === undefined) return;
      try {
        socket.send(entry.data);
      } catch (error) {
        // Something that this engine can't send (a Blob, in some): nobody is there to catch it any more.
        this.#options.transport.onError(error);
      }
    }
  }

  /** The one place where it is decided what follows a lost socket or a failed attempt. */
  #lose(end: AttemptEnd, cause: CloseCause): void {
    const phase = this.#phase;
    const now = performance.now();
    const welcomed = phase.state === 'open';
    const stable = welcomed && this.#series.isStable(phase.openedAt, now);
    const counts = phase.state !== 'connecting' || phase.counts;
    const decision = this.#series.lost({ cause, welcomed, stable, counts }, now);
    if (this.#phase !== phase) return; // a rule of the app closed it, or began anew
    // An attempt that failed is an error, also where the engine said nothing.
    const told = welcomed ? end : { ...end, failed: true };
    if (decision.action === 'stop' || (welcomed && !this.#options.reopen)) {
      this.#finish(told);
      return;
    }
    if (this.#options.reopen) {
      const lost: Phase = { state: 'lost' };
      this.#enter(lost);
      this.#tell(told);
      if (this.#phase !== lost) return;
    }
    const { delayMs } = decision;
    this.#enter({ state: 'waiting', timer: setTimeout(() => this.#connect(true), delayMs) });
    this.#parts.dispatch(reconnectingEvent({ attempt: this.#series.attempt, delayMs, cause }));
  }

  /** It is over. */
  #finish(end: AttemptEnd): void {
    this.#enter({ state: 'closed' });
    this.#tell(end);
  }

  #tell(end: AttemptEnd): void {
    if (end.failed) this.#parts.dispatch(errorEvent(end.error));
    this.#parts.dispatch(closeEvent(end));
  }

  #wake(): void {
    const now = performance.now();
    if (this.#phase.state !== 'waiting' || now - this.#wokeAt < WAKE_PAUSE_MS) return;
    this.#wokeAt = now;
    this.#connect(false);
  }

  /** The page was frozen: what sockets it had are dead. */
  #restored(): void {
    const { state } = this.#phase;
    if (state === 'open' || state === 'connecting') {
      this.#lose({ ...UNTOLD, failed: false }, { ...causeOf(UNTOLD), opened: state === 'open', by: 'host' });
    }
    this.#wake();
  }
}
