import { DEVELOPMENT } from '../development.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { truncateReason } from '../protocol/close-reaction.ts';
import { explainHopeless, isHopeless } from './hopeless-error.ts';
import { StopReconnecting } from './stop-reconnecting.ts';
import type { CloseCause } from './transport.ts';
import type { WebSocketConstructor, WebSocketLike } from './web-socket-like.ts';
import { READY_STATE } from './web-socket-like.ts';

/**
 * Private code for a socket given up while the connection goes on. Not 1000, after which the server forgets the client.
 */
export const LEAVING = 4000;

/** A timer that is later than this fired on a page that slept, ms. */
export const LATE_MS = 1_000;

/**
 * Time for `close` to follow an `error` where the socket does not say that it is closed yet, ms. In an engine that
 * follows the standard both come in one task.
 */
const CLOSE_AFTER_ERROR_MS = 1_000;

/** What a line leads to. */
export interface Target {
  readonly url: string | URL;
  readonly protocols: readonly string[];
  /** Credentials for the greeting. */
  readonly token?: string | undefined;
}

/** What is said of an end besides its cause. */
export interface LineEnd {
  /** No other line can do better. */
  readonly isFinal?: boolean;
  /** The page slept through the attempt. */
  readonly slept?: boolean;
  /** As the `close` event tells it. */
  readonly wasClean?: boolean;
  /** The engine reported an `error`. */
  readonly failed?: boolean;
}

/** Whoever has a line. It abandons it when it `ended`. */
export interface LineOwner<Self> {
  opened(line: Self): void;
  message(line: Self, event: { readonly data: unknown }): void;
  /** It came to nothing, or its socket is over. */
  ended(line: Self, cause: CloseCause, end: LineEnd): void;
}

/**
 * One line, from asking for its target to the end of its socket: turns what engines do into one end, and can be
 * forgotten at any time without waiting for it. Until it is {@link settled} it has limited time.
 */
export class Line {
  /** There when the target is. */
  socket: WebSocketLike | undefined;
  token: string | undefined;
  /** The socket has opened. */
  opened = false;
  /** Its failure counts; not when a wake signal began it, nor when the page slept through it. */
  counts: boolean;
  readonly #owner: LineOwner<this>;
  readonly #limitMs: number;
  /** Wall clock, ms: by it a timer finds that the page slept. */
  readonly #beganAt = Date.now();
  #timer: ReturnType<typeof setTimeout>;
  /** There until the target is known. */
  #asking: AbortController | undefined = new AbortController();
  #isOver = false;
  #failed = false;
  #error: unknown;

  constructor(owner: LineOwner<Line>, limitMs: number, counts: boolean) {
    this.#owner = owner;
    this.#limitMs = limitMs;
    this.counts = counts;
    this.#timer = setTimeout(() => this.#timedOut(), limitMs);
  }

