import { offAbort, onAbort } from '../../primitives/abort-listeners.ts';
import { DEVELOPMENT } from '../../development.ts';
import { callIsolated } from '../../primitives/emit.ts';
import {
  TautlineError,
  isTautlineError,
  type Outcome,
  type SystemCode,
  type TautlineErrorDetails,
} from '../../errors.ts';
import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { Chain, Queued } from '../../primitives/send-queue.ts';
import type { WireError } from '../../protocol/messages.ts';
import type { PartLimits } from '../kernel/link-parts.ts';
import type { LinkState, Slot } from '../kernel/link-state.ts';
import type { ConnectionStatus } from '../../transport/transport.ts';
import { callSite, tellSite } from './call-site.ts';
import type { Outbound } from './outbound.ts';
import type { CallOptions, CallProgress } from './request-options.ts';

/** What a request needs of its connection. */
export interface RequestSurroundings {
  readonly deadlines: Deadlines;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  readonly status: ConnectionStatus;
  /** Reports what no caller waits for. */
  readonly report: (error: unknown) => void;
}

/** Who takes part in the life of a request. */
export interface RequestOwner {
  readonly surroundings: RequestSurroundings;
  /** Gives the request its id when it is first written, and notes where it was sent. */
  written(request: Request, link: LinkState): void;
  /** It is settled, and the server need not answer it any more: the owner forgets it. */
  abandoned(request: Request): void;
  /** It has its result, or an error: the owner lets go of it. */
  settled(request: Request, error?: TautlineError): void;
  /** It was given an id, but its message was not sent after all. */
  withdrawn(request: Request): void;
  /** What it waits for that was not sent, for people. */
  whyUnsent(request: Request): string | false;
}

/** Something that the server answers: a call, a publish, a run of a stream. It settles exactly once. */
export abstract class Request implements Outbound {
  lane: Chain | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  /** UTF-8 bytes of its payload. */
  readonly bytes: number;
  /** 0 until it is first written: an id that was never written need not be kept by anybody. */
  id = 0;
  /** Name of the server's memory under which it was sent, once all of it was. */
  memory: string | undefined = undefined;
  /** It was sent under another memory, too: of that run an error says nothing. */
  mayHaveRun = false;
  /** The socket it was last sent on, while that one lives. */
  on: LinkState | undefined = undefined;
  settled = false;
  /** Its number in the batch of {@link on}. */
  place = 0;
  /** Sockets in a row that were lost when it was on its way, where it is large enough to be the cause. */
  declare losses?: number;
  /** Parts of it that the peer took in on {@link on}; and how far it was when its last socket was lost. */
  declare taken?: number;
  declare lostAt?: number;
  #writes = 0;
  #owner: RequestOwner | undefined = undefined;
  #deadline: Deadline | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;
  readonly #resolve: (output: never) => void;
  readonly #reject: (error: TautlineError) => void;
  /** Of a call whose caller wants to know how far it is. */
  declare onProgress: CallOptions['onProgress'];
  /** Parts that it takes, where it takes some. */
  declare parts?: number;
  /** Of one whose input is checked asynchronously: tells that it is settled. */
  declare wakeWaiter?: () => void;
  /** In development: where the app asked for it, and the time that it had. */
  declare readonly site: Error | undefined;
  declare timeoutMs?: number;

  constructor(bytes: number, resolve: (output: never) => void, reject: (error: TautlineError) => void) {
    this.bytes = bytes;
    this.#resolve = resolve;
    this.#reject = reject;
    if (DEVELOPMENT) this.site = callSite();
  }

  /** Contract path, for messages. */
  abstract readonly path: string;

  /** It can change something: it waits for the welcome and is not repeated blindly. */
  get acts(): boolean {
    return true;
  }

  /** Running it twice does no harm. */
  get idempotent(): boolean {
    return false;
  }

  get takesSlot(): Slot {
    return 'calls';
  }

  /** Topic on the wire, of a publish. */
  get topic(): string | undefined {
    return undefined;
  }

  get rides(): boolean {
    return !this.acts;
  }

  /** The server has taken it in, whatever it minds later. */
  get isTakenIn(): boolean {
    return false;
  }

  /** The message. `leftMs` is `Infinity` where no deadline is in force. */
  protected abstract message(leftMs: number, link: LinkState): string;

  /**
   * The output of a reply or the error that a server's error stands for, or a promise of it; fails with a
   * {@link TautlineError}.
   */
  protected abstract read(error: WireError | undefined, json: unknown, meta: unknown, isVetted: boolean): unknown;

  /** It is taken in. @throws what a signal throws that is none */
  begin(owner: RequestOwner, signal: AbortSignal | undefined, timeoutMs: number): void {
    // First what may throw: then no deadline is left behind.
    onAbort(signal, this);
    this.#owner = owner;
    this.#signal = signal;
    if (DEVELOPMENT) this.timeoutMs = timeoutMs;
    // A whole number takes no room of its own.
    const { deadlines, now } = owner.surroundings;
    this.#deadline = deadlines.add(Math.ceil(now() + timeoutMs), this);
  }

