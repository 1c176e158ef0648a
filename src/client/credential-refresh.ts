import { backoffWindow, drawDelay } from '../primitives/backoff.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { encodeAuth } from '../protocol/encode.ts';
import type { WireError } from '../protocol/messages.ts';
import type { Credentials } from '../transport/credentials/credentials.ts';
import { StopReconnecting } from '../transport/stop-reconnecting.ts';
import { describeThrown, type FlightRecorder } from './flight-recorder.ts';
import type { LinkState } from './link-state.ts';
import type { Outbound, Outbox } from './outbox.ts';

/** Part of a token's life after which it is refreshed: 80 %, give or take 5, so that a fleet does not ask at once. */
const DUE = { from: 0.75, to: 0.85 };
/** Least time between two refreshes, ms. */
const LEAST_MS = 1_000;
/** Windows of the delays after a failure, ms. */
const RETRY = { firstMs: 1_000, capMs: 30_000 };
/** `setTimeout` takes 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a refresh needs of its connection. */
export interface RefreshParts {
  readonly credentials: Credentials;
  readonly outbox: Outbox;
  /** [0, 1). */
  readonly random: () => number;
  readonly takeId: () => number;
  readonly report: (error: unknown) => void;
  readonly note: FlightRecorder['note'];
}

/**
 * Keeps the credentials of one welcomed socket fresh: asks for new ones before they expire and tells the server, in
 * band. While that fails the old ones are in force, and it is tried again; only refused ones end the socket.
 */
export class CredentialRefresh {
  readonly #link: LinkState;
  readonly #parts: RefreshParts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Credentials that wait to be written. */
  #waiting: Outbound | undefined;
  /** Id of those that were written and have no answer. */
  #id: number | undefined;
  #failures = 0;
  #refused = false;
  #stopped = false;

  constructor(link: LinkState, parts: RefreshParts) {
    this.#link = link;
    this.#parts = parts;
    this.#schedule();
  }

  /** The answer to its message; `false` when it is one to something else. */
  answered(id: number, error?: WireError): boolean {
    if (id !== this.#id) return false;
    this.#id = undefined;
    if (error === undefined) this.#accepted();
    else if (error.code !== 'UNAUTHENTICATED') this.#retry(new Error(`Refreshing credentials: ${error.message}`));
    else if (this.#refused) this.#link.link.drop(CloseCode.UNAUTHENTICATED, 'the credentials were refused');
    else {
      this.#refused = true;
      this.#parts.note('auth', { step: 'refused' });
      void this.#ask();
    }
    return true;
  }

  /** The socket is gone. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.#waiting !== undefined) this.#parts.outbox.remove(this.#waiting);
  }

  #accepted(): void {
    this.#failures = 0;
    this.#refused = false;
    this.#parts.note('auth', { step: 'refreshed' });
    this.#schedule();
  }

  #schedule(): void {
    const { credentials, random } = this.#parts;
    const leftMs = credentials.leftMs(DUE.from + random() * (DUE.to - DUE.from));
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
      const token = await this.#parts.credentials.get(this.#refused ? 'refused' : 'refresh');
      if (!this.#stopped && token !== undefined) this.#send(token);
    } catch (error) {
      if (!this.#stopped) this.#retry(error);
    }
  }

  /** Never sent on another socket: that one's greeting carries the newest token. */
  #send(token: string): void {
    const { outbox, takeId } = this.#parts;
    const waiting: Outbound = {
      bytes: token.length,
      takesSlot: false,
      rides: false,
      write: () => {
        this.#waiting = undefined;
        this.#id = takeId();
        return encodeAuth(this.#id, token);
      },
      tooLarge: (frameBytes) => {
        this.#id = undefined;
        this.#retry(new RangeError(`The token is larger than the ${String(frameBytes)} bytes of a frame.`));
      },
    };
    this.#waiting = waiting;
    // A full queue is no reason to lose them.
    if (!outbox.push('ordered', waiting).accepted) outbox.push('control', waiting);
  }

  #retry(error: unknown): void {
    const { note, report, random } = this.#parts;
    note('auth', { step: 'failed', ...describeThrown(error) });
    report(error);
    // The old ones are in force as long as the server takes them; then the next attempt asks, and is told the same.
    if (error instanceof StopReconnecting) return;
    this.#wait(drawDelay(backoffWindow(this.#failures++, RETRY.firstMs, RETRY.capMs, LEAST_MS), random));
  }
}
