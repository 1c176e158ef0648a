import { z } from 'zod';

/** The schema of an order, for the peers that check what they send and get. */
export const orderSchema = z.object({
  id: z.string(),
  customer: z.object({ name: z.string(), city: z.string() }),
  lines: z.array(z.object({ sku: z.string(), quantity: z.int(), price: z.number() })),
  paid: z.boolean(),
  total: z.number(),
});
