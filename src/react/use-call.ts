import type { CallPromise } from '../client/calls/call-promise.ts';
import { useAction, type Action } from './use-action.ts';
import type { OfClient } from './use-identity.ts';

/**
 * A query or a mutation with what became of its last call: `{ call, pending, data, error, reset }`. When another user has
 * come it is as before the first call.
 */
export function useCall<Args extends readonly unknown[], Output, CallError>(
  procedure: ((...args: Args) => CallPromise<Output, CallError>) & OfClient,
): Action<Args, Output, CallError> {
  return useAction(procedure, procedure);
}
