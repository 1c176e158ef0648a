import { vi } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { query, stream } from '../../src/contract/procedure.ts';
import { createServer } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Context, Tree } from './fixture.ts';
import type { ServerLimits, ServerOptions } from '../../src/server/index.ts';
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

/** Streams whose items are of about as many bytes as their input says. */
export function heavy(limits: ServerLimits) {
  const made: number[] = [];
  const ended = vi.fn();
  const contract = defineContract({
    heavy: stream({ input: z.tuple([z.int(), z.int()]), output: z.string() }),
    save: query(),
  });
  const server = createServer(contract, {
    limits,
    handlers: {
      async *heavy({ input: [bytes, count], call, signal }) {
        try {
          for (let n = 1; n <= count; n++) {
            made.push(call.id);
            yield 'x'.repeat(bytes);
          }
        } finally {
          ended(call.id, signal.aborted);
        }
      },
      save: () => undefined,
    },
  });
  const openHeavy = (id: number, bytes: number, count = 1000, after = 0) => {
    return ['open', id, 'heavy', null, after, 1000, [bytes, count]];
  };
  const madeOf = (id: number) => made.filter((of) => of === id).length;
  return { server, openHeavy, made, madeOf, ended };
}
