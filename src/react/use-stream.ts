import { useCallback, useEffect, useRef, useState } from 'react';
import type { ItemStream } from '../client/streams/item-stream.ts';
import { isTautlineError } from '../errors.ts';
import { keyOf } from './key-of.ts';
import { useIdentity, type OfClient } from './use-identity.ts';
import { useLatest } from './use-latest.ts';

/** Options of {@link useStream}. */
export interface StreamOptions<Item, Data> {
  /** Puts an item to what is there. @default the last item is the data */
  readonly reduce?: ((data: Data, item: Item) => Data) | undefined;
  /** The data before the first item. */
  readonly initial?: Data | undefined;
}

/** What a stream shows. */
export interface StreamView<Data, CallError> {
  /** `idle` without an input, and after `stop()`. */
  readonly status: 'idle' | 'streaming' | 'done' | 'error';
  /** The items so far. */
  readonly data: Data;
  /** What it failed with. */
  readonly error: CallError | undefined;
  /** Begins again, from the first item. */
  readonly start: () => void;
  /** Ends it; the data stays. */
  readonly stop: () => void;
}

/** One run, or none. */
interface Run<Data> {
  readonly of: readonly [fn: unknown, key: string | undefined, round: number, identity: number];
  readonly status: StreamView<Data, never>['status'];
  readonly data: Data;
  readonly error?: unknown;
}

/**
 * Runs a stream while the component is mounted, anew for another input; inputs that say the same are the same. `null`:
 * it does not run. No item is lost between renders. When another user has come it begins anew as that one, unless it was
 * stopped; nothing of the former one's shows.
 */
export function useStream<Input, Item, CallError, Data = Item | undefined>(
  stream: ((input: Input) => ItemStream<Item, CallError>) & OfClient,
  input: Input | null,
  options: StreamOptions<Item, Data> = {},
): StreamView<Data, CallError> {
  const [round, setRound] = useState(0);
  const [run, setRun] = useState<Run<Data>>();
  const key = input === null ? undefined : keyOf(input);
  const identity = useIdentity(stream);
  const isSame = run?.of[0] === stream && run.of[1] === key && run.of[2] === round;
  const isStopped = isSame && run.status === 'idle';
  const latest = useLatest({ input, options, isStopped });
  const ending = useRef<() => void>(undefined);

  useEffect(() => {
    const { input: given, options: first, isStopped: isLeft } = latest.current;
    if (key === undefined || given === null || isLeft) return undefined;
    const of = [stream, key, round, identity] as const;
    let items: ItemStream<Item, CallError> | undefined;
    let isOver = false;
    let data = first.initial as Data;
    const show = (status: Run<Data>['status'], error?: unknown): void => setRun({ of, status, data, error });
    const read = async (): Promise<void> => {
      // StrictMode mounts twice in one task: one of them alone runs.
      await Promise.resolve();
      if (isOver) return;
      try {
        for await (const item of (items = stream(given))) {
          if (isOver) return;
          const { reduce } = latest.current.options;
          data = reduce === undefined ? (item as unknown as Data) : reduce(data, item);
          show('streaming');
        }
        if (!isOver) show('done');
      } catch (error) {
        if (isTautlineError(error, 'UNAUTHENTICATED')) data = first.initial as Data;
        if (!isOver) show('error', error);
      }
    };
    const end = (): void => {
      isOver = true;
      void items?.return();
    };
    void read();
    ending.current = () => {
      if (!isOver) show('idle');
      end();
    };
    return end;
  }, [stream, key, round, identity, latest]);

  const start = useCallback(() => setRound((last) => last + 1), []);
  const stop = useCallback(() => ending.current?.(), []);
  if (isSame && run.of[3] === identity) {
    return { status: run.status, data: run.data, error: run.error as CallError | undefined, start, stop };
  }
  const status = key === undefined || isStopped ? 'idle' : 'streaming';
  return { status, data: options.initial as Data, error: undefined, start, stop };
}
