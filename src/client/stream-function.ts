import type { Procedure } from '../contract/procedure.ts';
import type { Codec } from '../payload.ts';
import { checkValue, headersOf, readCallError } from './call-function.ts';
import type { CallOptions } from './call-options.ts';
import type { ClientConnection } from './client-connection.ts';
import { StreamCall } from './stream-call.ts';

/** Makes the function that gives the runs of one stream. */
export function streamFunction(
  connection: ClientConnection,
  path: string,
  procedure: Procedure,
  codec: Codec,
): (input: unknown, options?: CallOptions) => StreamCall {
  return (input, options = {}) => {
    const encoded = attempt(() => (procedure.input === undefined ? '' : codec.encode(input)));
    return new StreamCall({
      path,
      codec,
      item: procedure.output,
      signal: options.signal,
      payload: encoded.value ?? '',
      headers: headersOf,
      readError: (error, json, meta) => readCallError(procedure, codec, path, error, json, meta),
      send: (request, resolve, reject) => {
        if (encoded.thrown !== undefined) throw encoded.thrown.error;
        return connection.request(request, options, () => checkValue(procedure.input, input, path), resolve, reject);
      },
    });
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
