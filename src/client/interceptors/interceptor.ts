import { DEVELOPMENT } from '../../development.ts';
/** A call on its way out, as an {@link Interceptor} sees it. */
export interface InterceptedCall {
  readonly kind: 'query' | 'mutation' | 'stream' | 'publish';
  /** Contract path of the procedure or topic, `messages.send`. */
  readonly path: string;
  /** Name of the topic on the wire, `rooms/42`, for a publish. */
  readonly topic?: string | undefined;
  /** As the caller gave it, not yet checked; of a publish the event. */
  readonly input: unknown;
  /** The caller's. What is added here is sent along; a publish carries none. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Ms from `next`, to the answer. */
  readonly timeoutMs: number;
}

/** Goes on with a call: the next interceptor, and at last the connection. */
export interface Next {
  (call: InterceptedCall): Promise<unknown>;
}

/**
 * Stands around every query, mutation and stream, and every publish with an acknowledgement.
 *
 * `next(call)` sends it and resolves or rejects as the call does. It may be given other headers, another input, signal or
 * time limit: `next({ ...call, headers: { ...call.headers, traceparent } })`; what kind of call it is and where it goes
 * stays. What the interceptor gives, or throws, is what the caller gets. Each `next` is a call of its own, with its own
 * time limit: calling it again after an error is another try, which for a mutation may take effect twice where
 * `error.outcome` is `unknown`. What an interceptor awaits besides has no time limit but its own: the caller waits for it.
 *
 * Of a stream `next` resolves at once, with its {@link ItemStream}; what is given in its place must be AsyncIterable, an
 * `async function*` that reads it for example. Its errors come while it is read.
 *
 * Mutations go in the order in which `next` is called: an interceptor that awaits something before it may change it.
 */
export interface Interceptor {
  (call: InterceptedCall, next: Next): Promise<unknown>;
}

/** All interceptors as one: from the outside in, and at last `send`. */
export type Onion = (call: InterceptedCall, send: Next) => Promise<unknown>;

/**
 * Joins interceptors, the first outermost. `undefined` where there are none: then they cost nothing.
 * @throws TypeError for one that is no function
 */
export function onionOf(given: Interceptor | readonly Interceptor[] | undefined): Onion | undefined {
  if (given === undefined) return undefined;
  const layers: readonly unknown[] = Array.isArray(given) ? [...(given as readonly unknown[])] : [given];
  if (!layers.every((layer): layer is Interceptor => typeof layer === 'function')) {
    throw new TypeError(
      DEVELOPMENT
        ? 'intercept must be a function (call, next) => next(call), or a list of such functions'
        : 'intercept',
    );
  }
  if (layers.length === 0) return undefined;
  // Each is called at once, so that calls keep their order; what it throws is a rejection for the one outside of it.
  const around = (next: Next, interceptor: Interceptor): Next => {
    return (call) =>
      new Promise((resolve) => {
        resolve(interceptor(call, next));
      });
  };
  return (call, send) => layers.reduceRight(around, send)(call);
}
