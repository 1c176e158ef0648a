import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  createClient,
  defineContract,
  mutation,
  query,
  stream,
  topic,
  type Gap,
  type TautlineError,
} from '../../src/index.ts';
import { snapshotAt, type ErrorInfo } from '../../src/server/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

/** The same contract twice: one side trusts what the other does not accept. */
function contractWith<Note extends z.ZodType<{ tags: string[] }>>(Notes: Note) {
  return defineContract({
    take: mutation({ input: Notes }),
    give: query({ input: z.string(), output: Notes }),
    fail: query({ errors: { WRONG: Notes } }),
    list: stream({ input: Notes, output: Notes }),
    notes: topic('notes', { event: Notes }),
    board: topic('board', { event: z.string(), snapshot: Notes }),
  });
}

const lax = contractWith(z.object({ tags: z.array(z.string()) }));
const strict = contractWith(z.object({ tags: z.array(z.string().max(3, 'at most three')) }));
const GOOD = { tags: ['abc'] };
const BAD = { tags: ['abc', 'abcd'] };
const ISSUES = [{ message: 'at most three', path: ['tags', 1] }];

/** A client of one contract at a server of another. */
function world({ client: ours, server: theirs }: { client: typeof lax; server: typeof lax }, development = true) {
  const taken: unknown[] = [];
  const reported: Array<{ error: unknown; info: ErrorInfo }> = [];
  const handlers = {
    take: ({ input }: { input: unknown }) => void taken.push(input),
    give: ({ input }: { input: string }) => ({ tags: input.split(' ') }),
    fail: ({ fail }: { fail: (code: 'WRONG', data: typeof BAD) => never }) => fail('WRONG', BAD),
    async *list({ input }: { input: typeof GOOD }) {
      taken.push(input);
      yield GOOD;
      yield BAD;
    },
    notes: { authorize: () => true, publish: ({ event }: { event: unknown }) => void taken.push(event) },
    board: { authorize: () => true, snapshot: () => BAD },
  };
  const pair = connectedPair(theirs, handlers, {
    server: { development, onError: (error, info) => void reported.push({ error, info }) },
  });
  return {
    pair,
    taken,
    reported,
    client: createClient(ours, pair.connection),
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

async function errorOf(promise: Promise<unknown>): Promise<TautlineError> {
  return (await promise.then(
    () => expect.fail('it was accepted'),
    (error: unknown) => error,
  )) as TautlineError;
}

describe('A value that the client accepts and the server does not', () => {
  test('fails that call alone, with the issues and their paths, and its handler does not run', async () => {
    await using context = world({ client: lax, server: strict });
    const { client, taken, reported } = context;
    const [bad, good] = [errorOf(client.take(BAD)), client.take(GOOD)];
    expect(await bad).toMatchObject({ code: 'BAD_INPUT', outcome: 'rejected', path: 'take', issues: ISSUES });
    expect((await bad).message).toBe('BAD_INPUT: tags[1]: at most three');
    await good;
    expect(taken).toEqual([GOOD]);
    expect(reported).toEqual([]);
    expect(context.pair.connection.stats().reconnects).toBe(0);
  });

  test('fails that publish alone, and nobody hears it', async () => {
    await using context = world({ client: lax, server: strict });
    const { client, taken } = context;
    const heard: unknown[] = [];
    const notes = client.notes();
    await notes.subscribe((event) => heard.push(event)).ready;
    const [bad, good] = [errorOf(notes.publish(BAD)), notes.publish(GOOD)];
    expect(await bad).toMatchObject({ code: 'BAD_INPUT', outcome: 'rejected', path: 'notes', issues: ISSUES });
    await good;
    expect(taken).toEqual([GOOD]);
    expect(heard).toEqual([GOOD]);
  });

  test('fails that stream alone, which never starts', async () => {
    await using context = world({ client: lax, server: strict });
    const error = await errorOf(context.client.list(BAD).next());
    expect(error).toMatchObject({ code: 'BAD_INPUT', outcome: 'rejected', path: 'list', issues: ISSUES });
    expect(context.taken).toEqual([]);
    await context.client.take(GOOD);
  });

  test('with ten thousand faults is answered with a few of them', async () => {
    await using context = world({ client: lax, server: strict });
    const error = await errorOf(context.client.take({ tags: Array<string>(10_000).fill('too long') }));
    expect(error.issues).toHaveLength(16);
    expect(error.message.length).toBeLessThan(1_000);
  });
});

describe('A value that the server accepts and the client does not', () => {
  test('fails that call alone, as an output', async () => {
    await using context = world({ client: strict, server: lax });
    const [bad, good] = [errorOf(context.client.give('abc abcd')), context.client.give('abc')];
    expect(await bad).toMatchObject({ code: 'BAD_OUTPUT', outcome: 'unknown', path: 'give', issues: ISSUES });
    expect(await good).toEqual(GOOD);
  });

  test('ends that stream, behind the items before it', async () => {
    await using context = world({ client: strict, server: lax });
    const items = context.client.list(GOOD);
    expect(await items.next()).toEqual({ done: false, value: GOOD });
    expect(await errorOf(items.next())).toMatchObject({ code: 'BAD_OUTPUT', path: 'list', issues: ISSUES });
    expect(await context.client.give('abc')).toEqual(GOOD);
  });

  test('as data of a declared error is a bad output too', async () => {
    await using context = world({ client: strict, server: lax });
    expect(await errorOf(context.client.fail())).toMatchObject({ code: 'BAD_OUTPUT', path: 'fail', issues: ISSUES });
    expect(await context.client.give('abc')).toEqual(GOOD);
  });

  test('is a gap in its topic that says why, and the next event is heard', async () => {
    await using context = world({ client: strict, server: lax });
    const heard: unknown[] = [];
    const gaps: Gap[] = [];
    const event = (value: unknown): number => heard.push(value);
    await context.client.notes().subscribe({ event, gap: (gap) => gaps.push(gap) }).ready;
    const notes = context.pair.server.topic('notes');
    for (const value of [GOOD, BAD, GOOD]) await notes.publish(value);
    await context.client.give('abc');
    expect(heard).toEqual([GOOD, GOOD]);
    expect(gaps.map(({ from, to }) => [from?.[1], to[1]])).toEqual([[1, 2]]);
    expect(gaps[0]?.error).toMatchObject({ code: 'BAD_OUTPUT', path: 'notes', issues: ISSUES });
  });

  test('as a snapshot ends that subscription, and no other', async () => {
    await using context = world({ client: strict, server: lax });
    const heard: unknown[] = [];
    await context.client.notes().subscribe((event) => heard.push(event)).ready;
    const board = context.client.board().subscribe({});
    expect(await errorOf(board.ready)).toMatchObject({ code: 'BAD_OUTPUT', path: 'board', issues: ISSUES });
    expect(board.state).toBe('ended');
    await context.pair.server.topic('notes').publish(GOOD);
    await context.client.give('abc');
    expect(heard).toEqual([GOOD]);
  });
});

test('An event that does not fit asks for one snapshot, also where that stands before it and it comes again.', async () => {
  const contractOf = (text: z.ZodType<string>) =>
    defineContract({
      log: topic('log', { event: text, snapshot: z.array(z.string()), apply: (all, text) => [...all, text] }),
      ping: query(),
    });
  let reads = 0;
  const snapshot = () => {
    reads++;
    return snapshotAt([], null);
  };
  const server = contractOf(z.string());
  await using pair = connectedPair(server, { log: { authorize: () => true, snapshot }, ping: () => undefined });
  const client = createClient(contractOf(z.string().max(4)), pair.connection);
  const told: unknown[] = [];
  await client.log().subscribe({
    event: (event) => told.push(event),
    gap: ({ to, error }) => told.push([to[1], error?.code]),
  }).ready;
  for (const text of ['one', 'too long', 'two']) await pair.server.topic('log').publish(text);
  // Each round goes there and back: what is asked again and again would be by now.
  for (let round = 0; round < 20; round++) await client.ping();
  await pair.server.topic('log').publish('six');
  await client.ping();
  expect(told.filter((what) => what === 'six')).toHaveLength(1);
  expect(told).toContainEqual([2, 'BAD_OUTPUT']);
  expect(reads).toBe(2);
});

describe('What the server itself does not accept of its own', () => {
  test('is told to the caller without a word of it, in production, and reported with the path', async () => {
    await using context = world({ client: lax, server: strict }, false);
    const [output, data] = await Promise.all([
      errorOf(context.client.give('abc abcd')),
      errorOf(context.client.fail()),
    ]);
    for (const error of [output, data]) {
      expect(error).toMatchObject({ code: 'BAD_OUTPUT', outcome: 'unknown', issues: undefined });
      expect(error.message).not.toContain('three');
    }
    expect(context.reported.map(({ error, info }) => [(error as Error).message, info.path])).toEqual([
      ['the output of give does not match its schema: tags[1]: at most three', 'give'],
      ['the error WRONG of fail does not match its schema: tags[1]: at most three', 'fail'],
    ]);
  });

  test('as an event is refused to whoever publishes it, with the issues', async () => {
    await using context = world({ client: lax, server: strict });
    const error = await errorOf(context.pair.server.topic('notes').publish(BAD));
    expect(error).toMatchObject({ code: 'BAD_INPUT', outcome: 'rejected', path: 'notes', issues: ISSUES });
  });
});

test('What a schema of an output throws is reported with it.', async () => {
  const secret = new Error('the password of the database is 1234');
  const throwing = contractWith(
    z.object({ tags: z.array(z.string()) }).refine(() => {
      throw secret;
    }),
  );
  await using context = world({ client: lax, server: throwing });
  const error = await errorOf(context.client.give('abc'));
  await errorOf(context.client.board().subscribe({}).ready);
  expect(error.message).not.toContain('1234');
  expect(context.reported.map(({ error: thrown }) => (thrown as Error).cause)).toEqual([secret, secret]);
});

test('What a schema of the server throws is reported there, and not told to the client', async () => {
  const secret = new Error('the password of the database is 1234');
  const throwing = contractWith(
    z.object({ tags: z.array(z.string()) }).refine(() => {
      throw secret;
    }),
  );
  await using context = world({ client: lax, server: throwing });
  for (const refused of [context.client.take(GOOD), context.client.notes().publish(GOOD)]) {
    const error = await errorOf(refused);
    expect(error).toMatchObject({ code: 'BAD_INPUT', outcome: 'rejected', issues: [{ message: 'the schema threw' }] });
    expect(error.cause).toBeUndefined();
  }
  expect(context.reported).toEqual([
    { error: secret, info: { during: 'input', path: 'take' } },
    { error: secret, info: { during: 'input', path: 'notes' } },
  ]);
  await using own = world({ client: throwing, server: lax });
  expect(await errorOf(own.client.take(GOOD))).toMatchObject({ code: 'BAD_INPUT', outcome: 'not-sent', cause: secret });
});
