import { callIsolated, throwLater } from './emit.ts';

/** Who wants to know that a signal was aborted. */
export interface AbortListener {
  handleEvent(): void;
}

/** All who listen to one signal, behind one listener: engines warn of more than ten as of a leak. */
class AbortListeners extends Set<AbortListener> {
  handleEvent(): void {
    for (const listener of this) callIsolated(() => listener.handleEvent(), throwLater);
  }
}

const listeners = new WeakMap<AbortSignal, AbortListeners>();

/** Listens to a signal, if there is one. @throws what a signal throws that is none */
export function onAbort(signal: AbortSignal | undefined, listener: AbortListener): void {
  if (signal === undefined) return;
  let all = listeners.get(signal);
  if (all === undefined) {
    all = new AbortListeners();
    signal.addEventListener('abort', all);
    listeners.set(signal, all);
  }
  all.add(listener);
}

/** Listens no more. */
export function offAbort(signal: AbortSignal | undefined, listener: AbortListener): void {
  const all = signal && listeners.get(signal);
  if (all?.delete(listener) !== true || all.size > 0) return;
  listeners.delete(signal!);
  signal!.removeEventListener('abort', all);
}
