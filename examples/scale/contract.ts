import { defineContract, mutation, topic } from 'tautline';
import { z } from 'zod';

if ('document' in globalThis) z.config({ jitless: true }); // the page forbids eval

/** The n-th tick of one run of a client: each is published once, in order, or its caller is told that nobody knows. */
export const Tick = z.object({ run: z.string(), n: z.int() });
export type Tick = z.infer<typeof Tick>;

/** What the many clients and the nodes agree on. */
export const work = defineContract({
  tick: mutation({ input: Tick }),
  ticks: topic('ticks', { event: Tick }),
});

/** What the clients have seen since they began. */
export const Seen = z.object({
  connected: z.int(),
  /** Answered. */
  calls: z.int(),
  /** Ended with an error. */
  failed: z.int(),
  /** Heard, by all clients together. */
  events: z.int(),
  lost: z.int(),
  doubled: z.int(),
  /** Told by the line: so much is missing. */
  gaps: z.int(),
  /** Of the last 1 000 calls, ms. */
  p50: z.number(),
  p99: z.number(),
});
export type Seen = z.infer<typeof Seen>;

export const Node = z.object({ name: z.string(), state: z.enum(['starting', 'serving', 'leaving']), clients: z.int() });
export type Node = z.infer<typeof Node>;

export const Figures = z.object({ nodes: z.array(Node), redis: z.enum(['up', 'frozen']), seen: Seen });
export type Figures = z.infer<typeof Figures>;

export const Act = z.enum(['stop a node', 'kill a node', 'empty Redis', 'freeze Redis', 'thaw Redis']);
export type Act = z.infer<typeof Act>;

/** What the page and the one who starts it all agree on. */
export const panel = defineContract({
  act: mutation({ input: Act, errors: { NOT_NOW: z.object({ why: z.string() }) } }),
  figures: topic('figures', { event: Figures, snapshot: Figures, apply: (_, figures) => figures }),
});
