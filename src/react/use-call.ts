import type { CallPromise } from '../client/calls/call-promise.ts';
import { useAction, type Action } from './use-action.ts';

/** A query or a mutation with what became of its last call: `{ call, pending, data, error, reset }`. */
export function useCall<Args extends readonly unknown[], Output, CallError>(
  procedure: (...args: Args) => CallPromise<Output, CallError>,
): Action<Args, Output, CallError> {
  return useAction(procedure);
}
