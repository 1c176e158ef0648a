import type { TautlineError } from '../../errors.ts';

/**
 * The items of one run of a stream, for one reader: `for await (const item of stream)`. The run starts when the first
 * item is asked for, so a stream that nobody reads costs nothing and fails nobody. At most 32 items are under way or wait
 * here, up to 256 when the reader keeps up; a slow reader makes the handler at the server wait.
 *
 * Leaving the loop, `return()` and an abort end the run at the server. It is its own iterator and is read once: a second
 * loop goes on where the first stopped, and after `break` there is nothing left.
 */
export interface ItemStream<Item, CallError = TautlineError> extends AsyncIterableIterator<Item, void, undefined> {
  /** What the run ended with, typed as the loop's `catch` can't be; `undefined` while it goes on and when it is done. */
  readonly error: CallError | undefined;
  /**
   * The next item. Rejects once with a {@link CallError} when the run failed, behind the items that came before. Until the
   * first item is here the `timeoutMs` of the call holds; then it may take for ever.
   */
  next(): Promise<IteratorResult<Item, void>>;
  /** Ends the run: what waits is dropped, and the handler at the server is stopped. */
  return(): Promise<IteratorResult<Item, void>>;
  /** As `return`, and rejects with the error, as a generator would. */
  throw(error?: unknown): Promise<IteratorResult<Item, void>>;
  /** Itself. */
  [Symbol.asyncIterator](): this;
  /** The same as `return`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