  /** Resolves when it is settled: for whoever prepares it asynchronously. */
  whenSettled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.settled) resolve();
      else this.wakeWaiter = resolve;
    });
  }

  write(link: LinkState): string | undefined {
    if (this.settled) return undefined;
    this.#owner!.written(this, link);
    this.#writes++;
    const leftMs = this.#deadline === undefined ? Infinity : this.#deadline.atMs - this.#owner!.surroundings.now();
    return this.message(Math.max(0, leftMs), link);
  }

  /** An act is only ever written after the welcome, so there is a name to note. */
  sent(memory: string | undefined): void {
    if (!this.acts) return;
    this.memory ??= memory;
    this.mayHaveRun ||= this.memory !== memory;
  }

  tooLarge({ partBytes, messageBytes }: PartLimits): void {
    const limit = partBytes < Infinity ? 'message' : 'frame';
    this.fail(
      'TOO_LARGE',
      DEVELOPMENT && `it takes more than the ${messageBytes} bytes that the server accepts in a ${limit}`,
      {
        outcome: this.#writes > 1 ? 'unknown' : 'not-sent',
        remedy: DEVELOPMENT && `Send less at a time, or raise the server’s limits.${limit}Bytes.`,
      },
    );
    this.#owner!.withdrawn(this);
  }

  /** A part of it was taken in, or one of its answer has come. */
  progressed(direction: CallProgress['direction'], fraction: number): void {
    const { onProgress } = this;
    if (onProgress !== undefined && !this.settled)
      callIsolated(() => onProgress({ direction, fraction }), this.#owner!.surroundings.report);
  }

  /** Takes the server's answer. Reading it may be asynchronous: the deadline and the signal stay in force until it is done. */
  answer(error: WireError | undefined, json: unknown, meta: unknown, isVetted: boolean): void {
    try {
      const read = this.read(error, json, meta, isVetted);
      if (read instanceof Promise)
        read.then(
          (value) => this.#take(error, value),
          (thrown: unknown) => this.unreadable(thrown),
        );
      else this.#take(error, read);
    } catch (thrown) {
      this.unreadable(thrown);
    }
  }

  fail(code: SystemCode, what: string | false, details?: Partial<TautlineErrorDetails>): void {
    this.refuse(this.failure(code, what, details));
  }

  /** An error of this request, with what is known of its outcome: nothing was sent, or nobody knows. */
  failure(code: SystemCode, what: string | false, details?: Partial<TautlineErrorDetails>): TautlineError {
    const { path } = this;
    const outcome: Outcome = this.id === 0 ? 'not-sent' : 'unknown';
    return new TautlineError(code, what && `${path}: ${what}.`, { outcome, path, ...details });
  }

  /** Ends it with an error, or because its caller has left, and has the server told that nobody waits for it any more. */
  abandon(error?: TautlineError): void {
    if (!this.#settle(error)) return;
    if (error !== undefined) this.#fail(error);
    this.#owner?.abandoned(this);
  }

  /** From now on it may take for ever. */
  liftDeadline(): void {
    if (this.#deadline !== undefined) this.#owner!.surroundings.deadlines.remove(this.#deadline);
    this.#deadline = undefined;
  }

  /** Its time is over. */
  expired(): void {
    const { status } = this.#owner!.surroundings;
    const isUnsent = this.id === 0;
    const why = DEVELOPMENT && isUnsent ? `: ${this.#owner!.whyUnsent(this)}` : '';
    const cause = isUnsent && 'cause' in status ? status.cause.error : undefined;
    const what = DEVELOPMENT && `no answer within ${this.timeoutMs} ms${why}`;
    this.abandon(this.failure('TIMEOUT', what, { retryable: true, cause }));
  }

  /** Its signal was aborted. */
  handleEvent(): void {
    const cause: unknown = this.#signal?.reason;
    this.abandon(this.failure('ABORTED', DEVELOPMENT && 'the caller aborted it', { cause }));
  }

  /** Ends it with what was thrown while its input was checked or its answer read. */
  unreadable(thrown: unknown): void {
    if (isTautlineError(thrown)) this.refuse(thrown);
    else this.fail('BAD_OUTPUT', DEVELOPMENT && 'the answer could not be read', { outcome: 'unknown', cause: thrown });
  }

  /** Ends it with an error of somebody else. */
  refuse(error: TautlineError): void {
    if (this.#settle(error)) this.#fail(error);
  }

  #fail(error: TautlineError): void {
    if (DEVELOPMENT && this.site !== undefined) tellSite(error, this.site);
    this.#reject(error);
  }

  #take(error: WireError | undefined, read: unknown): void {
    if (error !== undefined) this.refuse(read as TautlineError);
    else if (this.#settle()) this.#resolve(read as never);
  }

  #settle(error?: TautlineError): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.liftDeadline();
    offAbort(this.#signal, this);
    this.wakeWaiter?.();
    this.#owner?.settled(this, error);
    return true;
  }
}
