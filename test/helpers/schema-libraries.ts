import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import * as m from 'zod/mini';
import { defineContract, mutation, query, topic } from '../../src/index.ts';

/*
 * The same contract in each library: an input that is transformed, an output that is stripped, texts of at most three
 * characters, and an asynchronous check of a name where the library has such.
 */

/** Resolves when everything that waits for nothing else has run: names are looked up somewhere. */
function lookUp(name: string): Promise<boolean> {
  return new Promise((found) => {
    queueMicrotask(() => {
      found(name !== 'taken');
    });
  });
}

const fold = <Note extends { text: string }>(state: { texts: string[] }, note: Note): { texts: string[] } => ({
  texts: [...state.texts, note.text],
});

const zodNote = z.object({ text: z.string().max(3) });
/** zod 4. */
export const zod = defineContract({
  add: mutation({
    input: z.object({ numbers: z.array(z.object({ value: z.string().regex(/^\d+$/).transform(Number) })) }),
    output: z.object({ sum: z.number().max(40) }),
    errors: { TOO_MUCH: z.object({ max: z.number().max(100) }) },
  }),
  claim: query({ input: z.object({ name: z.string().refine(lookUp) }), output: z.string().refine(lookUp) }),
  notes: topic('notes/{room}', { event: zodNote, snapshot: z.object({ texts: z.array(z.string()) }), apply: fold }),
});

const miniNote = m.object({ text: m.string().check(m.maxLength(3)) });
/** zod/mini. */
export const mini = defineContract({
  add: mutation({
    input: m.object({
      numbers: m.array(m.object({ value: m.pipe(m.string().check(m.regex(/^\d+$/)), m.transform(Number)) })),
    }),
    output: m.object({ sum: m.number().check(m.maximum(40)) }),
    errors: { TOO_MUCH: m.object({ max: m.number().check(m.maximum(100)) }) },
  }),
  claim: query({
    input: m.object({ name: m.string().check(m.refine(lookUp)) }),
    output: m.string().check(m.refine(lookUp)),
  }),
  notes: topic('notes/{room}', { event: miniNote, snapshot: m.object({ texts: m.array(m.string()) }), apply: fold }),
});

const valibotNote = v.object({ text: v.pipe(v.string(), v.maxLength(3)) });
/** valibot. */
export const valibot = defineContract({
  add: mutation({
    input: v.object({
      numbers: v.array(v.object({ value: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)) })),
    }),
    output: v.object({ sum: v.pipe(v.number(), v.maxValue(40)) }),
    errors: { TOO_MUCH: v.object({ max: v.pipe(v.number(), v.maxValue(100)) }) },
  }),
  claim: query({
    input: v.objectAsync({ name: v.pipeAsync(v.string(), v.checkAsync(lookUp)) }),
    output: v.pipeAsync(v.string(), v.checkAsync(lookUp)),
  }),
  notes: topic('notes/{room}', { event: valibotNote, snapshot: v.object({ texts: v.array(v.string()) }), apply: fold }),
});

const arktypeNote = type({ '+': 'delete', text: 'string <= 3' });
/** arktype, which is synchronous throughout. */
export const arktype = defineContract({
  add: mutation({
    input: type({ numbers: type({ value: 'string.integer.parse' }).array() }),
    output: type({ '+': 'delete', sum: 'number <= 40' }),
    errors: { TOO_MUCH: type({ '+': 'delete', max: 'number <= 100' }) },
  }),
  claim: query({
    input: type({ name: type('string').narrow((name, context) => name !== 'taken' || context.reject('free')) }),
    output: type('string').narrow((name, context) => name !== 'taken' || context.reject('free')),
  }),
  notes: topic('notes/{room}', { event: arktypeNote, snapshot: type({ texts: 'string[]' }), apply: fold }),
});
