import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { superjson } from '../../src/codec/superjson.ts';
import { createClient, defineContract, query, stream, topic, type Codec } from '../../src/index.ts';
import { createServer, type ErrorInfo, type ServerOptions } from '../../src/server/index.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { settle } from './peer.ts';
import { saying } from '../helpers/saying.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A contract in which every schema that the server writes with is the same one. */
function contractOf<Made extends z.ZodType>(made: Made, codec?: Codec) {
  return defineContract(
    {
      give: query({ output: made }),
      fail: query({ errors: { WRONG: made } }),
      list: stream({ output: made }),
      events: topic('events', { event: made }),
      state: topic('state', { event: z.string(), snapshot: made }),
    },
    codec === undefined ? {} : { codec },
  );
}

/** A pair of it, whose handlers give one value everywhere. */
function pairOf<Made extends z.ZodType>(
  made: Made,
  value: unknown,
  { codec, development }: { codec?: Codec; development?: boolean } = {},
) {
  const reported: Array<{ message: string; info: ErrorInfo }> = [];
  const contract = contractOf(made, codec);
  const handlers = {
    give: () => value,
    fail: ({ fail }: { fail: (code: string, data: unknown) => never }) => fail('WRONG', value),
    async *list() {
      yield value;
    },
    events: { authorize: () => true },
    state: { authorize: () => true, snapshot: () => value },
  } as unknown as ServerOptions<(typeof contract)['tree']>['handlers'];
  const onError = (error: unknown, info: ErrorInfo): void => void reported.push({ message: String(error), info });
  const pair = connectedPair(contract, handlers, {
    server: { onError, ...(development === undefined ? {} : { development }) },
  });
  return { ...pair, client: createClient(contract, pair.connection), reported };
}

/** Text that becomes a number: the number is not accepted. */
const Count = z.string().transform(Number);
const REFUSED = 'does not accept its own output: Invalid input: expected string, received number.';

describe('A schema that does not accept its own output is reported at the first value, with the remedy,', () => {
  test('of an output; the call fails at the client with the same problem.', async () => {
    await using pair = pairOf(z.object({ count: Count }), { count: '7' });
    const { error } = await pair.client.give().safe();
    expect(error).toMatchObject({ code: 'BAD_OUTPUT', issues: [{ path: ['count'] }] });
    const refused = REFUSED.replace('output: ', 'output: count: ');
    expect(pair.reported).toEqual([
      {
        message: expect.stringContaining(`the output schema of give ${refused}`),
        info: { during: 'output', path: 'give' },
      },
    ]);
    expect(pair.reported[0]?.message).toContain('Transform in the handler');
    await pair.client.give().safe();
    expect(pair.reported).toHaveLength(1);
  });

  test.each([
    [
      'an item',
      'the output schema of list',
      (pair: ReturnType<typeof pairOf>) =>
        pair.client
          .list()
          .next()
          .catch(() => undefined),
    ],
    ['error data', 'the error WRONG schema of fail', (pair: ReturnType<typeof pairOf>) => pair.client.fail().safe()],
    [
      'an event',
      'the event schema of events',
      (pair: ReturnType<typeof pairOf>) => pair.server.topic('events').publish('7'),
    ],
    [
      'a snapshot',
      'the snapshot schema of state',
      (pair: ReturnType<typeof pairOf>) =>
        pair.client
          .state()
          .subscribe({})
          .ready.catch(() => undefined),
    ],
  ])('of %s.', async (_, what, use) => {
    await using pair = pairOf<z.ZodType>(Count, '7');
    await use(pair);
    expect(pair.reported.map(({ message }) => message)).toEqual([expect.stringContaining(`${what} ${REFUSED}`)]);
  });

  test('also where it accepts it and makes something else of it, which would reach the client unnoticed.', async () => {
    await using pair = pairOf(
      z.string().transform((text) => `${text}!`),
      'a',
    );
    expect(await pair.client.give()).toBe('a!!');
    expect(pair.reported[0]?.message).toContain('the output schema of give makes something else of its own output.');
  });

  test('also where what it makes of it can’t be sent at all.', async () => {
    await using pair = pairOf(
      z.union([z.date().transform((date) => date.toISOString()), z.iso.datetime().transform((text) => new Date(text))]),
      new Date(0),
    );
    expect(await pair.client.give()).toEqual(new Date(0));
    expect(pair.reported[0]?.message).toContain('makes something else of its own output');
  });

  test('also where it is asynchronous.', async () => {
    await using pair = pairOf(
      z.string().transform((text) => Promise.resolve(Number(text))),
      '7',
    );
    await pair.client.give().safe();
    await settle();
    expect(pair.reported[0]?.message).toContain(REFUSED);
  });
});

test('A schema that accepts its own output, or both, is not spoken of.', async () => {
  const both = z.union([z.number(), Count]);
  await using pair = pairOf(z.object({ count: both }), { count: '7' });
  expect(await pair.client.give()).toEqual({ count: 7 });
  await using dated = pairOf(z.object({ at: z.date() }), { at: new Date(0) }, { codec: superjson });
  expect(await dated.client.give()).toEqual({ at: new Date(0) });
  expect([...pair.reported, ...dated.reported]).toEqual([]);
});

test('A date under plain JSON is refused where it is written, with its path and the codec that carries it.', async () => {
  await using pair = pairOf(z.object({ at: z.date() }), { at: new Date(0) });
  expect((await pair.client.give().safe()).error).toMatchObject({ code: 'BAD_OUTPUT' });
  expect(pair.reported).toEqual([
    {
      message: saying(/\$\.at is an instance of Date.*superjson codec/),
      info: { during: 'output', path: 'give' },
    },
  ]);
});

test('In production nothing is parsed twice; NODE_ENV decides where the option does not.', async () => {
  const parsed = vi.fn((text: string) => text);
  const handlers = { handlers: { give: () => 'a' } };
  const contract = defineContract({ give: query({ output: z.string().transform(parsed) }) });
  const timesParsed = async (development?: boolean): Promise<number> => {
    parsed.mockClear();
    const server = createServer(contract, { ...handlers, development });
    const sent: string[] = [];
    const peer = server.accept({ send: (frame) => void sent.push(frame), close: () => undefined });
    peer.message('[["hello",{"client":"client-of-the-payload-writer","n":1,"floor":[1]}],["call",1,"give"]]');
    await settle();
    expect(sent.join()).toContain('["reply",1,"a"]');
    await server.close();
    return parsed.mock.calls.length;
  };
  expect(await timesParsed()).toBe(2);
  expect(await timesParsed(false)).toBe(1);
  vi.stubEnv('NODE_ENV', 'production');
  expect(await timesParsed()).toBe(1);
  expect(await timesParsed(true)).toBe(2);
  vi.stubGlobal('process', undefined);
  expect(await timesParsed()).toBe(2);
  vi.unstubAllGlobals();
  expect(() => createServer(contract, { ...handlers, development: 'no' as never })).toThrow(
    'development must be true or false, not string',
  );
});
