import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract, query } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { superjson } from '../../src/superjson.ts';
import { settle } from './joining.ts';
import { clientName, Peer } from './peer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const contract = defineContract({ next: query({ input: z.date(), output: z.date() }) }, { codec: superjson });
const at = (ms: number) => [new Date(ms).toISOString(), { values: ['Date'], v: 1 }];

/** What a peer that names this codec, or none, is told. */
async function answerTo(codec: string | undefined) {
  const server = createServer(contract, { handlers: { next: ({ input }) => new Date(input.getTime() + 1) } });
  const peer = new Peer(server).hello(clientName(), 1, codec === undefined ? {} : { codec });
  await settle();
  peer.write(['call', 1, 'next', null, ...at(5)]);
  await settle();
  return { told: (peer.welcome as { codec: string }).codec, answer: peer.received.at(-1) };
}

test('a peer that names no codec is told the server’s, and its calls are answered: it compares itself', async () => {
  expect(await answerTo(undefined)).toEqual({ told: 'superjson', answer: ['reply', 1, ...at(6)] });
});

test('a peer that names another codec is refused call by call, with the one to use', async () => {
  const { answer } = await answerTo('json');
  expect(answer).toEqual(['error', 1, { code: 'BAD_PAYLOAD', message: 'the contract speaks superjson' }]);
});
