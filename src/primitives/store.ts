import { callIsolated } from './emit.ts';

/** A value that changes, in the shape that UI libraries take: immutable, the same object between changes. */
export interface Store<Value> {
  /** The value now. */
  get(this: void): Value;
  /** The value now. */
  readonly value: Value;
  /** Calls back at once with the value, and then after each change, until the function it returns is called. */
  subscribe(this: void, listener: (value: Value) => void): () => void;
  /** Calls back after each change alone, and never before it returns; until the function it returns is called. */
  listen(this: void, listener: (value: Value) => void): () => void;
}

/** Makes a store of what can be read and listened to. It is observable too, for who looks for that (RxJS `from`). */
export function store<Value>(
  get: () => Value,
  listen: Store<Value>['listen'],
  report: (error: unknown) => void,
): Store<Value> {
  const subscribe: Store<Value>['subscribe'] = (listener) => {
    const stop = listen(listener);
    callIsolated(() => listener(get()), report);
    return stop;
  };
  const observable = (Symbol as { observable?: symbol }).observable ?? '@@observable';
  return {
    get,
    get value() {
      return get();
    },
    subscribe,
    listen,
    [observable]: () => ({
      subscribe: (observer: { next(value: Value): void }) => ({
        unsubscribe: subscribe((value) => observer.next(value)),
      }),
    }),
  };
}
