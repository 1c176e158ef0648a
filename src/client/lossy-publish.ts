import { TautlineError, isTautlineError, type SystemCode } from '../errors.ts';
import type { Deadline } from '../primitives/deadlines.ts';
import { encodePublish } from '../protocol/encode.ts';
import { utf8Length } from '../protocol/utf8.ts';
import type { PublishOptions } from './call-options.ts';
import type { CallTerms } from './call.ts';
import type { LinkState } from './link-state.ts';
import type { Outbound } from './outbox.ts';

/** Options of a publish that may be dropped. */
export interface LossyOptions extends PublishOptions {
  /** At most once, and no answer: it is dropped where the connection can't keep up. */
  readonly delivery: 'lossy';
  /** While it waits, a newer one of the topic with the same key takes its place: the latest wins. */
  readonly conflate?: string | undefined;
}

/**
 * What became of a lossy publish: `sent` to the socket (whether it arrived is not known), or dropped because a newer
 * one with its key (`conflated`) or a reliable one of its topic (`superseded`) came while it waited, because the queue
 * was full (`evicted`), its time was over (`expired`), there was no connection to wait for (`offline`) or it ended
 * (`closed`).
 */
export type LossyOutcome = 'sent' | 'conflated' | 'superseded' | 'evicted' | 'expired' | 'offline' | 'closed';

/** Who waits for a lossy publish. */
export interface LossyWaiter {
  readonly resolve: (outcome: LossyOutcome) => void;
  readonly reject: (error: TautlineError) => void;
}

/** A publish that may be dropped, until it is written or dropped. It settles exactly once. */
export class LossyPublish implements Outbound {
  readonly takesSlot = false;
  readonly rides = false;
  readonly bytes: number;
  readonly topic: string;
  readonly key: string | undefined;
  settled = false;
  deadline: Deadline | undefined;
  readonly #path: string;
  readonly #message: string;
  readonly #signal: AbortSignal | undefined;
  readonly #waiter: LossyWaiter;
  readonly #ended: (entry: LossyPublish, outcome: LossyOutcome | undefined) => void;
  #wakeWaiter: (() => void) | undefined;
  readonly #onAbort = (): void => {
    this.#fail('ABORTED', 'the caller aborted it', this.#signal?.reason);
  };

  constructor(
    { path, name, payload, conflate }: LossyRequest,
    { signal }: CallTerms,
    waiter: LossyWaiter,
    ended: (entry: LossyPublish, outcome: LossyOutcome | undefined) => void,
  ) {
    this.#path = path;
    this.topic = name;
    this.key = conflate;
    this.#message = encodePublish(0, name, payload);
    this.bytes = utf8Length(this.#message);
    this.#waiter = waiter;
    this.#ended = ended;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** Resolves when it is settled: for whoever prepares it asynchronously. */
  whenSettled(): Promise<void> {
    return this.settled ? Promise.resolve() : new Promise((resolve) => (this.#wakeWaiter = resolve));
  }

  write({ frameBytes }: LinkState): string | undefined {
    // Looked at here, so that it is not told as sent: the brackets of the frame, and a comma.
    if (this.bytes + 3 > frameBytes) {
      this.#fail('TOO_LARGE', `it takes more than the ${String(frameBytes)} bytes that the server accepts in a frame`);
      return undefined;
    }
    this.end('sent');
    return this.#message;
  }

  evicted(): void {
    this.end('evicted');
  }

  end(outcome: LossyOutcome): void {
    if (this.#settle(outcome)) this.#waiter.resolve(outcome);
  }

  /** Its value was refused by the schema, or the schema failed. */
  readonly refuse = (error: unknown): void => {
    if (!isTautlineError(error)) this.#fail('BAD_INPUT', 'it could not be checked', error);
    else if (this.#settle(undefined)) this.#waiter.reject(error);
  };

  #fail(code: SystemCode, what: string, cause?: unknown): void {
    const path = this.#path;
    this.refuse(new TautlineError(code, `${path}: ${what}.`, { outcome: 'not-sent', path, cause }));
  }

  #settle(outcome: LossyOutcome | undefined): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#ended(this, outcome);
    this.#wakeWaiter?.();
    return true;
  }
}

/** What a lossy publish says. */
export interface LossyRequest {
  /** Contract path, for messages. */
  readonly path: string;
  /** Topic on the wire. */
  readonly name: string;
  readonly payload: string;
  readonly conflate: string | undefined;
}
