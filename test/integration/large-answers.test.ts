import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, query, topic } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';

const contract = defineContract({
  report: query({ input: z.int(), output: z.string() }),
  document: topic('document', { event: z.string(), snapshot: z.string() }),
});

const MiB = 1024 * 1024;

async function connected() {
  const large = 'x'.repeat(20 * MiB);
  const server = createServer(contract, {
    handlers: {
      report: ({ input }) => 'x'.repeat(input),
      document: { authorize: () => true, snapshot: () => large },
    },
  });
  const listener = await listen(server);
  const connection = connect(listener.url, { WebSocket });
  return {
    server,
    connection,
    client: createClient(contract, connection),
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await listener.close();
    },
  };
}

test('a client that asks for much at a time, and reads it, keeps its socket', async () => {
  await using pair = await connected();
  const reports = await Promise.all(Array.from({ length: 400 }, () => pair.client.report(100 * 1024)));
  expect(reports.map(({ length }) => length)).toEqual(reports.map(() => 100 * 1024));
  expect(pair.connection.stats().reconnects).toBe(0);
});

test('one answer, state or event may be larger than what may wait for a socket', async () => {
  await using pair = await connected();
  expect(await pair.client.report(20 * MiB)).toHaveLength(20 * MiB);
  const heard: number[] = [];
  const subscription = pair.client.document().subscribe({
    snapshot: ({ length }) => heard.push(length),
    event: ({ length }) => heard.push(length),
  });
  await subscription.ready;
  await pair.server.topic('document').publish('y'.repeat(21 * MiB));
  await expect.poll(() => heard).toEqual([20 * MiB, 21 * MiB]);
  expect(pair.connection.stats()).toMatchObject({ reconnects: 0, gaps: 0 });
});
