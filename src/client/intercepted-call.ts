import type { TautlineError } from '../errors.ts';
import type { CallOptions } from './call-options.ts';
import { CallPromise } from './call-promise.ts';
import type { ClientConnection } from './client-connection.ts';
import type { InterceptedCall } from './interceptor.ts';

/** Sends a call once, with this input and these options, and settles it. */
export type SendCall = (
  input: unknown,
  options: CallOptions,
  resolve: (output: unknown) => void,
  reject: (error: TautlineError) => void,
) => void;

/** Makes a call through the interceptors of its connection. Where there are none it is sent at once. */
export function interceptedCall(
  connection: ClientConnection,
  what: Pick<InterceptedCall, 'kind' | 'path' | 'topic'>,
  input: unknown,
  options: CallOptions,
  send: SendCall,
): CallPromise<unknown> {
  return new CallPromise((resolve, reject) => {
    const { onion } = connection;
    if (onion === undefined) {
      send(input, options, resolve, reject);
      return;
    }
    const sendCall = (call: InterceptedCall): Promise<unknown> =>
      new Promise((succeed, fail) => {
        send(call.input, call, succeed, fail);
      });
    onion(describeCall(connection, what, input, options), sendCall).then(resolve, reject);
  });
}

/** A call as its interceptors see it. */
export function describeCall(
  connection: ClientConnection,
  what: Pick<InterceptedCall, 'kind' | 'path' | 'topic'>,
  input: unknown,
  { headers = {}, signal, timeoutMs = connection.timeoutMs }: CallOptions,
): InterceptedCall {
  return { ...what, input, headers, signal, timeoutMs };
}
