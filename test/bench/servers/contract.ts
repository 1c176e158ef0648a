import { defineContract, mutation, query, topic } from 'tautline';
import { z } from 'zod';
import { orderSchema } from '../order-schema.ts';

/** The n-th tick of one run of a client: each is published once, in order, or its caller is told that nobody knows. */
const Tick = z.object({ run: z.string(), n: z.int(), at: z.number() });
export type Tick = z.infer<typeof Tick>;

/** What the servers are asked, and tell. */
export const contract = defineContract({
  echo: query({ input: orderSchema, output: orderSchema }),
  /** Publishes it. */
  tick: mutation({ input: Tick }),
  ticks: topic('ticks', { event: Tick }),
  orders: topic('orders', { event: orderSchema }),
});
