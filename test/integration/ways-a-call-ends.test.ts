import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query, type ConnectOptions } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';

const contract = defineContract({
  wait: mutation({ input: z.object({ key: z.string() }) }),
  fail: query({
    input: z.object({ how: z.enum(['declared', 'thrown']) }),
    errors: { FULL: z.object({ max: z.int() }) },
  }),
  echo: query({ input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) }),
  wrong: query({ output: z.object({ n: z.number() }) }),
});

async function world(options: ConnectOptions = {}) {
  const errors: unknown[] = [];
  const running = new Map<string, AbortSignal>();
  const started: Array<() => void> = [];
  const server = createServer(contract, {
    handlers: {
      wait: ({ input, signal }) => {
        running.set(input.key, signal);
        for (const tell of started.splice(0)) tell();
        return once(signal, 'abort').then(() => undefined);
      },
      fail: ({ input, fail }) => {
        if (input.how === 'declared') fail('FULL', { max: 7 });
        throw new Error('the password of the database is 1234');
      },
      echo: ({ input }) => input,
      wrong: () => ({ n: 'no number' as never }),
    },
    onError: (error) => {
      errors.push(error);
    },
  });
  const listener = await listen(server);
  const connection = connect(listener.url, options);
  return {
    client: createClient(contract, connection),
    connection,
    server,
    errors,
    running,
    /** The next call of `wait` has begun. */
    next: () => new Promise<void>((begun) => started.push(begun)),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await listener.close();
    },
  };
}

test('aborted in flight, the handler’s signal fires', async () => {
  await using context = await world();
  const abort = new AbortController();
  const begun = context.next();
  const answer = context.client.wait({ key: 'a' }, { signal: abort.signal }).safe();
  await begun;
  const stopped = once(context.running.get('a')!, 'abort');
  abort.abort();
  expect((await answer).error).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
  await stopped;
});

test('at its deadline, the handler’s signal fires too', async () => {
  await using context = await world();
  const begun = context.next();
  const answer = context.client.wait({ key: 'a' }, { timeoutMs: 200 }).safe();
  await begun;
  const stopped = once(context.running.get('a')!, 'abort');
  expect((await answer).error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
  await stopped;
});

test('when the client is closed for good, its handlers are told', async () => {
  await using context = await world();
  const begun = context.next();
  const answer = context.client.wait({ key: 'a' }).safe();
  await begun;
  const stopped = once(context.running.get('a')!, 'abort');
  await context.connection.close();
  expect((await answer).error).toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
  await stopped;
});

test('with a declared error the caller has its data; what a handler throws stays in the server', async () => {
  await using context = await world();
  const declared = await context.client.fail({ how: 'declared' }).safe();
  expect(declared.error).toMatchObject({ code: 'FULL', data: { max: 7 }, outcome: 'rejected' });
  const thrown = await context.client.fail({ how: 'thrown' }).safe();
  expect(thrown.error).toMatchObject({ code: 'INTERNAL', outcome: 'unknown' });
  expect(JSON.stringify([thrown.error?.message, thrown.error?.data, thrown.error?.cause])).not.toContain('1234');
  expect(context.errors).toEqual([new Error('the password of the database is 1234')]);
});

test('with an output that does not fit its schema the server says INTERNAL or BAD_OUTPUT, and sends none of it', async () => {
  await using context = await world();
  const { error } = await context.client.wrong().safe();
  expect(['INTERNAL', 'BAD_OUTPUT']).toContain(error?.code);
  expect(context.errors).toHaveLength(1);
});

test('of 20 MB: TOO_LARGE, and what is called beside it is answered on the same socket', async () => {
  await using context = await world();
  const before = context.client.echo({ text: 'before' });
  const large = context.client.echo({ text: 'x'.repeat(20 * 1024 * 1024) }).safe();
  const after = context.client.echo({ text: 'after' });
  expect((await large).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'not-sent' });
  expect([await before, await after]).toEqual([{ text: 'before' }, { text: 'after' }]);
  expect(context.connection.stats().reconnects).toBe(0);
});

test('on a server that takes the connection and never answers: TIMEOUT at the deadline, nothing sent', async () => {
  const silent = createTcpServer();
  const sockets: Array<{ destroy: () => void }> = [];
  silent.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const connection = connect(`ws://127.0.0.1:${String((silent.address() as AddressInfo).port)}`);
  const { error } = await createClient(contract, connection).echo({ text: '' }, { timeoutMs: 300 }).safe();
  expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent' });
  await connection.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((closed) => silent.close(closed));
});
