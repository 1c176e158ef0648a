import { createCollection } from '@tanstack/db';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { topicSync } from '../../examples/recipes/tanstack-db.ts';
import { defineContract, mutation, topic } from '../../src/index.ts';
import { refuse } from '../../src/server/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const Todo = z.object({ id: z.string(), text: z.string() });
type Todo = z.infer<typeof Todo>;
const contract = defineContract({
  add: mutation({ input: Todo }),
  remove: mutation({ input: z.string() }),
  todos: topic('todos/{list}', {
    event: z.object({ put: Todo.optional(), removed: z.string().optional() }),
    snapshot: z.array(Todo),
    apply: (todos, { put, removed }) => [
      ...todos.filter(({ id }) => id !== put?.id && id !== removed),
      ...(put === undefined ? [] : [put]),
    ],
  }),
});

/** A server with a list, and a collection of it in a page. */
function start() {
  const stored = new Map<string, Todo>([['a', { id: 'a', text: 'one' }]]);
  const pair = connectedPair(contract, {
    add: async ({ input }) => {
      stored.set(input.id, input);
      await pair.server.topic('todos', { list: 'mine' }).publish({ put: input });
    },
    remove: async ({ input }) => {
      stored.delete(input);
      await pair.server.topic('todos', { list: 'mine' }).publish({ removed: input });
    },
    todos: {
      authorize: ({ params }) => params.list === 'mine' || refuse('not yours', 'FORBIDDEN'),
      snapshot: () => [...stored.values()],
    },
  });
  const collect = (list: string) =>
    createCollection({
      getKey: ({ id }: Todo) => id,
      sync: topicSync(pair.client.todos({ list }), ({ put, removed }) => [
        ...(put === undefined ? [] : [{ type: 'upsert' as const, value: put }]),
        ...(removed === undefined ? [] : [{ type: 'delete' as const, key: removed }]),
      ]),
      onInsert: ({ transaction }) =>
        Promise.all(transaction.mutations.map(({ modified }) => pair.client.add(modified))),
    });
  return { pair, collect };
}

const texts = (todos: { readonly toArray: readonly Todo[] }): string[] => todos.toArray.map(({ text }) => text);

describe('the rows of a topic in TanStack DB', () => {
  test('are the snapshot, and each change since, also what was missed on a lost line', async () => {
    const { pair, collect } = start();
    await using _ = pair;
    const todos = collect('mine');
    await todos.preload();
    expect(texts(todos)).toEqual(['one']);
    await pair.client.add({ id: 'a', text: 'two' });
    await pair.settled();
    expect(texts(todos)).toEqual(['two']);
    pair.cut();
    await pair.server.topic('todos', { list: 'mine' }).publish({ put: { id: 'b', text: 'missed' } });
    await pair.settled();
    await pair.client.remove('a');
    await pair.settled();
    expect(texts(todos)).toEqual(['missed']);
    await todos.cleanup();
  });

  test('an optimistic one is shown at once, and once when its event has come', async () => {
    const { pair, collect } = start();
    await using _ = pair;
    const todos = collect('mine');
    await todos.preload();
    const transaction = todos.insert({ id: 'b', text: 'mine' });
    expect(texts(todos)).toEqual(['one', 'mine']);
    await transaction.when('settled');
    await pair.settled();
    expect(texts(todos)).toEqual(['one', 'mine']);
    await todos.cleanup();
  });

  test('a refusal is the error of the collection, and nothing stays subscribed', async () => {
    const { pair, collect } = start();
    await using _ = pair;
    const todos = collect('theirs');
    await expect(todos.preload()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await todos.cleanup();
    expect(pair.connection.stats().subscriptions).toBe(0);
  });
});
