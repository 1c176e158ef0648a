import type { Procedure } from '../contract/procedure.ts';
import type { Codec } from '../payload.ts';
import { checkValue, readCallError } from './call-function.ts';
import { callHeaders } from './call-headers.ts';
import type { CallOptions } from './call-options.ts';
import type { ClientConnection } from './client-connection.ts';
import { describeCall } from './intercepted-call.ts';
import { InterceptedStream } from './intercepted-stream.ts';
import type { ItemStream } from './item-stream.ts';
import { StreamCall } from './stream-call.ts';

/** Makes the function that gives the runs of one stream. */
export function streamFunction(
  connection: ClientConnection,
  path: string,
  procedure: Procedure,
  codec: Codec,
): (input: unknown, options?: CallOptions) => ItemStream<unknown> {
  const run = (input: unknown, options: CallOptions): StreamCall => {
    const made = attempt(() => ({
      payload: procedure.input === undefined ? '' : codec.encode(input),
      headers: callHeaders(options.headers),
    }));
    return new StreamCall({
      path,
      codec,
      item: procedure.output,
      signal: options.signal,
      payload: made.value?.payload ?? '',
      headers: made.value?.headers ?? callHeaders(undefined),
      readError: (error, json, meta) => readCallError(procedure, codec, path, error, json, meta),
      send: (request, resolve, reject) => {
        if (made.thrown !== undefined) throw made.thrown.error;
        return connection.request(request, options, () => checkValue(procedure.input, input, path), resolve, reject);
      },
    });
  };
  return (input, options = {}) => {
    const { onion } = connection;
    if (onion === undefined) return run(input, options);
    const call = describeCall(connection, { kind: 'stream', path }, input, options);
    return new InterceptedStream(
      (send) => onion(call, send),
      (inner) => run(inner.input, inner),
    );
  };
}

/** Nothing is thrown at the caller of a stream: its reader is told. */
function attempt<Value>(make: () => Value): { value?: Value; thrown?: { readonly error: unknown } } {
  try {
    return { value: make() };
  } catch (error) {
    return { thrown: { error } };
  }
}
