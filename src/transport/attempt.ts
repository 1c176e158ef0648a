import { timeoutCause } from './attempt-failure.ts';
import type { TransportParts } from './credentials.ts';
import type { Dialler } from './dial.ts';
import { dial } from './dial.ts';
import type { SocketLink, SocketLinkEvents } from './socket-link.ts';
import type { CloseCause } from './transport.ts';
import type { AuthRequest, UrlRequest } from './transport-options.ts';

/** A timer that is later than this fired on a page that slept, ms. */
const LATE_MS = 1_000;

/** Whoever makes attempts. */
export interface AttemptOwner {
  /** It came to nothing. With `slept` because the page slept through it. */
  readonly attemptFailed: (attempt: Attempt, cause: CloseCause, slept: boolean) => void;
  /** No attempt can do better. */
  readonly attemptStopped: (attempt: Attempt, cause: CloseCause) => void;
}

/** Getting URL and credentials, then a socket, then its welcome, in limited time. */
export class Attempt implements Dialler {
  /** There when URL and credentials are. */
  socket: SocketLink | undefined;
  token: string | undefined;
  /** Its failure counts; not when a wake signal began it, nor when the page slept through it. */
  counts: boolean;
  readonly events: SocketLinkEvents;
  readonly #options: TransportParts;
  readonly #owner: AttemptOwner;
  /** Wall clock, ms: by it a timer finds that the page slept. */
  readonly #beganAt = Date.now();
  #timer: ReturnType<typeof setTimeout>;
  /** There until the app has given URL and credentials. */
  #providers: AbortController | undefined = new AbortController();
  #released = false;

  /** @param events - What its socket reports. */
  constructor(options: TransportParts, owner: AttemptOwner, events: SocketLinkEvents, counts: boolean) {
    this.#options = options;
    this.#owner = owner;
    this.events = events;
    this.counts = counts;
    this.#timer = setTimeout(() => this.#timedOut(), options.connectTimeoutMs);
  }

  get current(): boolean {
    return !this.#released;
  }

  /** It began in the last second, as far as the wall clock knows. */
  get isFresh(): boolean {
    return Math.abs(Date.now() - this.#beganAt) <= LATE_MS;
  }

  begin(request: Omit<UrlRequest & AuthRequest, 'signal'>): void {
    if (this.#providers !== undefined) void dial(this.#options, { ...request, signal: this.#providers.signal }, this);
  }

  provided(token: string | undefined): void {
    this.#providers = undefined;
    this.token = token;
  }

  dialled(link: SocketLink): void {
    this.socket = link;
  }

  failed(cause: CloseCause): void {
    this.#owner.attemptFailed(this, cause, false);
  }

  stopped(cause: CloseCause): void {
    this.#owner.attemptStopped(this, cause);
  }

  /** Gives it up, or over: clears its timer, and whoever it is waiting for. Its socket goes its own way. */
  release(): void {
    this.#released = true;
    clearTimeout(this.#timer);
    this.#providers?.abort();
  }

  #timedOut(): void {
    const { connectTimeoutMs } = this.#options;
    if (Date.now() - this.#beganAt <= connectTimeoutMs + LATE_MS) {
      this.#timeUp(false);
      return;
    }
    // The page slept. What came in the meantime is handled first; what has not come by then will not.
    this.counts = false;
    this.#timer = setTimeout(() => this.#timeUp(true), 0);
  }

  #timeUp(slept: boolean): void {
    const waiting = { forProviders: this.#providers !== undefined, opened: this.socket?.opened ?? false };
    this.#owner.attemptFailed(this, timeoutCause(waiting, this.#options.connectTimeoutMs), slept);
  }
}
