import { domException } from '../../primitives/dom-exception.ts';
import { SendQueue, type Queued } from '../../primitives/send-queue.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { LifecycleEngine } from '../lifecycle/lifecycle-engine.ts';
import { causeOf, Line, type LineOwner } from '../line.ts';
import { ReconnectPolicy } from '../reconnect-policy.ts';
import type { CloseCause } from '../transport.ts';
import { READY_STATE } from '../web-socket-like.ts';
import type { EngineParts, NativeWebSocket, Target } from './engine-parts.ts';
import type { ResolvedOptions } from './reconnecting-web-socket-options.ts';
import type { CloseArguments } from './web-socket-arguments.ts';
import type { WebSocketData } from './web-socket-data.ts';
import { bytesOf, copyOf } from './web-socket-data.ts';
import { closeEvent, errorEvent, messageEvent, reconnectingEvent, type WebSocketEnd } from './web-socket-events.ts';

/** What waits for a socket. */
interface Entry extends Queued {
  readonly data: WebSocketData;
}

/** How an end looks of which no peer and no engine told anything. */
const UNTOLD: WebSocketEnd = { code: CloseCode.ABNORMAL, reason: '', wasClean: false };

/** Time a peer has to answer `close()`, ms, where the engine has no limit of its own. That of `ws`. */
const CLOSE_TIMEOUT_MS = 30_000;

/** What `readyState` says in each state. */
const STATES = { idle: 3, connecting: 0, waiting: 0, connected: 1, closing: 2, closed: 3, lost: 3 } as const;

/**
 * Where it is, as `WebSocketTransport` has it, with the line and the timer that it owns there. `closing` waits for the
 * peer; its line is absent where there was none that had opened: then the end is only a task away.
 */
interface Phase {
  readonly state: keyof typeof STATES;
  readonly line?: Line | undefined;
  readonly timer?: ReturnType<typeof setTimeout>;
}

/** Listeners are told of a socket that another will follow. */
const LOST: Phase = { state: 'lost' };
/** Not begun: what is sent waits. */
const IDLE: Phase = { state: 'idle' };
const CLOSED: Phase = { state: 'closed' };

/** What lies behind the attributes and methods of `ReconnectingWebSocket`. */
export class ReconnectingEngine implements LineOwner<Line> {
  binaryType: BinaryType = 'blob';
  url = '';
  readonly #parts: EngineParts;
  readonly #options: ResolvedOptions;
  readonly #policy: ReconnectPolicy;
  readonly #lifecycle: LifecycleEngine;
  readonly #queue: SendQueue<Entry> | undefined;
  #phase: Phase = IDLE;
  /** The newest, alive or not. */
  #socket: NativeWebSocket | undefined;
  /** What `send()` was given when it was too late. */
  #discardedBytes = 0;

