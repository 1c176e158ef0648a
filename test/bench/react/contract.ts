import { defineContract, topic } from 'tautline';
import { z } from 'zod';

/** What every hook makes of an event, a number from 0 up; a snapshot may have it already. */
const apply = (list: readonly number[], event: number): readonly number[] =>
  event < list.length ? list : [...list, event];

export const contract = defineContract({
  ticks: topic('ticks', { event: z.number(), snapshot: z.array(z.number()).readonly(), apply }),
});
