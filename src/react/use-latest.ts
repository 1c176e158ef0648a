import { useInsertionEffect, useRef, type RefObject } from 'react';

/** What was rendered last, for effects and callbacks: written before any effect of that render runs. */
export function useLatest<Value>(value: Value): RefObject<Value> {
  const latest = useRef(value);
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
