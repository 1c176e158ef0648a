import { z } from 'zod';
import { defineContract, query, topic } from '../../src/index.ts';

export const appContract = defineContract({
  greet: query({ input: z.string(), output: z.string() }),
  news: topic('news', { event: z.string() }),
});
