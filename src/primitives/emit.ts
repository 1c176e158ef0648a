import type { Emitter, EventsMap } from 'nanoevents';

/** Emits to every listener, also when one throws: what it threw goes to `onError`, and the next one runs. */
export function emitIsolated<Events extends EventsMap, Name extends keyof Events>(
  emitter: Emitter<Events>,
  name: Name,
  args: Parameters<Events[Name]>,
  onError: (error: unknown) => void,
): void {
  // A copy: a listener may add or remove listeners.
  for (const listener of [...(emitter.events[name] ?? [])] as Array<(...args: Parameters<Events[Name]>) => void>) {
    try {
      listener(...args);
    } catch (error) {
      onError(error);
    }
  }
}
