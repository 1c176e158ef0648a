import type { DelayWindow } from '../primitives/backoff.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { truncateReason } from '../protocol/close-reaction.ts';
import type { Liveness } from './liveness.ts';
import type { Link } from './transport.ts';
import type { WebSocketConstructor, WebSocketLike } from './web-socket-like.ts';
import { READY_STATE } from './web-socket-like.ts';

/** What a welcome tells the transport. */
export type Welcomed = Parameters<Link['welcomed']>[0];

/** How a socket ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
  readonly error?: unknown;
}

/** What happens to a {@link SocketLink}. Its owner abandons it when it `ended`. */
export interface SocketLinkEvents {
  opened(link: SocketLink): void;
  frame(link: SocketLink, frame: string): void;
  binary(link: SocketLink): void;
  ended(link: SocketLink, end: SocketEnd): void;
  welcomed(link: SocketLink, welcome: Welcomed): void;
  dropped(link: SocketLink, code: number, reason: string): void;
  /** The peer announced the window in which it wants to be left. */
  leaving(link: SocketLink, window: DelayWindow): void;
}

/**
 * Time for `close` to follow an `error` where the socket does not say that it is closed yet, ms. In an engine that
 * follows the standard both come in one task.
 */
const CLOSE_AFTER_ERROR_MS = 1_000;

/** Bounds of what a peer announces, ms. */
const MIN_WINDOW_MS = 100;
const DAY_MS = 86_400_000;

/** One socket: turns what engines do into one end, and can be forgotten at any time without waiting for it. */
export class SocketLink implements Link {
  /** The layer above was told of it, so it has to be told of its loss. */
  announced = false;
  /** There from its welcome on, where the app wants a heartbeat. */
  liveness: Liveness | undefined;
  readonly #socket: WebSocketLike;
  readonly #events: SocketLinkEvents;
  #opened = false;
  #abandoned = false;
  #error: unknown;
  /** Monotonic time at which the window begins that the peer announced, and its width, ms. */
  #leaving: { readonly beginsAt: number; readonly withinMs: number } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws what the constructor of the socket throws */
  constructor(WebSocket: WebSocketConstructor, url: string, protocols: readonly string[], events: SocketLinkEvents) {
    // An object or an empty list as second argument is an error in some engines.
    this.#socket = protocols.length === 0 ? new WebSocket(url) : new WebSocket(url, [...protocols]);
    this.#events = events;
    this.#socket.onopen = () => this.#open();
    this.#socket.onmessage = (event: { readonly data: unknown }) => this.#message(event.data);
    this.#socket.onerror = (event: { readonly error?: unknown; readonly message?: unknown }) => this.#failed(event);
    this.#socket.onclose = (event: { readonly code?: number; readonly reason?: string }) =>
      this.#end(event.code, event.reason);
  }

  /** The socket had opened. */
  get opened(): boolean {
    return this.#opened;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get bufferedAmount(): number | undefined {
    const amount: unknown = this.#socket.bufferedAmount;
    return typeof amount === 'number' ? amount : undefined;
  }

  send(frame: string): boolean {
    // A socket that is closing drops what it is given without a word.
    if (this.#abandoned || this.#socket.readyState !== READY_STATE.OPEN) return false;
    try {
      this.#socket.send(frame);
      return true;
    } catch {
      return false;
    }
  }

  welcomed(welcome: Welcomed): void {
    this.#events.welcomed(this, welcome);
  }

  leaving({ afterMs, withinMs }: { readonly afterMs: number; readonly withinMs: number }): void {
    const now = performance.now();
    this.#leaving = { beginsAt: now + Math.min(afterMs, DAY_MS), withinMs: Math.min(withinMs, DAY_MS) };
    const window = this.leavingWindow(now);
    if (window !== undefined) this.#events.leaving(this, window);
  }

  /**
   * The window that the peer announced, as delays from now. It keeps its width when it has begun, or is over: whoever
   * is still there then is lost at one moment, and must not come back at one.
   */
  leavingWindow(now: number): DelayWindow | undefined {
    if (this.#leaving === undefined) return undefined;
    const fromMs = Math.max(0, this.#leaving.beginsAt - now);
    return { fromMs, toMs: fromMs + Math.max(MIN_WINDOW_MS, this.#leaving.withinMs) };
  }

  drop(code: number, reason: string): void {
    this.#events.dropped(this, code, reason);
  }

  /** Detaches the socket, asks it to close and forgets it: the answer may take a minute, or never come. */
  abandon(code: number, reason: string): void {
    this.#abandoned = true;
    clearTimeout(this.#timer);
    this.liveness?.stop();
    const socket = this.#socket;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    // Not null: `ws` reports the end of an unfinished handshake as an error, which must not go unheard.
    socket.onerror = ignore;
    try {
      socket.close(permittedCode(code), truncateReason(reason));
    } catch {
      // Forgotten all the same.
    }
  }

  #open(): void {
    this.#opened = true;
    this.#events.opened(this);
  }

  #message(data: unknown): void {
    if (typeof data === 'string') this.#events.frame(this, data);
    else this.#events.binary(this);
  }

  /**
   * An `error` is normally followed by a `close` with the true code, in the same task. Not so in Chromium when the
   * page's policy blocks the URL: the socket is CLOSED from the start and there is an `error` only.
   */
  #failed(event: { readonly error?: unknown; readonly message?: unknown }): void {
    if (this.#abandoned) return;
    this.#error ??= event.error ?? (typeof event.message === 'string' ? new Error(event.message) : undefined);
    const graceMs = this.#socket.readyState === READY_STATE.CLOSED ? 0 : CLOSE_AFTER_ERROR_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(CloseCode.ABNORMAL, ''), graceMs);
  }

  #end(code: number | undefined, reason: string | undefined): void {
    // Deno gives 0, a mock may give nothing: no code.
    const end = { code: code || CloseCode.ABNORMAL, reason: reason ?? '' };
    this.#events.ended(this, this.#error === undefined ? end : { ...end, error: this.#error });
  }
}

function ignore(): void {}

/** WHATWG: `close()` takes 1000 and 3000 to 4999 and throws for any other code. */
function permittedCode(code: number): number {
  return code === CloseCode.NORMAL || (code >= 3000 && code <= 4999) ? code : LEAVING;
}

/**
 * Private code for a socket given up while the connection goes on. Not 1000, after which the server forgets the client.
 */
export const LEAVING = 4000;
