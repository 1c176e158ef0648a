import { useCallback, useRef, useState } from 'react';
import type { CallPromise, Safe } from '../client/calls/call-promise.ts';

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

/** State around a function that calls: the last call counts. */
export function useAction<Args extends readonly unknown[], Output, CallError>(
  run: (...args: Args) => CallPromise<Output, CallError>,
): Action<Args, Output, CallError> {
  const [state, setState] = useState<ActionState<Output, CallError>>(FIRST);
  const last = useRef<object>(undefined);
  const call = useCallback(
    async (...args: Args) => {
      const mine = (last.current = {});
      setState(({ data }) => ({ pending: true, data, error: undefined }));
      const result = await run(...args).safe();
      if (last.current === mine) setState({ pending: false, data: result.data, error: result.error });
      return result;
    },
    [run],
  );
  const reset = useCallback(() => {
    last.current = undefined;
    setState(FIRST);
  }, []);
  return { ...state, call, reset };
}
