import { vi } from 'vitest';
import { start } from './fixture.ts';
import type { Context, Tree } from './fixture.ts';
import type { ServerOptions } from '../../src/server/index.ts';
import type { Wire } from './peer.ts';

/** Items of a stream that counts, as they lie on the wire. */
export function items(id: number, from: number, to: number): Wire[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ['item', id, from + index, from + index]);
}

/** A server whose stream counts for ever, and what became of each run of it. */
export function counting(options: Omit<Partial<ServerOptions<Tree, Context>>, 'handlers'> = {}) {
  const made: number[] = [];
  const signals: AbortSignal[] = [];
  const ended = vi.fn();
  const count = vi.fn(async function* ({ signal }: { signal: AbortSignal }) {
    signals.push(signal);
    try {
      for (let n = 1; ; n++) {
        made.push(n);
        yield n;
      }
    } finally {
      ended();
    }
  });
  return { made, signals, ended, count, ...start({ count }, options) };
}
