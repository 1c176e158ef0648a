import { useCallback, useRef, useState } from 'react';
import type { CallPromise, Safe } from '../client/calls/call-promise.ts';
import { identityOf, useIdentity, type OfClient } from './use-identity.ts';

/** What became of the last call of an action. */
export interface ActionState<Output, CallError> {
  /** The last call has not settled. */
  readonly pending: boolean;
  /** What the last call gave; stays while the next one is pending. */
  readonly data: Output | undefined;
  /** What the last call ended with. */
  readonly error: CallError | undefined;
}

/** A call with what became of it. */
export interface Action<Args extends readonly unknown[], Output, CallError> extends ActionState<Output, CallError> {
  /** Calls; never rejects. The same function in each render. */
  readonly call: (...args: Args) => Promise<Safe<Output, CallError>>;
  /** As before the first call; what is pending shows no more. The same function in each render. */
  readonly reset: () => void;
}

const FIRST = { pending: false, data: undefined, error: undefined };

/** State around a function that calls: the last call counts, and none of a former user. */
export function useAction<Args extends readonly unknown[], Output, CallError>(
  run: (...args: Args) => CallPromise<Output, CallError>,
  of: OfClient,
): Action<Args, Output, CallError> {
  const { connection } = of;
  const identity = useIdentity(of);
  const [last, setLast] = useState<{ readonly by: number; readonly state: ActionState<Output, CallError> }>();
  const running = useRef<object>(undefined);
  const call = useCallback(
    async (...args: Args) => {
      const mine = (running.current = {});
      const by = identityOf({ connection });
      setLast((before) => {
        const data = before?.by === by ? before.state.data : undefined;
        return { by, state: { pending: true, data, error: undefined } };
      });
      const result = await run(...args).safe();
      const { data, error } = result;
      if (running.current === mine) setLast({ by, state: { pending: false, data, error } });
      return result;
    },
    [run, connection],
  );
  const reset = useCallback(() => {
    running.current = undefined;
    setLast(undefined);
  }, []);
  const { pending, data, error } = last?.by === identity ? last.state : FIRST;
  return { pending, data, error, call, reset };
}
