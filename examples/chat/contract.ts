import { defineContract, mutation, query, topic } from 'tautline';
import { superjson } from 'tautline/superjson';
import { z } from 'zod';

// The page forbids eval (its Content-Security-Policy), which zod would try for speed. It looks at this when a schema is
// made, so it stands before the first one.
if ('document' in globalThis) z.config({ jitless: true });

/** How many messages the server keeps for those who come later. */
export const HISTORY_SIZE = 200;

/** 128 random bits in hex. */
export const Id = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits');
export const Name = z.string().trim().min(1, 'choose a name').max(24, 'use at most 24 characters');
export const Text = z.string().trim().min(1, 'type something').max(2000, 'use at most 2000 characters');

export const Message = z.object({ id: Id, author: Name, text: Text, at: z.date() });
export type Message = z.infer<typeof Message>;

/**
 * What page and server agree on. Both import this file: neither can call what the other does not have,
 * and what travels is checked on both ends. With superjson a `Date` arrives as a `Date`.
 */
export const chat = defineContract(
  {
    // Says nothing: how long that takes is what the page wants to know.
    ping: query(),

    // Taking the same name again does no harm. So it may be repeated where the server forgot whether it ran.
    join: mutation({
      input: z.object({ name: Name }),
      output: z.object({ name: Name }),
      errors: { NAME_TAKEN: z.object({ name: Name }) },
      idempotent: true,
    }),

    // The page makes the id, so that a repeat can be told from a second message: server and page know it by its id.
    send: mutation({
      input: z.object({ id: Id, text: Text }),
      output: Message,
      errors: { NOT_JOINED: z.object({}) },
      idempotent: true,
    }),

    // `apply` folds an event into the state. It must bear an event that the state already has.
    messages: topic('messages', {
      event: Message,
      snapshot: z.array(Message),
      apply: (messages, message) =>
        messages.some(({ id }) => id === message.id) ? messages : [...messages, message].slice(-HISTORY_SIZE),
    }),
    users: topic('users', {
      event: z.object({ name: Name, here: z.boolean() }),
      snapshot: z.array(Name),
      apply: (names, { name, here }) => {
        const others = names.filter((other) => other !== name);
        return here ? [...others, name] : others;
      },
    }),

    // Trouble on request. Not idempotent, which is the default: a server that may have stopped once for this call
    // must not be stopped again by its repeat.
    trouble: {
      cut: mutation(),
      stop: mutation(),
      slow: mutation({ input: z.object({ on: z.boolean() }) }),
    },
  },
  { codec: superjson },
);
