import { MAX_TIMER_MS } from '../../primitives/deadlines.ts';
import { backoffWindow, drawDelay } from '../../primitives/backoff.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { encodeAuth } from '../../protocol/encode.ts';
import type { WireError } from '../../protocol/messages.ts';
import type { Credentials } from '../../transport/credentials/credentials.ts';
import { stopsReconnecting } from '../../transport/stop-reconnecting.ts';
import type { Kernel } from '../kernel/capability.ts';
import type { LinkState } from '../kernel/link-state.ts';
import { control, type Outbound } from '../requests/outbound.ts';

/** Part of a token's life after which it is refreshed: 80 %, give or take 5, so that a fleet does not ask at once. */
const DUE = { from: 0.75, to: 0.85 };
/** Least time between two refreshes, ms. */
const LEAST_MS = 1_000;
/** Windows of the delays after a failure, ms. */
const RETRY = { firstMs: 1_000, capMs: 30_000 };

/**
 * Keeps the credentials of one welcomed socket fresh: asks for new ones before they expire and tells the server, in
 * band. While that fails the old ones are in force, and it is tried again; only refused ones end the socket.
 */
export class CredentialRefresh {
  readonly link: LinkState;
  readonly #kernel: Kernel;
  readonly #credentials: Credentials;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Credentials that wait to be written. */
  #waiting: Outbound | undefined;
  #failures = 0;
  #refused = false;
  #stopped = false;

  constructor(link: LinkState, kernel: Kernel, credentials: Credentials) {
    this.link = link;
    this.#kernel = kernel;
    this.#credentials = credentials;
    this.#schedule();
  }

  /** The socket is gone. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.#waiting !== undefined) this.#kernel.outbox.remove(this.#waiting);
  }

  /** The answer to its message. */
  #answered(error?: WireError): void {
    if (this.#stopped) return;
    if (error === undefined) {
      this.#failures = 0;
      this.#refused = false;
      this.#kernel.note('auth', { step: 'refreshed' });
      this.#schedule();
    } else if (error.code !== 'UNAUTHENTICATED') this.#retry(new Error(`Refreshing credentials: ${error.message}`));
    else if (this.#refused) this.link.link.drop(CloseCode.UNAUTHENTICATED, 'the credentials were refused');
    else {
      this.#refused = true;
      this.#kernel.note('auth', { step: 'refused' });
      void this.#ask();
    }
  }

  #schedule(): void {
    const leftMs = this.#credentials.leftMs(DUE.from + this.#kernel.random() * (DUE.to - DUE.from));
    if (leftMs !== undefined) this.#wait(Math.max(LEAST_MS, leftMs));
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(
      () => {
        if (ms > MAX_TIMER_MS) this.#wait(ms - MAX_TIMER_MS);
        else void this.#ask();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
  }

  async #ask(): Promise<void> {
    try {
      const token = await this.#credentials.get(this.#refused ? 'refused' : 'refresh');
      if (!this.#stopped && token !== undefined) this.#send(token);
    } catch (error) {
      if (!this.#stopped) this.#retry(error);
    }
  }

  /** Never sent on another socket: that one's greeting carries the newest token. */
  #send(token: string): void {
    const { outbox, requests } = this.#kernel;
    const waiting: Outbound = {
      ...control(() => {
        this.#waiting = undefined;
        return encodeAuth(
          requests.takeId((error) => this.#answered(error)),
          token,
        );
      }),
      bytes: token.length,
      tooLarge: ({ messageBytes }) => {
        this.#retry(new RangeError(`The token is larger than the ${messageBytes} bytes that the server accepts.`));
      },
    };
    this.#waiting = waiting;
    // A full queue is no reason to lose them.
    if (!outbox.push('ordered', waiting).accepted) outbox.push('control', waiting);
  }

  #retry(error: unknown): void {
    this.#kernel.note('auth', { step: 'failed', error });
    // One that was given up for another is no failure of anybody's.
    if ((error as Error | undefined)?.name !== 'AbortError') this.#kernel.report(error);
    // The old ones are in force as long as the server takes them; then the next attempt asks, and is told the same.
    if (stopsReconnecting(error)) return;
    const window = backoffWindow(this.#failures++, RETRY.firstMs, RETRY.capMs, LEAST_MS);
    this.#wait(drawDelay(window, this.#kernel.random));
  }
}