  /** It began in the last second, as far as the wall clock knows. */
  get isFresh(): boolean {
    return Math.abs(Date.now() - this.#beganAt) <= LATE_MS;
  }

  get protocol(): string {
    return this.socket?.protocol ?? '';
  }

  /**
   * Asks for the target, then has it dialled. Ends without a word when the line is given up.
   * @param isFixed - Asking again can't give another target: what no socket can be made from stays so.
   */
  async ask(
    give: (signal: AbortSignal) => Promise<Target>,
    dial: (target: Target) => void,
    isFixed: boolean,
  ): Promise<void> {
    let isGiven = false;
    try {
      const target = await give(this.#asking!.signal);
      if (this.#isOver) return;
      isGiven = true;
      dial(target);
    } catch (error) {
      if (!this.#isOver) this.#cameToNothing(error, isGiven && isFixed);
    }
  }

  /** Makes the socket. @throws what its constructor throws */
  dial(WebSocket: WebSocketConstructor, { url, protocols, token }: Target): void {
    this.#asking = undefined;
    this.token = token;
    // An object or an empty list as second argument is an error in some engines.
    const socket = protocols.length === 0 ? new WebSocket(url as string) : new WebSocket(url as string, [...protocols]);
    this.socket = socket;
    socket.onopen = () => {
      this.opened = true;
      this.#owner.opened(this);
    };
    socket.onmessage = (event: { readonly data: unknown }) => this.#owner.message(this, event);
    socket.onerror = (event: { readonly error?: unknown; readonly message?: unknown }) => this.#fail(event);
    socket.onclose = (event: { readonly code?: number; readonly reason?: string; readonly wasClean?: boolean }) =>
      this.#end(event);
    // The constructor is not ours: it may have called back.
    if (this.#isOver) this.abandon(LEAVING);
  }

  /** No socket can be made: tells why, and whether another attempt can. */
  cannotDial(error: unknown, isFinal: boolean): void {
    this.#cameToNothing(error, isFinal);
  }

  /** It serves: its time is no longer limited. */
  settled(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Gives it up: clears its timer, and whoever it is waiting for. Detaches the socket, asks it to close and forgets it:
   * the answer may take a minute, or never come.
   */
  abandon(code?: number, reason = ''): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const { socket } = this;
    if (socket === undefined) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Not null: `ws` reports the end of an unfinished handshake as an error, which must not go unheard.
    socket.onerror = () => {};
    try {
      if (code === undefined) socket.close();
      else socket.close(permittedCode(code), truncateReason(reason));
    } catch {
      // Forgotten all the same.
    }
  }

  #cameToNothing(error: unknown, mayBeHopeless: boolean): void {
    const isFinal = error instanceof StopReconnecting || (mayBeHopeless && isHopeless(error));
    const cause = { code: CloseCode.ABNORMAL, reason: '', opened: false };
    if (isFinal && mayBeHopeless)
      this.#owner.ended(this, { ...cause, by: 'app', error: DEVELOPMENT ? explainHopeless(error) : error }, FINAL);
    else this.#owner.ended(this, { ...cause, by: 'provider', error }, { isFinal, failed: true });
  }

  #timedOut(): void {
    if (Date.now() - this.#beganAt <= this.#limitMs + LATE_MS) {
      this.#timeUp(false);
      return;
    }
    // The page slept. What came in the meantime is handled first; what has not come by then will not.
    this.counts = false;
    this.#timer = setTimeout(() => this.#timeUp(true), 0);
  }

  #timeUp(slept: boolean): void {
    const limit = `${this.#limitMs} ms`;
    const cause = { code: CloseCode.TIMED_OUT, reason: `not connected within ${limit}`, opened: this.opened };
    // Whoever it was waiting for is to blame.
    const blamed: CloseCause =
      this.#asking === undefined
        ? { ...cause, by: 'timeout' }
        : { ...cause, by: 'provider', error: new Error(`url or auth gave nothing within ${limit}`) };
    this.#owner.ended(this, blamed, { slept, failed: true });
  }

  /**
   * An `error` is normally followed by a `close` with the true code, in the same task. Not so in Chromium when the
   * page's policy blocks the URL: the socket is CLOSED from the start and there is an `error` only.
   */
  #fail(event: { readonly error?: unknown; readonly message?: unknown }): void {
    if (this.#isOver) return;
    this.#failed = true;
    this.#error ??= event.error ?? (typeof event.message === 'string' ? new Error(event.message) : undefined);
    const graceMs = this.socket!.readyState === READY_STATE.CLOSED ? 0 : CLOSE_AFTER_ERROR_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end({}), graceMs);
  }

  #end({ code, reason = '', wasClean }: { code?: number; reason?: string; wasClean?: boolean }): void {
    // Deno gives 0, a mock may give nothing: no code.
    const cause: CloseCause = { code: code || CloseCode.ABNORMAL, reason, opened: this.opened, by: 'peer' };
    const error = this.#error;
    this.#owner.ended(this, error === undefined ? cause : { ...cause, error }, {
      wasClean: wasClean ?? false,
      failed: this.#failed,
    });
  }
}

const FINAL: LineEnd = { isFinal: true, failed: true };

/** WHATWG: `close()` takes 1000 and 3000 to 4999 and throws for any other code. */
function permittedCode(code: number): number {
  return code === CloseCode.NORMAL || (code >= 3000 && code <= 4999) ? code : LEAVING;
}
