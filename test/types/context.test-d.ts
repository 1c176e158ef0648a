import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, query, stream, topic } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import type { AuthenticateArgs, Handlers, ServerOptions } from '../../src/server/index.ts';

const contract = defineContract({
  ping: query(),
  // Groups whose members are called like the rules of a topic.
  notes: { publish: mutation({ input: z.string(), output: z.number() }), snapshot: { authorize: query() } },
  count: stream({ output: z.number() }),
  room: topic('rooms/{id}', { event: z.string() }),
  board: { state: topic('boards/{id}', { event: z.string(), snapshot: z.object({ sum: z.number() }) }) },
});

interface Context {
  readonly user: string;
}

declare function show(value: string | number): void;

const quiet = {
  ping: () => undefined,
  notes: { publish: () => 1, snapshot: { authorize: () => undefined } },
  async *count() {
    yield 1;
  },
  room: { authorize: () => true },
  board: { state: { authorize: () => true, snapshot: () => ({ sum: 0 }) } },
};

test('the context of all handlers is what authenticate returns, without an annotation', () => {
  createServer(contract, {
    authenticate: async ({ token = '', request, signal }) => {
      expectTypeOf(token).toEqualTypeOf<string>();
      expectTypeOf(request.url).toEqualTypeOf<string | undefined>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return { identity: token, context: { user: token } };
    },
    handlers: {
      ping: ({ context }) => {
        expectTypeOf(context).toEqualTypeOf<{ user: string }>();
      },
      notes: {
        publish: ({ input, context }) => {
          expectTypeOf(input).toEqualTypeOf<string>();
          expectTypeOf(context).toEqualTypeOf<{ user: string }>();
          return 1;
        },
        snapshot: {
          authorize: ({ context }) => {
            expectTypeOf(context).toEqualTypeOf<{ user: string }>();
          },
        },
      },
      async *count({ context }) {
        expectTypeOf(context).toEqualTypeOf<{ user: string }>();
        yield 1;
      },
      room: {
        authorize: ({ context, params, action }) => {
          expectTypeOf(context).toEqualTypeOf<{ user: string }>();
          expectTypeOf(params).toEqualTypeOf<{ readonly id: string }>();
          return action === 'subscribe';
        },
        publish: ({ context, event }) => {
          expectTypeOf(context).toEqualTypeOf<{ user: string }>();
          expectTypeOf(event).toEqualTypeOf<string>();
        },
      },
      board: {
        state: {
          authorize: ({ context }) => context.user !== '',
          snapshot: ({ params }) => ({ sum: params.id.length }),
        },
      },
    },
    intercept: (call, next) => {
      expectTypeOf(call.context).toEqualTypeOf<{ user: string }>();
      return next();
    },
  });
});

test('whichever handler comes first, and before other options', () => {
  const authenticated = { identity: '', context: { user: 1 } };
  createServer(contract, {
    authenticate: ({ token }) => ({ ...authenticated, identity: token ?? '' }),
    handlers: {
      ...quiet,
      board: { state: { authorize: ({ context }) => context.user > 1, snapshot: () => ({ sum: 0 }) } },
      ping: ({ context }) => show(context.user.toFixed()),
    },
    limits: { calls: 8 },
  });
  createServer(contract, {
    authenticate: ({ token }) => ({ ...authenticated, identity: token ?? '' }),
    intercept: [
      (call, next) => {
        expectTypeOf(call.context).toEqualTypeOf<{ user: number }>();
        return next();
      },
    ],
    handlers: { ...quiet, notes: { ...quiet.notes, publish: ({ context }) => context.user } },
  });
  createServer(contract, {
    authenticate: ({ token }) => ({ ...authenticated, identity: token ?? '' }),
    handlers: {
      ...quiet,
      async *count({ context }) {
        yield context.user;
      },
    },
  });
});

