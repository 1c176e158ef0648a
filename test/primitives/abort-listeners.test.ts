import { afterEach, expect, test, vi } from 'vitest';
import { offAbort, onAbort, type AbortListener } from '../../src/primitives/abort-listeners.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

test('one that throws keeps no other from hearing of it, and what it threw is an uncaught error', () => {
  const later: Array<() => void> = [];
  vi.stubGlobal('queueMicrotask', (callback: () => void) => later.push(callback));
  const controller = new AbortController();
  const heard: string[] = [];
  const listener = (name: string): AbortListener => ({
    handleEvent: () => {
      heard.push(name);
      throw new Error(name);
    },
  });
  const [first, second, left] = [listener('first'), listener('second'), listener('left')];
  for (const each of [first, left, second]) onAbort(controller.signal, each);
  offAbort(controller.signal, left);
  controller.abort();
  expect(heard).toEqual(['first', 'second']);
  expect(later).toHaveLength(2);
  expect(later[0]).toThrow('first');
  expect(later[1]).toThrow('second');
});
