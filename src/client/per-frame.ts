import { throwLater } from '../primitives/emit.ts';
import { store, type Store } from '../primitives/store.ts';

/** No frames come while a page is hidden: then it is told so often, ms. */
const HIDDEN_MS = 250;

/**
 * The same store, told at most once a frame: of all changes of a frame the last counts. While a page is hidden, and where there
 * are no frames, four times a second. For screens that a topic changes more often than they can be painted. `get()` and `value`
 * are those of the moment.
 */
export function perFrame<Value>({ get, listen }: Store<Value>): Store<Value> {
  const listenPerFrame: Store<Value>['listen'] = (listener) => {
    let cancel: (() => void) | undefined;
    const tell = (): void => {
      cancel?.();
      cancel = undefined;
      listener(get());
    };
    const stop = listen(() => (cancel ??= soon(tell)));
    return () => {
      stop();
      cancel?.();
    };
  };
  return store(get, listenPerFrame, throwLater);
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
