import { z } from 'zod';
import { defineContract, mutation, query, stream, topic } from '../../../src/index.ts';

const n = z.object({ n: z.int() });

/** The contract of the exchanges, as test/vectors/README.md has it. */
export const served = defineContract({
  double: query({ input: n, output: z.int() }),
  ping: query(),
  add: mutation({ input: n, output: z.int() }),
  set: mutation({ input: n, output: z.int(), idempotent: true }),
  hold: mutation({ input: z.object({ key: z.string() }), output: z.string() }),
  small: query({ input: z.object({ n: z.int().max(9, 'at most 9') }) }),
  full: query({ errors: { FULL: z.object({ max: z.int() }) } }),
  wrong: query({ output: z.int() }),
  breaks: query(),
  count: stream({ input: z.object({ to: z.int() }), output: z.int() }),
  news: topic('news/{channel}', { event: z.object({ text: z.string().max(9, 'at most 9') }) }),
  board: topic('board', { event: z.object({ at: z.int() }), snapshot: z.object({ size: z.int() }) }),
});

/** As an app has it that was deployed later: it calls what the server lacks, and allows what the server refuses. */
export const called = defineContract({
  ...served.tree,
  small: query({ input: n }),
  news: topic('news/{channel}', { event: z.object({ text: z.string() }) }),
  missing: query(),
  absent: topic('absent', { event: z.string() }),
});
