import { MAX_TIMER_MS } from '../primitives/deadlines.ts';
import { DEVELOPMENT } from '../development.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { truncateReason } from '../protocol/close-reaction.ts';
import { explainHopeless, isHopeless } from './hopeless-error.ts';
import { stopsReconnecting } from './stop-reconnecting.ts';
import type { CloseCause } from './transport.ts';
import { CLOSED, type WebSocketConstructor, type WebSocketLike } from './web-socket-like.ts';

/**
 * Private code for a socket given up while the connection goes on. Not 1000, after which the server forgets the client.
 */
export const LEAVING = 4000;

/** Time that a wake signal leaves to an attempt that is under way, ms: as a probe has. */
const WAKE_LIMIT_MS = 2_000;

/** A timer that is later than this fired on a page that slept, ms. */
export const LATE_MS = 1_000;

/**
 * Time for `close` to follow an `error` where the socket does not say that it is closed yet, ms. In an engine that
 * follows the standard both come in one task.
 */
const CLOSE_AFTER_ERROR_MS = 1_000;

/** Time for a socket that was left to be closed by its peer, ms, where the engine can end it sooner than by its own limit. */
const CLOSE_LIMIT_MS = 2_000;

/** Whoever has a line. It abandons it when it `ended`. */
export interface LineOwner<Self> {
  opened(line: Self): void;
  message(line: Self, data: unknown): void;
  /**
   * It came to nothing, or its socket is over.
   * @param isFinal - No other line can do better.
   */
  ended(line: Self, cause: CloseCause, isFinal?: boolean): void;
}

/**
 * One line, from asking for its target to the end of its socket: turns what engines do into one end, and can be
 * forgotten at any time without waiting for it. Until it is {@link welcomedAt} it has limited time.
 */
export class Line {
  /** There when the target is, until the line is abandoned. */
  socket: WebSocketLike | undefined;
  /** There until the line is abandoned: nothing that its socket still tells concerns anybody then. */
  owner: LineOwner<this> | undefined;
  /** The socket has opened. */
  opened = false;
  /** Monotonic time from which on it serves, ms; `Infinity` until then. */
  welcomedAt: number = Infinity;
  /** The engine reported an `error`. */
  failed = false;
  /** As the `close` event tells it. */
  wasClean = false;
  /** Its failure counts; not when a wake signal began it, nor when the page slept through it. */
  counts: boolean;
  /**
   * A sign of life was asked for and has not come, or a wake signal came, or the page slept, in the attempt: if it is
   * lost now, the cause lies with this client.
   */
  woken = false;
  /** Wall clock, ms: by it a timer finds that the page slept. */
  readonly beganAt: number = Date.now();
  readonly #limitMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** There until the target is known. */
  #asking: AbortController | undefined = new AbortController();
  #error: unknown;

