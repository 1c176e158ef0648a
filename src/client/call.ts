import { TautlineError, isTautlineError, type Outcome, type SystemCode, type TautlineErrorDetails } from '../errors.ts';
import type { Deadline, Deadlines } from '../primitives/deadlines.ts';
import type { WireError } from '../protocol/messages.ts';
import type { LinkState, Slot } from './link-state.ts';
import type { Outbound } from './outbox.ts';

/** What a call asks, and how its answer is read. */
export interface CallRequest {
  /** Contract path, for messages. */
  readonly path: string;
  /** It can change something: it waits for the welcome and is not repeated blindly. */
  readonly acts: boolean;
  readonly idempotent: boolean;
  /** Topic on the wire, for a publish. */
  readonly topic?: string;
  /** UTF-8 bytes of its payload. */
  readonly bytes: number;
  /** The message. `leftMs` is `Infinity` where no deadline is in force. */
  readonly write: (id: number, leftMs: number, link: LinkState) => string;
  /** The output of a reply, or a promise of it; fails with a {@link TautlineError}. */
  readonly readReply: (json: unknown, meta: unknown) => unknown;
  /** `mayHaveRun`: it was sent under another memory before, of whose run the error says nothing. */
  readonly readError: (
    error: WireError,
    json: unknown,
    meta: unknown,
    mayHaveRun: boolean,
  ) => TautlineError | Promise<TautlineError>;
  /** Takes an item: there where the call is a stream, whose reply is its end. */
  readonly readItem?: (seq: number, json: unknown, meta: unknown) => void;
}

/** How a caller wants one call run. */
export interface CallTerms {
  readonly signal?: AbortSignal | undefined;
  /** Monotonic clock, ms. */
  readonly deadlineAt: number;
  readonly timeoutMs: number;
}

/** Who takes part in the life of a call. */
export interface CallOwner {
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** Gives the call its id when it is first written, and notes where it was sent. */
  readonly written: (call: Call, link: LinkState) => void;
  /** The caller gave up, or the deadline passed: the call is settled, the owner forgets it. */
  readonly abandoned: (call: Call) => void;
  /** It ended with an error. */
  readonly failed: (error: TautlineError) => void;
  /** It has its result: the owner lets go of it. */
  readonly settled: (call: Call) => void;
  /** It was given an id, but its message was not sent after all. */
  readonly withdrawn: (call: Call) => void;
  /** Has a control message written to the socket on which the call was sent, unless it waits already. */
  readonly tell: (call: Call, message: Outbound) => void;
}

/** One request that the server answers. It settles exactly once. */
export class Call implements Outbound {
  readonly request: CallRequest;
  readonly takesSlot: Slot;
  /** 0 until it is first written: an id that was never written need not be kept by anybody. */
  id = 0;
  /** Name of the server's memory under which it was sent. */
  memory: string | undefined;
  /** It was sent under another memory, too. */
  mayHaveRun = false;
  /** The socket it was last sent on, while that one lives. */
  on: LinkState | undefined;
  settled = false;
  /** An item came: so the server has taken it in, whatever it minds later. */
  heard = false;
  #writes = 0;
  #wakeWaiter: (() => void) | undefined;

