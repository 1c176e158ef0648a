import type { Headers } from '../../protocol/messages.ts';

/** A call on its way to its handler, as an {@link Interceptor} sees it. */
export interface InterceptedCall<Context = unknown> {
  readonly kind: 'query' | 'mutation' | 'stream' | 'publish';
  /** Contract path of the procedure or topic, `messages.send`. */
  readonly path: string;
  /** Number of the call in the life of its client; 0 for a publish that nobody waits for. */
  readonly id: number;
  /** What the client sent along; empty without, and for a publish. */
  readonly headers: Headers;
  /** What the input schema made of what the client sent; of a publish the event. */
  readonly input: unknown;
  /** What `authenticate` said of the caller. */
  readonly context: Context;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Stands around every query, mutation and stream, and every publish of a client: after its input was parsed and a
 * publish was authorised, before its output is. What is refused earlier does not get here.
 *
 * `next()` runs the interceptors further in and then the handler, once; it resolves with what that gives (of a stream
 * the AsyncIterable, of a publish its position) and rejects with what that throws, a {@link DeclaredFailure} for a
 * declared error. What the interceptor returns is the output and goes through the output schema, so `return` what
 * `next()` gave; only the answer to a publish is always its position. What it throws is treated as if the handler had
 * thrown it. One case more: until it has called `next()` it may refuse the call with a `TautlineError` whose code says
 * that nothing was done, such as `FORBIDDEN` or `RATE_LIMITED`. The caller is told its code, message and `retryAfterMs`.
 *
 * A mutation waits until the handler of the one before it has begun: what an interceptor awaits before `next()` holds
 * up the mutations behind it. A call that nobody waits for any more never gets to its handler: `next()` rejects.
 */
export interface Interceptor<Context = unknown> {
  (call: InterceptedCall<Context>, next: () => Promise<unknown>): Promise<unknown>;
}

/** All interceptors of a server as one: runs them from the outside in, and what is innermost at last. */
export type Intercept = (call: InterceptedCall, innermost: () => unknown) => Promise<unknown>;

/**
 * Joins interceptors, the first outermost. `undefined` when there are none: then nothing is to be paid for.
 * @throws TypeError for one that is no function.
 */
export function joinInterceptors(given: Interceptor | readonly Interceptor[] | undefined): Intercept | undefined {
  const interceptors: readonly unknown[] = Array.isArray(given) ? given : given === undefined ? [] : [given];
  for (const [index, interceptor] of interceptors.entries()) {
    if (typeof interceptor === 'function') continue;
    const name = Array.isArray(given) ? `intercept[${index}]` : 'intercept';
    throw new TypeError(`${name} is no function: give (call, next) => next(), or a list of such functions`);
  }
  if (interceptors.length === 0) return undefined;
  const from = async (index: number, call: InterceptedCall, innermost: () => unknown): Promise<unknown> => {
    const interceptor = interceptors[index] as Interceptor | undefined;
    if (interceptor === undefined) return innermost();
    let called = false;
    return interceptor(call, () => {
      if (called) return Promise.reject(new Error('next() was called twice: a handler runs once'));
      called = true;
      const inner = from(index + 1, call, innermost);
      // One who does not wait for it must not end the process.
      inner.catch(() => undefined);
      return inner;
    });
  };
  return (call, innermost) => from(0, call, innermost);
}

/** The call was settled before its handler began: nobody is to run it any more. */
export function assertWanted(call: { readonly settled: boolean; readonly signal: AbortSignal } | undefined): void {
  if (call?.settled !== true) return;
  call.signal.throwIfAborted();
  throw new DOMException('nobody waits for this call any more', 'AbortError');
}
