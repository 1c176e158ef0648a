import { defineContract, mutation, topic } from 'tautline';
import { z } from 'zod';

/** What the app of these recipes and its server agree on. */
export const contract = defineContract({
  send: mutation({ input: z.string() }),
  room: topic('room', {
    event: z.string(),
    snapshot: z.array(z.string()),
    apply: (texts, text) => [...texts, text],
  }),
});
