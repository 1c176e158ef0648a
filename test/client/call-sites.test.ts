import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, stream, topic, isTautlineError, type TautlineError } from '../../src/index.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { connectedPair } from '../../src/testing/index.ts';

const contract = defineContract({
  save: mutation({ input: z.number(), errors: { FULL: z.number() } }),
  tokens: stream({ output: z.string() }),
  room: topic('room', { event: z.string() }),
});

const pair = () =>
  connectedPair(contract, {
    save: ({ input, fail }) => {
      if (input > 0) throw fail('FULL', input, 'no room');
      return undefined;
    },
    // eslint-disable-next-line require-yield -- a stream that fails at once
    async *tokens() {
      throw new Error('of the server');
    },
    room: { authorize: () => true, publish: () => Promise.reject(new Error('of the server')) },
  });

type Client = ReturnType<typeof pair>['client'];

async function failureOf(run: () => Promise<unknown>): Promise<TautlineError> {
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTautlineError(error)) throw new Error('it did not fail');
  return error;
}

/** What comes behind the words in a stack. */
const asked = ({ stack = '' }: TautlineError): string => stack.split('asked for\n')[1] ?? '';

const askers: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  call: async function saveOfTheApp(client) {
    await client.save(1);
  },
  'call that is refused at once': async function badOfTheApp(client) {
    await client.save('text' as never);
  },
  stream: async function readOfTheApp(client) {
    for await (const token of client.tokens()) expect(token).toBe('never');
  },
  publish: async function publishOfTheApp(client) {
    await client.room().publish('x');
  },
};

test.each(Object.entries(askers))('the error of a %s tells where the app asked for it', async (_name, ask) => {
  await using joined = pair();
  const error = await failureOf(() => ask(joined.client));
  if (!DEVELOPMENT) return expect(asked(error)).toBe('');
  expect(asked(error)).toContain(ask.name);
  // None of the package, which the app's programmer can do nothing about.
  expect(asked(error).split('\n')[0]).toContain('call-sites.test.ts');
  expect(error.stack).toMatch(/^TautlineError: /);
});

test('of a flood of calls some tell it: the others cost nothing', async () => {
  await using joined = pair();
  const errors = await Promise.all(Array.from({ length: 300 }, () => failureOf(() => joined.client.save(1))));
  const telling = errors.filter((error) => asked(error) !== '').length;
  expect(telling).toBeLessThanOrEqual(DEVELOPMENT ? 200 : 0);
  expect(errors[299]).toMatchObject({ code: 'FULL', data: 1 });
});
