import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { mutation, query, stream } from '../../src/contract/procedure.ts';
import { topic } from '../../src/contract/topic.ts';
import { createServer } from '../../src/server/index.ts';
import type { AuthenticateArgs, ErrorInfo, Handlers, Server, ServerOptions } from '../../src/server/index.ts';

export const contract = defineContract({
  echo: query({ input: z.string(), output: z.string() }),
  orders: {
    place: mutation({
      input: z.object({ item: z.string() }),
      output: z.object({ number: z.int() }),
      errors: { SOLD_OUT: z.object({ left: z.int() }) },
    }),
    cancel: mutation({ input: z.string() }),
  },
  count: stream({ input: z.int(), output: z.int(), errors: { STUCK: z.object({ at: z.int() }) } }),
  room: topic('rooms/{roomId}', { event: z.object({ text: z.string() }) }),
  board: topic('boards/{id}', { event: z.number(), snapshot: z.object({ sum: z.number() }) }),
});

export type Tree = (typeof contract)['tree'];
export interface Context {
  readonly user: string;
}

/** Handlers that do the least; a test replaces those that it is about. */
export function handlers(own: Partial<Handlers<Tree, Context>> = {}): Handlers<Tree, Context> {
  let orders = 0;
  return {
    echo: ({ input }) => input,
    orders: { place: () => ({ number: ++orders }), cancel: () => undefined },
    async *count({ input }) {
      for (let n = 1; n <= input; n++) yield n;
    },
    room: { authorize: () => true, publish: () => undefined },
    board: { authorize: () => true, snapshot: () => ({ sum: 0 }) },
    ...own,
  };
}

export interface Fixture {
  readonly server: Server<Tree>;
  /** What went to `onError`. */
  readonly errors: { readonly error: any; readonly info: ErrorInfo }[];
}

/** A server whose tokens are the names of users. */
export function start(
  own: Partial<Handlers<Tree, Context>> = {},
  options: Omit<Partial<ServerOptions<Tree, Context>>, 'handlers'> = {},
): Fixture {
  const errors: { error: unknown; info: ErrorInfo }[] = [];
  const server = createServer(contract, {
    authenticate: ({ token = 'ann' }: AuthenticateArgs) => ({ identity: token, context: { user: token } }),
    onError: (error, info) => void errors.push({ error, info }),
    ...options,
    handlers: handlers(own),
  });
  return { server, errors };
}
