import { offAbort, onAbort } from '../../primitives/abort-listeners.ts';
import { DEVELOPMENT } from '../../development.ts';
import { TautlineError, isTautlineError, type SystemCode } from '../../errors.ts';
import type { Deadline } from '../../primitives/deadlines.ts';
import type { Chain, Queued } from '../../primitives/send-queue.ts';
import { encodePublish } from '../../protocol/encode.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import type { FilledTopic } from '../requests/filled-topic.ts';
import type { LinkState } from '../kernel/link-state.ts';
import type { LossyOutcome, LossyWaiter } from '../requests/lossy-lane.ts';
import type { Outbound } from '../requests/outbound.ts';

/** Whoever keeps the publishes that wait. */
export interface LossyOwner {
  /** It is settled; without an outcome by an error. */
  ended(entry: LossyPublish, outcome: LossyOutcome | undefined): void;
}

/** A publish that may be dropped, until it is written or dropped. It settles exactly once. */
export class LossyPublish implements Outbound {
  lane: Chain | undefined = undefined;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  readonly bytes: number;
  readonly key: string | undefined;
  settled = false;
  deadline: Deadline | undefined = undefined;
  readonly #target: FilledTopic;
  readonly #message: string;
  readonly #signal: AbortSignal | undefined;
  readonly #waiter: LossyWaiter;
  readonly #owner: LossyOwner;
  #wakeWaiter: (() => void) | undefined = undefined;

  /** @throws TautlineError where the codec can't carry the event */
  constructor(
    target: FilledTopic,
    event: unknown,
    key: string | undefined,
    signal: AbortSignal | undefined,
    waiter: LossyWaiter,
    owner: LossyOwner,
  ) {
    this.#target = target;
    this.key = key;
    this.#message = encodePublish(0, target.nameJson, target.codec.encode(event));
    this.bytes = utf8Length(this.#message);
    this.#waiter = waiter;
    this.#owner = owner;
    this.#signal = signal;
  }

  get topic(): string {
    return this.#target.name;
  }

  get path(): string {
    return this.#target.topic.path;
  }

  get takesSlot(): false {
    return false;
  }

  get rides(): boolean {
    return false;
  }

  get surplus(): number {
    return this.bytes - this.#message.length;
  }

  /** It is taken in. @throws what a signal throws that is none */
  begin(): void {
    onAbort(this.#signal, this);
  }

  /** Resolves when it is settled: for whoever prepares it asynchronously. */
  whenSettled(): Promise<void> {
    return this.settled ? Promise.resolve() : new Promise((resolve) => (this.#wakeWaiter = resolve));
  }

  write({ parts }: LinkState): string | undefined {
    const { messageBytes } = parts!.limits;
    // Looked at here, so that it is not told as sent: the brackets of the frame, and a comma.
    if (this.bytes + 3 > messageBytes) {
      const what = DEVELOPMENT && `it takes more than the ${messageBytes} bytes that the server accepts at a time`;
      this.#fail('TOO_LARGE', what);
      return undefined;
    }
    this.end('sent');
    return this.#message;
  }

  evicted(): void {
    this.end('evicted');
  }

  /** Its time is over. */
  expired(): void {
    this.end('expired');
  }

  /** Its signal was aborted. */
  handleEvent(): void {
    this.#fail('ABORTED', DEVELOPMENT && 'the caller aborted it', this.#signal?.reason);
  }

  end(outcome: LossyOutcome): void {
    if (this.#settle(outcome)) this.#waiter.resolve(outcome);
  }

  /** Its value was refused by the schema, or the schema failed. */
  refuse(error: unknown): void {
    if (!isTautlineError(error)) this.#fail('BAD_INPUT', DEVELOPMENT && 'it could not be checked', error);
    else if (this.#settle(undefined)) this.#waiter.reject(error);
  }

  #fail(code: SystemCode, what: string | false, cause?: unknown): void {
    const { path } = this;
    this.refuse(new TautlineError(code, what && `${path}: ${what}.`, { outcome: 'not-sent', path, cause }));
  }

  #settle(outcome: LossyOutcome | undefined): boolean {
    if (this.settled) return false;
    this.settled = true;
    offAbort(this.#signal, this);
    this.#owner.ended(this, outcome);
    this.#wakeWaiter?.();
    return true;
  }
}
