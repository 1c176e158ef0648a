import { DEVELOPMENT } from '../../development.ts';
import type { TautlineError } from '../../errors.ts';
import type { CallOptions } from '../requests/request-options.ts';
import type { ItemStream } from './item-stream.ts';
import type { StreamCall } from './stream-call.ts';

/** Sends a stream once, with this input and these options. */
type Send = (input: unknown, options: CallOptions) => Promise<StreamCall>;

/** A stream that goes through interceptors. They are called when the first item is asked for. */
export class StreamAround implements ItemStream<unknown> {
  error: TautlineError | undefined;
  readonly #begin: (send: Send) => Promise<unknown>;
  readonly #makeRun: (input: unknown, options: CallOptions) => StreamCall;
  /** What `next` of the innermost gave: more than one where an interceptor tried again. */
  readonly #runs: StreamCall[] = [];
  #source: Promise<AsyncIterator<unknown>> | undefined;
  #isOver = false;

  constructor(begin: (send: Send) => Promise<unknown>, makeRun: (input: unknown, options: CallOptions) => StreamCall) {
    this.#begin = begin;
    this.#makeRun = makeRun;
  }

  async next(): Promise<IteratorResult<unknown, void>> {
    if (this.#isOver) return { done: true, value: undefined };
    try {
      this.#source ??= this.#begin(this.#send).then(iteratorOf);
      const result = await (await this.#source).next();
      if (result.done !== true) return result;
      this.#end();
    } catch (error) {
      if (!this.#isOver) {
        this.error = error as TautlineError;
        this.#end();
        throw error;
      }
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<unknown, void>> {
    this.#end();
    // What an interceptor wrapped around it has a `finally`, too.
    const source = await this.#source?.catch(() => undefined);
    await source?.return?.();
    return { done: true, value: undefined };
  }

  async throw(error?: unknown): Promise<IteratorResult<unknown, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #send: Send = (input, options) => {
    const run = this.#makeRun(input, options);
    this.#runs.push(run);
    // Now, and not when an item is asked for: in order with the calls around it. Unless the reader has left meanwhile.
    if (this.#isOver) void run.return();
    else run.open();
    return Promise.resolve(run);
  };

  /** No run outlasts its reader, whatever an interceptor did with it. */
  #end(): void {
    this.#isOver = true;
    for (const run of this.#runs) void run.return();
  }
}

function iteratorOf(given: unknown): AsyncIterator<unknown> {
  const iterable = given as Partial<AsyncIterable<unknown>> | null | undefined;
  if (typeof iterable?.[Symbol.asyncIterator] !== 'function') {
    throw new TypeError(
      DEVELOPMENT
        ? 'An interceptor gave no AsyncIterable for a stream: return what next() gave, or one that reads it.'
        : 'intercept',
    );
  }
  return (iterable as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}
