import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Store } from '../primitives/store.ts';

/**
 * What `select` makes of a store, the same object until it differs: also where `select` is another function in each
 * render, and makes another object each time.
 *
 * @param server - What is shown on a server, and while its page is hydrated.
 */
export function useSelected<Value, Selected>(
  listen: Store<Value>['listen'],
  get: () => Value,
  server: Value,
  select: (value: Value) => Selected,
  isSame: (one: Selected, other: Selected) => boolean,
): Selected {
  const [committed] = useState(() => createCell<Selected>());
  const [getSelected, getServer] = useMemo(() => {
    const memo = (read: () => Value) => {
      let last: { readonly value: Value; readonly selected: Selected } | undefined;
      return (): Selected => {
        const value = read();
        if (last !== undefined && Object.is(last.value, value)) return last.selected;
        const next = select(value);
        const before = last ?? committed.get();
        last = { value, selected: before !== undefined && isSame(before.selected, next) ? before.selected : next };
        return last.selected;
      };
    };
    return [memo(get), memo(() => server)] as const;
  }, [get, server, select, isSame, committed]);
  const selected = useSyncExternalStore(listen, getSelected, getServer);
  useEffect(() => committed.set({ selected }), [committed, selected]);
  return selected;
}

interface Cell<Selected> {
  readonly get: () => { readonly selected: Selected } | undefined;
  readonly set: (value: { readonly selected: Selected }) => void;
}

/** Not a ref: renders read it, which is sound as effects alone write it, and what they write is what was shown last. */
function createCell<Selected>(): Cell<Selected> {
  let kept: { readonly selected: Selected } | undefined;
  return { get: () => kept, set: (value) => void (kept = value) };
}
