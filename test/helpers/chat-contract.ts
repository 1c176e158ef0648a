import { z } from 'zod';
import { superjson } from '../../src/codec/superjson.ts';
import { defineContract, mutation, query, topic } from '../../src/index.ts';

/** A contract with one of everything, for tests of both sides. */
export const plain = defineContract({
  get: query({ input: z.object({ id: z.number() }), output: z.object({ name: z.string() }) }),
  ping: query({}),
  add: mutation({
    input: z.object({ by: z.number() }),
    output: z.number(),
    errors: { LIMIT: z.object({ max: z.number() }) },
  }),
  set: mutation({ input: z.object({ to: z.number() }), output: z.number(), idempotent: true }),
  note: mutation({ input: z.object({ text: z.string() }) }),
  news: topic('news/{channel}', { event: z.object({ text: z.string() }) }),
  counts: topic('counts', {
    event: z.object({ key: z.string(), count: z.number() }),
    snapshot: z.record(z.string(), z.number()),
    apply: (state, event) => ({ ...state, [event.key]: event.count }),
  }),
  board: topic('board', { event: z.object({ at: z.number() }), snapshot: z.object({ size: z.number() }) }),
});

/** The same with a codec for dates. */
export const dated = defineContract(
  { remind: mutation({ input: z.object({ at: z.date() }), output: z.object({ at: z.date() }) }) },
  { codec: superjson },
);