  constructor(owner: LineOwner<Line>, limitMs: number, counts: boolean) {
    this.owner = owner;
    this.counts = counts;
    this.#limitMs = limitMs;
    this.alarm(limitMs, () => this.#timeUp(limitMs));
  }

  /** A wake signal came while it is under way: it may lead through a network that is gone. Its failure does not count. */
  hurry(): void {
    // One that failed is about to end.
    if (this.woken || this.failed) return;
    this.woken = true;
    this.counts = false;
    const limitMs = Math.min(this.#limitMs, WAKE_LIMIT_MS);
    this.alarm(limitMs, () => this.#timeUp(limitMs));
  }

  /**
   * Asks for the target, then has it dialled. Ends without a word when the line is given up.
   * @param isFixed - Asking again can't give another target: what no socket can be made from stays so.
   */
  async ask<Given>(
    give: (signal: AbortSignal) => Promise<Given>,
    dial: (given: Given) => void,
    isFixed: boolean,
  ): Promise<void> {
    let given: Given | undefined;
    try {
      given = await give(this.#asking!.signal);
      if (this.owner) dial(given);
    } catch (error) {
      this.cannotDial(error, isFixed && given !== undefined);
    }
  }

  /** Makes the socket. @throws what its constructor throws */
  dial(WebSocket: WebSocketConstructor, url: string | URL, protocols: readonly string[]): void {
    this.#asking = undefined;
    // An object or an empty list as second argument is an error in some engines.
    const socket = protocols.length === 0 ? new WebSocket(url as string) : new WebSocket(url as string, [...protocols]);
    this.socket = socket;
    socket.onopen = () => {
      if (this.opened) return;
      this.opened = true;
      this.owner?.opened(this);
    };
    socket.onmessage = ({ data }: { readonly data: unknown }) => this.owner?.message(this, data);
    socket.onerror = (event: ErrorEvent) => this.#fail(event);
    socket.onclose = (event: CloseEvent) => this.#end(event);
    // The constructor is not ours: it may have called back.
    if (!this.owner) this.abandon(LEAVING);
  }

  /** There is no socket. @param isFixed - Nor would another attempt have a better target. */
  cannotDial(error: unknown, isFixed: boolean): void {
    const isLost = isFixed && isHopeless(error);
    const told = DEVELOPMENT && isLost ? explainHopeless(error) : error;
    const cause = causeOf(this, CloseCode.ABNORMAL, '', 'provider', told);
    this.owner?.ended(this, cause, isLost || stopsReconnecting(error));
  }

  /** It serves: its time is no longer limited. */
  settled(): void {
    clearTimeout(this.#timer);
    this.welcomedAt = performance.now();
  }

  /**
   * Sets its one timer, unless it was abandoned; it may ring early where it is far off: of its limited time, then of what watches it, and in the end of an
   * `error` without a `close`.
   */
  alarm(ms: number, ring: () => void): void {
    clearTimeout(this.#timer);
    if (this.owner) this.#timer = setTimeout(ring, Math.min(ms, MAX_TIMER_MS));
  }

  /**
   * Gives it up: clears its timer, and whoever it is waiting for. Detaches the socket, asks it to close and forgets it:
   * the answer may take a minute, or never come.
   */
  abandon(code?: number, reason = ''): void {
    const { socket } = this;
    this.socket = this.owner = undefined;
    clearTimeout(this.#timer);
    this.#asking?.abort();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#endSoon(socket);
    // Not null: `ws` reports the end of an unfinished handshake as an error, which must not go unheard.
    socket.onerror = () => {};
    try {
      // WHATWG: it takes 1000 and 3000 to 4999 and throws for any other code.
      const isPermitted = code === CloseCode.NORMAL || (code! >= 3000 && code! < 5000);
      if (code) socket.close(isPermitted ? code : LEAVING, truncateReason(reason));
      else socket.close();
    } catch {
      // Forgotten all the same.
    }
  }

  /** Nobody answers on a dead line: where it can be ended without an answer, it holds up neither a process nor memory. */
  #endSoon(socket: WebSocketLike): void {
    if (!socket.terminate || socket.readyState === CLOSED) return;
    const timer = setTimeout(() => {
      try {
        socket.terminate!();
      } catch {
        // Forgotten all the same.
      }
    }, CLOSE_LIMIT_MS);
    socket.onclose = () => clearTimeout(timer);
  }

  #timeUp(limitMs: number): void {
    if (!this.woken && Date.now() - this.beganAt > limitMs + LATE_MS) {
      // The page slept. What came in the meantime is handled first; what has not come by then will not.
      this.woken = true;
      this.counts = false;
      this.alarm(0, () => this.#timeUp(limitMs));
      return;
    }
    const reason = `not connected within ${limitMs} ms`;
    // Whoever it was waiting for is to blame.
    const isAsking = this.#asking !== undefined;
    const what = DEVELOPMENT ? `url or auth gave nothing within ${limitMs} ms` : reason;
    const error = isAsking ? new Error(what) : undefined;
    this.owner!.ended(this, causeOf(this, CloseCode.TIMED_OUT, reason, isAsking ? 'provider' : 'timeout', error));
  }

  /**
   * An `error` is normally followed by a `close` with the true code, in the same task. Not so in Chromium when the
   * page's policy blocks the URL: the socket is CLOSED from the start and there is an `error` only.
   */
  #fail({ error, message }: { readonly error?: unknown; readonly message?: string }): void {
    this.failed = true;
    this.#error ??= error ?? (message ? new Error(message) : undefined);
    this.alarm(this.socket?.readyState === CLOSED ? 0 : CLOSE_AFTER_ERROR_MS, () => this.#end({}));
  }

  #end({ code, reason = '', wasClean = false }: Partial<CloseEvent>): void {
    this.wasClean = wasClean;
    // Deno gives 0, a mock may give nothing: no code.
    this.owner?.ended(this, causeOf(this, code || CloseCode.ABNORMAL, reason, 'peer', this.#error));
  }
}

/** Events of a socket, as engines give them. */
interface ErrorEvent {
  readonly error?: unknown;
  readonly message?: string;
}

interface CloseEvent {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** Why a line ended, or a state in which there was none. */
export function causeOf(
  line: Line | undefined,
  code: number,
  reason: string,
  by: CloseCause['by'],
  error?: unknown,
): CloseCause {
  const cause = { code, reason, opened: !!line?.opened, by };
  return error === undefined ? cause : { ...cause, error };
}
