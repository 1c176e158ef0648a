import type { Store } from '../primitives/store.ts';

/** No frames come while a page is hidden: then it is told so often, ms. */
const HIDDEN_MS = 250;

/** Listens to a store, and is told of all changes of a frame at once: the last value counts. */
export function perFrame<Value>(store: Store<Value>): Store<Value>['listen'] {
  return (listener) => {
    let cancel: (() => void) | undefined;
    const tell = (): void => {
      cancel?.();
      cancel = undefined;
      listener(store.get());
    };
    const stop = store.listen(() => (cancel ??= soon(tell)));
    return () => {
      stop();
      cancel?.();
    };
  };
}

/** At the next frame, or after a while where none comes. */
function soon(task: () => void): () => void {
  const frame = typeof requestAnimationFrame === 'function' ? requestAnimationFrame(task) : undefined;
  const timer = setTimeout(task, HIDDEN_MS);
  return () => {
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
}
