import { describe, expect, test } from 'vitest';
import { createClient, type Gap } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';
import * as libraries from '../helpers/schema-libraries.ts';
import { saying } from '../helpers/saying.ts';

type Shape = typeof libraries.zod;

const contracts = Object.entries(libraries).map(([library, contract]) => ({
  library,
  contract: contract as unknown as Shape,
}));

/** Trusts every value: what the other side does not accept reaches it. */
function trusting(contract: Shape): Shape {
  const accept = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } };
  const lax = (schema: unknown): unknown => (schema === undefined ? undefined : accept);
  const { add, claim, notes } = contract.tree;
  const tree = {
    add: { ...add, input: accept, output: accept, errors: { TOO_MUCH: accept } },
    claim: { ...claim, input: accept, output: accept },
    notes: { ...notes, event: accept, snapshot: lax(notes.snapshot) },
  };
  const procedures = new Map(Object.entries({ add: tree.add, claim: tree.claim }));
  const topics = new Map([['notes', { ...contract.topics.get('notes')!, definition: tree.notes }]]);
  return { ...contract, tree, procedures, topics } as unknown as Shape;
}

/** A client of one contract at a server of another. */
function world({ client: ours, server: theirs }: { client: Shape; server: Shape }) {
  const added: unknown[] = [];
  const reported: unknown[] = [];
  const pair = connectedPair(
    theirs,
    {
      add: ({ input, fail }) => {
        added.push(input);
        const sum = input.numbers.reduce((total, { value }) => total + Number(value as unknown), 0);
        // What is returned has more keys than the schema, which strips them.
        return sum < 50 ? { sum, secret: 'x' } : fail('TOO_MUCH', { max: sum, secret: 'x' } as { max: number });
      },
      claim: ({ input }) => input.name,
      notes: {
        authorize: () => true,
        publish: () => undefined,
        snapshot: () => ({ texts: ['old'] }),
      },
    },
    { server: { onError: (error) => void reported.push(error) } },
  );
  return { ...pair, client: createClient(ours, pair.connection), added, reported };
}

const numbers = (...values: string[]) => ({ numbers: values.map((value) => ({ value })) });

describe.each(contracts)('With $library', ({ contract }) => {
  test('inputs are transformed once, at the server, and outputs are stripped', async () => {
    await using pair = world({ client: contract, server: contract });
    expect(await pair.client.add(numbers('1', '20'))).toStrictEqual({ sum: 21 });
    expect(pair.added).toEqual([{ numbers: [{ value: 1 }, { value: 20 }] }]);
    expect(pair.reported).toEqual([]);
  });

  test('declared errors carry their data, stripped', async () => {
    await using pair = world({ client: contract, server: contract });
    const { error } = await pair.client.add(numbers('60')).safe();
    expect(error).toMatchObject({ code: 'TOO_MUCH', outcome: 'rejected' });
    expect(error?.data).toStrictEqual({ max: 60 });
  });

  test('an input is checked before it is sent, and the path leads to the fault', async () => {
    await using pair = world({ client: contract, server: contract });
    const { error } = await pair.client.add(numbers('1', 'x')).safe();
    expect(error).toMatchObject({ code: 'BAD_INPUT', outcome: 'not-sent' });
    expect(error?.message).toEqual(saying(/^BAD_INPUT: add: numbers\[1\]\.value: ./));
    expect(error?.issues).toHaveLength(1);
    expect(pair.added).toEqual([]);
  });

  test('an input that only the server refuses comes back with the path, and its neighbour is answered', async () => {
    await using pair = world({ client: trusting(contract), server: contract });
    const [bad, good] = [pair.client.add(numbers('1', 'x')).safe(), pair.client.add(numbers('1'))];
    const { error } = await bad;
    expect(error).toMatchObject({ code: 'BAD_INPUT', outcome: 'rejected' });
    expect(error?.issues).toEqual([{ message: expect.stringMatching(/./), path: ['numbers', 1, 'value'] }]);
    expect(await good).toEqual({ sum: 1 });
  });

  test('an output and data of errors that only the client refuses are BAD_OUTPUT with the path', async () => {
    await using pair = world({ client: contract, server: trusting(contract) });
    const refused = [
      [await pair.client.add(numbers('45')).safe(), /: sum: ./],
      [await pair.client.add(numbers('200')).safe(), /: max: ./],
    ] as const;
    for (const [{ error }, path] of refused) {
      expect(error).toMatchObject({ code: 'BAD_OUTPUT', outcome: 'unknown', message: saying(path) });
      expect(error?.issues).toHaveLength(1);
    }
    expect(await pair.client.add(numbers('1'))).toEqual({ sum: 1 });
  });

  test('an asynchronous check holds on both sides, for inputs and outputs', async () => {
    await using pair = world({ client: contract, server: contract });
    expect(await pair.client.claim({ name: 'free' })).toBe('free');
    const own = await pair.client.claim({ name: 'taken' }).safe();
    expect(own.error).toMatchObject({ code: 'BAD_INPUT', outcome: 'not-sent' });
    await using behind = world({ client: trusting(contract), server: contract });
    const theirs = await behind.client.claim({ name: 'taken' }).safe();
    expect(theirs.error).toMatchObject({ code: 'BAD_INPUT', outcome: 'rejected', issues: [{ path: ['name'] }] });
    await using before = world({ client: contract, server: trusting(contract) });
    const [free, fine] = [before.client.claim({ name: 'free' }), before.client.claim({ name: 'fine' })];
    expect(await Promise.all([free, fine])).toEqual(['free', 'fine']);
  });

  test('events fold into the state, and one that does not fit is a gap with the path', async () => {
    await using pair = world({ client: contract, server: trusting(contract) });
    const gaps: Gap[] = [];
    const room = pair.client.notes({ room: 'a' });
    const texts: string[] = [];
    await room.subscribe({ event: ({ text }) => texts.push(text), gap: (gap) => gaps.push(gap) }).ready;
    expect(room.state.get()).toEqual({ texts: ['old'] });
    await room.publish({ text: 'new' });
    expect(room.state.get()).toEqual({ texts: ['old', 'new'] });
    await pair.server.topic('notes', { room: 'a' }).publish({ text: 'too long' });
    await pair.client.add(numbers('1'));
    expect(texts).toEqual(['new']);
    expect(gaps.map(({ error }) => error?.code)).toEqual(['BAD_OUTPUT']);
    expect(gaps[0]?.error?.message).toEqual(saying(/: text: ./));
    const own = await room.publish({ text: 'too long' }).safe();
    expect(own.error).toMatchObject({ code: 'BAD_INPUT', outcome: 'not-sent' });
  });
});
