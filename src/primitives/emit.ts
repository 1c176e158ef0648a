import type { Emitter, EventsMap } from 'nanoevents';

/** Calls a listener of the app. What it throws, or rejects with, goes to `onError`. */
export function callIsolated(call: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(onError);
  } catch (error) {
    onError(error);
  }
}

/** Throws it where nothing is broken off by it: an uncaught error. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Emits to every listener, also when one throws: what it threw goes to `onError`, and the next one runs. */
export function emitIsolated<Events extends EventsMap, Name extends keyof Events>(
  emitter: Emitter<Events>,
  name: Name,
  args: Parameters<Events[Name]>,
  onError: (error: unknown) => void,
): void {
  // A copy: a listener may add or remove listeners.
  for (const listener of [...(emitter.events[name] ?? [])] as Array<(...args: Parameters<Events[Name]>) => void>) {
    callIsolated(() => listener(...args), onError);
  }
}
