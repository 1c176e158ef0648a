import { vi } from 'vitest';

/** Counts the timers that the library has running: those made by code under `src`. Real timers, real time. */
export function watchTimers(): { readonly running: () => number } {
  const running = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  vi.stubGlobal('setTimeout', (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const ours = /[\\/]src[\\/](client|transport|primitives|server)[\\/]/.test(new Error('who').stack ?? '');
    const timer = set(
      (...given: unknown[]) => {
        running.delete(timer);
        callback(...given);
      },
      ms,
      ...args,
    );
    if (ours) running.add(timer);
    return timer;
  });
  vi.stubGlobal('clearTimeout', (timer: Parameters<typeof clear>[0]) => {
    running.delete(timer);
    clear(timer);
  });
  return { running: () => running.size };
}
