import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, query } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { clientName, Peer, settle } from './peer.ts';

test.each([
  [true, /^the server answered with what its contract does not allow: BAD_PAYLOAD/],
  [false, /^the server answered with what its contract does not allow$/],
])('what an output is wrong with is told to the caller in development: %s', async (development, message) => {
  const contract = defineContract({ now: query({ output: z.coerce.date() }) });
  const server = createServer(contract, {
    handlers: { now: () => new Date() },
    development,
    onError: () => undefined,
  });
  const peer = new Peer(server).hello(clientName()).write(['call', 1, 'now']);
  await settle();
  expect(peer.answers(1)[0]?.[2]).toEqual({ code: 'BAD_OUTPUT', message: expect.stringMatching(message) });
});
