import * as CloseCode from '../protocol/close-code.ts';
import type { CloseCause } from './transport.ts';
import type { CloseArguments } from './web-socket-arguments.ts';
import type { WebSocketData } from './web-socket-data.ts';
import type { WebSocketEnd } from './web-socket-events.ts';
import type { WebSocketConstructor, WebSocketLike } from './web-socket-like.ts';
import { READY_STATE } from './web-socket-like.ts';

/** What is used of the native class. */
interface NativeWebSocket extends Omit<WebSocketLike, 'send'> {
  readonly extensions?: string;
  binaryType: BinaryType;
  send(data: WebSocketData): void;
}

/** What an attempt connects to. */
export interface Target {
  readonly url: string;
  readonly protocols: readonly string[];
}

/** How an attempt ended. */
export interface AttemptEnd extends WebSocketEnd {
  /** The engine reported an `error`. */
  readonly failed: boolean;
  /** What came with it, in engines that say more than the standard. */
  readonly error?: unknown;
}

/** How an end looks of which no peer and no engine told anything. */
export const UNTOLD: AttemptEnd = { code: CloseCode.ABNORMAL, reason: '', wasClean: false, failed: true };

/** An end, as the reconnect policy reads it. */
export function causeOf({ code, reason, error }: AttemptEnd): Pick<CloseCause, 'code' | 'reason' | 'error'> {
  return error === undefined ? { code, reason } : { code, reason, error };
}

/** What happens to a {@link WebSocketAttempt}. */
export interface AttemptEvents {
  opened(attempt: WebSocketAttempt): void;
  message(attempt: WebSocketAttempt, event: { readonly data: unknown }): void;
  ended(attempt: WebSocketAttempt, end: AttemptEnd): void;
}

/**
 * Time for `close` to follow an `error` where the socket does not say that it is closed yet, ms. In an engine that
 * follows the standard both come in one task.
 */
const CLOSE_AFTER_ERROR_MS = 1_000;

/** One native socket, which can be forgotten at any time without waiting for it. */
export class WebSocketAttempt {
  readonly #socket: NativeWebSocket;
  readonly #events: AttemptEvents;
  #failed = false;
  #error: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws what the constructor of the socket throws */
  constructor(
    WebSocket: WebSocketConstructor,
    { url, protocols }: Target,
    binaryType: BinaryType,
    events: AttemptEvents,
  ) {
    const socket = protocols.length === 0 ? new WebSocket(url) : new WebSocket(url, [...protocols]);
    this.#socket = socket as NativeWebSocket;
    this.#events = events;
    this.#socket.binaryType = binaryType;
    this.#socket.onopen = () => this.#events.opened(this);
    this.#socket.onmessage = (event: { readonly data: unknown }) => this.#events.message(this, event);
    this.#socket.onerror = (event: { readonly error?: unknown }) => this.#fail(event.error);
    this.#socket.onclose = (event: Partial<WebSocketEnd>) => this.#end(event);
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get extensions(): string {
    return this.#socket.extensions ?? '';
  }

  /** 0 where the engine does not tell. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  set binaryType(type: BinaryType) {
    this.#socket.binaryType = type;
  }

  send(data: WebSocketData): void {
    this.#socket.send(data);
  }

  /** Starts the closing handshake. A reason without a code can't be sent (RFC 6455 5.5.1). */
  close({ code, reason }: CloseArguments): void {
    if (code === undefined) this.#socket.close();
    else this.#socket.close(code, reason);
  }

  /** Detaches the socket, asks it to close and forgets it: the answer may take a minute, or never come. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#socket.onopen = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    // Not null: `ws` reports the end of an unfinished handshake as an error, which must not go unheard.
    this.#socket.onerror = () => {};
    try {
      this.#socket.close();
    } catch {
      // Forgotten all the same.
    }
  }

  /**
   * An `error` is followed by a `close` with the code, in the same task. Not so in Chromium when the page's policy
   * blocks the URL: the socket is CLOSED from the start and there is an `error` only.
   */
  #fail(error: unknown): void {
    this.#failed = true;
    this.#error ??= error;
    const graceMs = this.#socket.readyState === READY_STATE.CLOSED ? 0 : CLOSE_AFTER_ERROR_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end({}), graceMs);
  }

  #end({ code, reason = '', wasClean = false }: Partial<WebSocketEnd>): void {
    // Deno gives 0, a mock may give nothing: no code.
    const end = { code: code || CloseCode.ABNORMAL, reason, wasClean, failed: this.#failed };
    this.#events.ended(this, this.#error === undefined ? end : { ...end, error: this.#error });
  }
}
