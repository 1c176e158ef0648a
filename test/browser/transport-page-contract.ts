import { z } from 'zod';
import { defineContract, mutation } from '../../src/index.ts';

/** What the page of the transport tests can ask: to run once for a key. */
export const contract = defineContract({
  run: mutation({ input: z.object({ key: z.string() }), output: z.string() }),
});