  readonly #owner: CallOwner;
  readonly #terms: CallTerms;
  readonly #resolve: (output: unknown) => void;
  readonly #reject: (error: TautlineError) => void;
  #deadline: Deadline | undefined;
  readonly #onAbort = (): void => {
    this.#giveUp('ABORTED', 'the caller aborted it');
  };

  constructor(
    request: CallRequest,
    terms: CallTerms,
    owner: CallOwner,
    resolve: (output: unknown) => void,
    reject: (error: TautlineError) => void,
  ) {
    this.request = request;
    this.takesSlot = request.readItem === undefined ? 'calls' : 'streams';
    this.#terms = terms;
    this.#owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
    // First what may throw: a signal that is none must leave no deadline behind.
    terms.signal?.addEventListener('abort', this.#onAbort);
    this.#deadline = owner.deadlines.add(terms.deadlineAt, () => {
      this.#giveUp('TIMEOUT', `no answer within ${String(terms.timeoutMs)} ms`);
    });
  }

  get bytes(): number {
    return this.request.bytes;
  }

  get rides(): boolean {
    return !this.request.acts;
  }

  /** What can be said of the work: nothing was sent, or nobody knows. */
  get outcome(): Outcome {
    return this.id === 0 ? 'not-sent' : 'unknown';
  }

  /** Resolves when the call is settled: for whoever prepares it asynchronously. */
  whenSettled(): Promise<void> {
    return this.settled ? Promise.resolve() : new Promise((resolve) => (this.#wakeWaiter = resolve));
  }

  write(link: LinkState): string | undefined {
    if (this.settled) return undefined;
    this.#owner.written(this, link);
    this.#writes++;
    const leftMs = this.#deadline === undefined ? Infinity : this.#terms.deadlineAt - this.#owner.now();
    return this.request.write(this.id, Math.max(0, leftMs), link);
  }

  tooLarge(frameBytes: number): void {
    this.fail('TOO_LARGE', `it takes more than the ${String(frameBytes)} bytes that the server accepts in a frame`, {
      outcome: this.#writes > 1 ? 'unknown' : 'not-sent',
      remedy: 'Send it in parts, or raise the server’s limits.frameBytes.',
    });
    this.#owner.withdrawn(this);
  }

  item(seq: number, json: unknown, meta: unknown): void {
    this.heard = true;
    this.request.readItem?.(seq, json, meta);
  }

  reply(json: unknown, meta: unknown): void {
    this.#finish(() => this.request.readReply(json, meta), this.#succeed);
  }

  error(error: WireError, json: unknown, meta: unknown): void {
    this.#finish(() => this.request.readError(error, json, meta, this.mayHaveRun), this.refuse);
  }

  fail(code: SystemCode, what: string, details: Partial<TautlineErrorDetails> = {}): void {
    this.refuse(this.failure(code, what, details));
  }

  /** An error of this call, with what is known of its outcome. */
  failure(code: SystemCode, what: string, details: Partial<TautlineErrorDetails> = {}): TautlineError {
    const { path } = this.request;
    return new TautlineError(code, `${path}: ${what}.`, { outcome: this.outcome, path, ...details });
  }

  /** Ends it with an error, and has the server told that nobody waits for it any more. */
  abandon(error: TautlineError): void {
    if (this.settled) return;
    this.refuse(error);
    this.#owner.abandoned(this);
  }

  /** Its caller has left: as {@link abandon}, but there is nobody to be told. */
  leave(): void {
    if (this.#settle()) this.#owner.abandoned(this);
  }

  /** From now on it may take for ever. */
  liftDeadline(): void {
    if (this.#deadline !== undefined) this.#owner.deadlines.remove(this.#deadline);
    this.#deadline = undefined;
  }

  tell(message: Outbound): void {
    this.#owner.tell(this, message);
  }

  #giveUp(code: 'ABORTED' | 'TIMEOUT', what: string): void {
    const cause: unknown = code === 'ABORTED' ? this.#terms.signal?.reason : undefined;
    this.abandon(this.failure(code, what, { cause, retryable: code === 'TIMEOUT' }));
  }

  /** Reading may be asynchronous (a schema): the deadline and the signal stay in force until it is done. */
  #finish<Answer>(read: () => Answer | Promise<Answer>, done: (answer: Answer) => void): void {
    try {
      const answer = read();
      if (answer instanceof Promise) answer.then(done, this.unreadable);
      else done(answer);
    } catch (error) {
      this.unreadable(error);
    }
  }

  /** Ends it with what was thrown while its input was checked or its answer read. */
  readonly unreadable = (error: unknown): void => {
    if (isTautlineError(error)) this.refuse(error);
    else this.fail('BAD_OUTPUT', 'the answer could not be read', { outcome: 'unknown', cause: error });
  };

  readonly #succeed = (output: unknown): void => {
    if (this.#settle()) this.#resolve(output);
  };

  /** Ends it with an error of somebody else. */
  readonly refuse = (error: TautlineError): void => {
    if (!this.#settle()) return;
    this.#owner.failed(error);
    this.#reject(error);
  };

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.liftDeadline();
    this.#terms.signal?.removeEventListener('abort', this.#onAbort);
    this.#wakeWaiter?.();
    this.#owner.settled(this);
    return true;
  }
}
