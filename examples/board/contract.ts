import { defineContract, mutation, presence, query, stream, topic } from 'tautline';
import { z } from 'zod';

// The page forbids eval (its Content-Security-Policy), which zod would try for speed. It looks at this when a schema is
// made, so it stands before the first one.
if ('document' in globalThis) z.config({ jitless: true });

export const COLUMNS = ['todo', 'doing', 'done'] as const;
export const Column = z.enum(COLUMNS);
export type Column = z.infer<typeof Column>;

const Id = z.string().min(1).max(64);
export const Name = z.string().trim().min(1, 'choose a name').max(24, 'use at most 24 characters');
const Text = z.string().trim().min(1, 'type something').max(140, 'use at most 140 characters');

export const Card = z.object({ id: Id, text: Text, column: Column, by: Name });
export type Card = z.infer<typeof Card>;

const Room = z.object({ id: Id, title: z.string() });
const InRoom = z.object({ roomId: Id });
const Change = z.discriminatedUnion('type', [
  z.object({ type: z.literal('put'), card: Card }),
  z.object({ type: z.literal('removed'), id: Id }),
]);
export type Change = z.infer<typeof Change>;

/** What a change makes of the cards. One that is put moves to the end, and may be there already. */
export function applyChange(cards: readonly Card[], change: Change): readonly Card[] {
  const id = change.type === 'put' ? change.card.id : change.id;
  const others = cards.filter((card) => card.id !== id);
  return change.type === 'put' ? [...others, change.card] : others;
}

const errors = { NO_ROOM: z.object({}) };

/** What page and server agree on. */
export const board = defineContract({
  /** The rooms of who asks: two for everybody, and one of his own. */
  rooms: query({ output: z.array(Room) }),

  card: {
    /** The page makes the id: a repeat adds nothing. */
    add: mutation({ input: InRoom.extend({ id: Id, text: Text }), errors, idempotent: true }),
    move: mutation({ input: InRoom.extend({ id: Id, column: Column }), errors: { ...errors, GONE: z.object({}) } }),
    remove: mutation({ input: InRoom.extend({ id: Id }), errors, idempotent: true }),
  },
  cards: topic('rooms/{roomId}/cards', { event: Change, snapshot: z.array(Card).readonly(), apply: applyChange }),
  here: presence('rooms/{roomId}/here', { info: z.object({ name: Name }) }),

  /** Tells what is on a board, word by word. */
  summary: stream({ input: InRoom, output: z.string(), errors }),

  // Trouble on request. Not idempotent, which is the default: what may have happened must not happen again.
  trouble: {
    cut: mutation(),
    stop: mutation(),
    slow: mutation({ input: z.object({ on: z.boolean() }) }),
  },
});
