import { TautlineError } from '../../errors.ts';
import { backoffWindow, drawDelay } from '../../primitives/backoff.ts';
import type { Deadline } from '../../primitives/deadlines.ts';
import { encodePublish } from '../../protocol/encode.ts';
import type { Kernel } from '../kernel/capability.ts';
import { isSignedOut } from '../kernel/refusal.ts';
import type { FilledTopic } from '../requests/filled-topic.ts';
import { Publish } from '../topics/publish.ts';
import { Holder } from './stay.ts';

/** Windows of the pauses before the server is told again, ms. */
const RETRY = { firstMs: 1_000, capMs: 30_000, leastMs: 500 };

/** The words of who leaves. */
const NOTHING: readonly unknown[] = [];

/** After these the same words would not be taken at another time. */
const VERDICTS: ReadonlySet<string> = new Set([
  'FORBIDDEN',
  'NOT_FOUND',
  'BAD_REQUEST',
  'BAD_INPUT',
  'BAD_PAYLOAD',
  'TOO_LARGE',
]);

/**
 * One room, for all of this client that hold it: says to each socket what the last of them says, one word at a time, and
 * that it leaves after the last.
 */
export class Room {
  readonly #kernel: Kernel;
  readonly #filled: FilledTopic;
  /** Nobody holds it, and the server knows. */
  readonly #empty: () => void;
  /** The one who spoke last at the end. */
  readonly #holders = new Set<Holder>();
  /** What the server was told last on this socket, if it was. */
  #told: readonly unknown[] | undefined;
  #isAsking = false;
  /** There is another socket since it was asked. */
  #isOutdated = false;
  #again: Deadline | undefined;
  #failures = 0;

  constructor(kernel: Kernel, filled: FilledTopic, empty: () => void) {
    this.#kernel = kernel;
    this.#filled = filled;
    this.#empty = empty;
  }

  enter(info: unknown): Holder {
    const holder = new Holder(info);
    this.#holders.add(holder);
    this.#tell();
    return holder;
  }

  update(holder: Holder, info: unknown): void {
    if (!this.#holders.delete(holder)) return;
    holder.say(info);
    this.#holders.add(holder);
    this.#tell();
  }

  leave(holder: Holder): void {
    if (!this.#holders.delete(holder)) return;
    holder.decide(new TautlineError('ABORTED', 'it was left', { outcome: 'unknown' }));
    this.#tell();
  }

  /** Leaves, whatever becomes of the message. */
  get farewell(): string {
    const { nameJson, codec } = this.#filled;
    return encodePublish(0, nameJson, codec.encode(NOTHING));
  }

  /** Another socket: whoever is behind it may know nothing. */
  ask(): void {
    this.#told = undefined;
    this.#isOutdated = this.#isAsking;
    this.#tell();
  }

  /** There is a connection again, for what could not wait for it. */
  connected(): void {
    this.#tell();
  }

  /** The connection is closed: whoever waits is told. Where it is opened again it goes on. */
  closed(error: TautlineError): void {
    this.#rest();
    for (const holder of this.#holders) holder.decide(error);
  }

  get #words(): readonly unknown[] {
    return [...this.#holders].at(-1)?.words ?? NOTHING;
  }

  #tell(): void {
    const words = this.#words;
    if (this.#isAsking) return;
    this.#rest();
    if (words === this.#told) {
      if (words === NOTHING) this.#empty();
      return;
    }
    this.#isAsking = true;
    const done = (error?: TautlineError): void => this.#done(words, error);
    try {
      const { codec, topic } = this.#filled;
      const request = new Publish(this.#filled, codec.encode(words), () => done(), done);
      this.#kernel.requests.start(request, {}, topic.definition.enter, words);
    } catch (error) {
      done(error as TautlineError);
    }
  }

  #done(words: readonly unknown[], error: TautlineError | undefined): void {
    this.#isAsking = false;
    if (error !== undefined && !VERDICTS.has(error.code)) return this.#failed(error);
    this.#failures = 0;
    this.#told = this.#isOutdated ? undefined : words;
    this.#isOutdated = false;
    const isLast = error === undefined && words === this.#words;
    for (const holder of this.#holders) if (isLast || holder.words === words) this.#decide(holder, error);
    this.#tell();
  }

  #decide(holder: Holder, error: TautlineError | undefined): void {
    holder.decide(error);
    // Who has just entered has not had the time to ask.
    if (error !== undefined) queueMicrotask(() => holder.isHeard || this.#kernel.report(error));
  }

  /** Another time it may be taken: with the next socket, or on this one after a pause that grows. */
  #failed(error: TautlineError): void {
    const { status, deadlines, now, random } = this.#kernel;
    this.#isOutdated = false;
    if (status.state === 'connected') {
      const leastMs = Math.max(RETRY.leastMs, error.retryAfterMs ?? 0);
      const window = backoffWindow(this.#failures++, RETRY.firstMs, RETRY.capMs, leastMs);
      this.#again = deadlines.add(now() + drawDelay(window, random), () => this.#tell());
    } else if (this.#holders.size === 0)
      this.#empty(); // a server that has lost the socket finds out by itself
    else if (status.state === 'closed' && !isSignedOut(status)) this.closed(error);
  }

  #rest(): void {
    if (this.#again !== undefined) this.#kernel.deadlines.remove(this.#again);
    this.#again = undefined;
  }
}