  /** Makes the first socket, where no provider has to be asked. @throws what the constructor of that socket throws */
  constructor(options: ResolvedOptions, parts: EngineParts) {
    this.#parts = parts;
    this.#options = options;
    this.#policy = new ReconnectPolicy(options.transport);
    this.#queue = options.queue === false ? undefined : new SendQueue(options.queue);
    this.#lifecycle = new LifecycleEngine(options.transport, {
      wake: () => this.#wake(),
      restored: () => this.#restored(),
      suspend: () => {}, // suspendAfterHiddenMs is none of its options
    });
    if (options.startClosed) return;
    this.#connect(true, (error) => {
      this.#enter(CLOSED);
      throw error;
    });
  }

  get readyState(): 0 | 1 | 2 | 3 {
    const { state } = this.#phase;
    // The peer may have begun to close.
    const isOpen = state !== 'connected' || this.#socket?.readyState === READY_STATE.OPEN;
    return isOpen ? STATES[state] : READY_STATE.CLOSING;
  }

  get protocol(): string {
    return this.#socket?.protocol ?? '';
  }

  get extensions(): string {
    return this.#socket?.extensions ?? '';
  }

  /** The socket counts 0 where the engine does not tell. */
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
    const { readyState } = this;
    if (readyState === READY_STATE.OPEN) {
      this.#socket!.send(data);
    } else if (this.#queue === undefined && readyState === READY_STATE.CONNECTING) {
      throw domException('The socket is connecting, and its queue is switched off.', 'InvalidStateError');
    } else if (this.#queue === undefined || !this.#mayConnect) {
      this.#discardedBytes += bytesOf(data);
    } else {
      const pushed = this.#queue.push('ordered', { data: copyOf(data), bytes: bytesOf(data) });
      if (!pushed.accepted) throw domException(`The queue has no more room for ${pushed.bound}.`, 'QuotaExceededError');
    }
  }

  close({ code, reason }: CloseArguments): void {
    const { state, line: present } = this.#phase;
    if (state === 'closing' || state === 'closed') return;
    // Its `close` is being told: there is nothing else to tell.
    if (state === 'lost' || state === 'idle') return this.#enter(CLOSED);
    // A rule of the app may end it when its socket is lost already.
    const line = state === 'connected' && present?.socket?.readyState !== READY_STATE.CLOSED ? present : undefined;
    const timer = setTimeout(() => this.#finish(UNTOLD, true), line === undefined ? 0 : CLOSE_TIMEOUT_MS);
    this.#enter({ state: 'closing', line, timer });
    // A reason without a code can't be sent (RFC 6455 5.5.1).
    if (code === undefined) line?.socket?.close();
    else line?.socket?.close(code, reason);
  }

  /** Begins anew: a socket that is there is told to be closed, and what waits goes out on the next. */
  reconnect({ code = CloseCode.NORMAL, reason = '' }: CloseArguments): void {
    const { state, line } = this.#phase;
    this.#policy.restart();
    if (state === 'closing') {
      this.#finish(UNTOLD, true);
      if (this.#phase !== CLOSED) return; // a listener began anew
    } else if (state === 'connected') {
      line!.abandon(code, reason);
      this.#enter(LOST);
      this.#tell({ code, reason, wasClean: false }, false);
      if (this.#phase !== LOST) return; // a listener closed it, or began anew
    }
    const delayMs = this.#policy.guardMs(performance.now());
    if (delayMs > 0) this.#enter({ state: 'waiting', timer: setTimeout(() => this.#connect(true), delayMs) });
    else this.#connect(true);
  }

  /** What is sent now can still go out some day. */
  get #mayConnect(): boolean {
    const { state } = this.#phase;
    if (state === 'connected' || state === 'lost') return this.#options.reopen;
    return state === 'connecting' || state === 'waiting' || state === 'idle';
  }

  /** Leaves a phase: ends what it owned and the next does not. */
  #enter(next: Phase): void {
    const { line, timer } = this.#phase;
    this.#phase = next;
    clearTimeout(timer);
    if (line !== next.line) line?.abandon();
    const { state } = next;
    if (state === 'closing' || state === 'closed') {
      this.#discardedBytes += this.#queue?.bytes ?? 0;
      this.#queue?.clear();
    }
    // A closing socket is left alone.
    if (state === 'closing') this.#lifecycle.entered('closed');
    else this.#lifecycle.entered(state === 'lost' || state === 'idle' ? 'waiting' : state);
  }

  #connect(counts: boolean, onThrow?: (error: unknown) => never): void {
    this.#policy.began(performance.now(), !counts);
    const line = new Line(this, this.#options.transport.connectTimeoutMs, counts);
    const phase: Phase = { state: 'connecting', line };
    this.#enter(phase);
    if (this.#phase !== phase) return;
    const { target } = this.#parts;
    if (typeof target === 'function') {
      const { attempt } = this.#policy.outlook;
      void line.ask(
        (signal) => target({ attempt, signal }),
        (given) => this.#dial(line, given),
        false,
      );
      return;
    }
    try {
      this.#dial(line, target);
    } catch (error) {
      onThrow?.(error);
      line.cannotDial(error, true);
    }
  }

  /** @throws what the constructor of the socket throws */
  #dial(line: Line, { url, protocols }: Target): void {
    this.url = url;
    line.dial(this.#parts.native(), url, protocols);
    this.#socket = line.socket as NativeWebSocket | undefined;
    this.setBinaryType(this.binaryType);
  }

  opened(line: Line): void {
    line.settled();
    const phase: Phase = { state: 'connected', line };
    this.#enter(phase);
    this.#flush();
    // What was written may have ended it.
    if (this.#phase === phase) this.#parts.dispatch(new Event('open'));
  }

  message(_line: Line, data: unknown): void {
    // What comes after close() was called is dropped, as the standard says.
    if (this.#phase.state === 'connected') this.#parts.dispatch(messageEvent(data, this.url));
  }

  ended({ failed, wasClean }: Line, cause: CloseCause, isFinal = false): void {
    const { by, error } = cause;
    // What a peer or an engine told is told; of all else only the error.
    const end = by === 'peer' ? { ...cause, wasClean } : { ...UNTOLD, error: by === 'timeout' ? undefined : error };
    if (isFinal || this.#phase.state === 'closing') this.#finish(end, failed || isFinal);
    else this.#lose(end, failed, cause);
  }

  /** Before `open` is told: what was sent before goes before what its listeners send. */
  #flush(): void {
    while (this.readyState === READY_STATE.OPEN) {
      const entry = this.#queue?.take();
      if (entry === undefined) return;
      try {
        this.#socket!.send(entry.data);
      } catch (error) {
        // Something that this engine can't send (a Blob, in some): nobody is there to catch it any more.
        this.#options.transport.onError(error);
      }
    }
  }

  /** The one place where it is decided what follows a lost socket or a failed attempt. */
  #lose(end: End, failed: boolean, cause: CloseCause): void {
    const phase = this.#phase;
    const line = phase.line!;
    const now = performance.now();
    let delayMs = this.#policy.lost(cause, line, now);
    if (this.#phase !== phase) return; // a rule of the app closed it, or began anew
    const { reopen } = this.#options;
    // An attempt that failed is an error, also where the engine said nothing.
    const isError = failed || !line.opened;
    if (delayMs === Infinity || (line.opened && !reopen)) return this.#finish(end, isError);
    if (reopen) {
      this.#enter(LOST);
      this.#tell(end, isError);
      if (this.#phase !== LOST) return;
    }
    const { attempt } = this.#policy.outlook;
    // A wake signal came for this attempt.
    const woken = line.woken && !line.opened;
    if (woken) delayMs = Math.min(delayMs, this.#policy.wakeRestMs(now));
    this.#enter({ state: 'waiting', timer: setTimeout(() => this.#connect(!woken), delayMs) });
    this.#parts.dispatch(reconnectingEvent({ attempt, delayMs, cause }));
  }

  /** It is over. */
  #finish(end: End, isError: boolean): void {
    this.#enter(CLOSED);
    this.#tell(end, isError);
  }

  #tell(end: End, isError: boolean): void {
    if (isError) this.#parts.dispatch(errorEvent(end.error));
    this.#parts.dispatch(closeEvent(end));
  }

  #wake(): void {
    if (this.#phase.state === 'connecting') this.#phase.line!.hurry();
    else if (this.#phase.state === 'waiting' && this.#policy.wakeRestMs(performance.now()) === 0) this.#connect(false);
  }

  /** The page was frozen: what sockets it had are dead. */
  #restored(): void {
    const { state, line } = this.#phase;
    if (state === 'connected' || state === 'connecting')
      this.#lose(UNTOLD, false, causeOf(line, CloseCode.ABNORMAL, '', 'host'));
    this.#wake();
  }
}

/** How an end is told, with what is known of its cause. */
type End = WebSocketEnd & { readonly error?: unknown };
