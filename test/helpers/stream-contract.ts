import { z } from 'zod';
import { defineContract, mutation, query, stream } from '../../src/index.ts';

/** A contract with streams, and calls beside them. */
export const streaming = defineContract({
  count: stream({ input: z.object({ to: z.number() }), output: z.number() }),
  talk: stream({
    output: z.object({ word: z.string() }),
    errors: { QUOTA: z.object({ left: z.number() }) },
  }),
  add: mutation({ input: z.object({ by: z.number() }), output: z.number() }),
  ping: query({}),
});