test('behind the handlers, where its parameter is annotated or it takes none', () => {
  createServer(contract, {
    handlers: { ...quiet, notes: { ...quiet.notes, publish: ({ context }) => context.user } },
    authenticate: ({ token }: AuthenticateArgs) => ({ identity: token ?? '', context: { user: 1 } }),
  });
  createServer(contract, {
    handlers: { ...quiet, notes: { ...quiet.notes, publish: ({ context }) => context.user } },
    authenticate: () => ({ identity: '', context: { user: 1 } }),
  });
  createServer(contract, {
    handlers: quiet,
    authenticate: ({ token }) => ({ identity: token ?? '', context: { user: 1 } }),
  });
  createServer(contract, {
    handlers: { ...quiet, ping: ({ call }) => show(call.id) },
    // @ts-expect-error -- a handler was told already that there is none
    authenticate: ({ token }) => ({ identity: token ?? '', context: { user: 1 } }),
  });
});

test('it is undefined where nobody is authenticated, and handlers are checked as well', () => {
  createServer(contract, {
    handlers: {
      ...quiet,
      ping: ({ context }) => {
        expectTypeOf(context).toEqualTypeOf<undefined>();
      },
      notes: {
        publish: ({ input, context }) => {
          expectTypeOf(input).toEqualTypeOf<string>();
          expectTypeOf(context).toEqualTypeOf<undefined>();
          return 1;
        },
        snapshot: { authorize: ({ call }) => show(call.id) },
      },
      room: { authorize: ({ params, context }) => params.id !== context },
    },
  });
  // @ts-expect-error -- a number is what it answers
  createServer(contract, { handlers: { ...quiet, notes: { ...quiet.notes, publish: () => 'a' } } });
  // @ts-expect-error -- texts are no items of it
  createServer(contract, { handlers: { ...quiet, count: () => [''] } });
  // @ts-expect-error -- a snapshot is declared
  createServer(contract, { handlers: { ...quiet, board: { state: { authorize: () => true } } } });
  // @ts-expect-error -- no snapshot is declared
  createServer(contract, { handlers: { ...quiet, room: { authorize: () => true, snapshot: () => 1 } } });
  // @ts-expect-error -- a topic has rules
  createServer(contract, { handlers: { ...quiet, room: () => true } });
  // @ts-expect-error -- a group is missing
  createServer(contract, { handlers: { ping: quiet.ping, count: quiet.count, room: quiet.room, board: quiet.board } });
  // @ts-expect-error -- no such procedure
  createServer(contract, { handlers: { ...quiet, pong: () => undefined } });
});

test('what is wrong with a handler is found with an inferred context, too', () => {
  const authenticate = ({ token = '' }: AuthenticateArgs) => ({ identity: token, context: { user: token } });
  createServer(contract, {
    authenticate: ({ token = '' }) => ({ identity: token, context: { user: token } }),
    // @ts-expect-error -- no such property of the context
    handlers: { ...quiet, ping: ({ context }) => show(context.name) },
  });
  createServer(contract, {
    authenticate: ({ token = '' }) => ({ identity: token, context: { user: token } }),
    // @ts-expect-error -- a number is what it answers
    handlers: { ...quiet, notes: { ...quiet.notes, publish: ({ context }) => context.user } },
  });
  createServer(contract, {
    // @ts-expect-error -- the context is missing
    authenticate: ({ token = '' }) => ({ identity: token }),
    handlers: quiet,
  });
  createServer(contract, {
    authenticate,
    // @ts-expect-error -- a snapshot is declared
    handlers: { ...quiet, board: { state: { authorize: ({ context }) => context.user !== '' } } },
  });
  // @ts-expect-error -- no such option
  createServer(contract, { authenticate, handlers: quiet, handler: quiet });
});

test('handlers and options that were typed by themselves fit', () => {
  const handlers: Handlers<(typeof contract)['tree'], Context> = {
    ...quiet,
    ping: ({ context }) => show(context.user),
  };
  const options: ServerOptions<(typeof contract)['tree'], Context> = {
    authenticate: ({ token = '' }) => ({ identity: token, context: { user: token } }),
    handlers,
  };
  createServer(contract, options);
  createServer(contract, {
    authenticate: ({ token = '' }) => ({ identity: token, context: { user: token } }),
    handlers,
  });
  const anybody: Handlers<(typeof contract)['tree']> = quiet;
  createServer(contract, { handlers: anybody });
});
