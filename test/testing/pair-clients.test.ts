import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, query, topic } from '../../src/index.ts';
import type { Connection, ConnectionStatus, HeartbeatOptions } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { appContract } from './app-contract.ts';

const contract = defineContract({
  me: query({ output: z.string() }),
  chat: { say: mutation({ input: z.string(), output: z.number() }) },
  room: topic('room', { event: z.string(), snapshot: z.array(z.string()) }),
});

const authenticate = ({ token = 'nobody' }: { token?: string | undefined }) => ({ identity: token, context: token });

/** A pair whose first client is ann. */
function pair(heartbeat?: HeartbeatOptions) {
  const said: string[] = [];
  return connectedPair(
    contract,
    {
      me: ({ context }) => context,
      chat: { say: ({ input, context }) => said.push(`${context}: ${input}`) },
      room: { authorize: () => true, publish: () => undefined, snapshot: () => said },
    },
    { server: { authenticate }, connect: { auth: () => 'ann', ...(heartbeat && { heartbeat }) } },
  );
}

const reached = (connection: Connection, state: ConnectionStatus['state']) =>
  new Promise<ConnectionStatus>((resolve) => {
    const look = (status: ConnectionStatus) => status.state === state && resolve(status);
    connection.on('status', look);
    look(connection.status);
  });

test('any number of clients come to one server, each with its identity, and hear each other', async () => {
  await using all = pair();
  const others = ['bob', 'cat', 'dan'].map((name) => all.connect({ auth: () => name }));
  const clients = [all.client, ...others.map(({ client }) => client)];
  expect(await Promise.all(clients.map((client) => client.me()))).toEqual(['ann', 'bob', 'cat', 'dan']);
  const heard: string[] = [];
  for (const [n, client] of clients.entries()) client.room().subscribe((event) => heard.push(`${n} ${event}`));
  await all.settled();
  await all.topic('room').publish('hello');
  await others[0]!.client.room().publish('hi');
  await all.settled();
  expect(heard.filter((line) => line.startsWith('3'))).toEqual(['3 hello', '3 hi']);
  expect(heard).toHaveLength(8);
  expect(all.server.peers().map(({ identity }) => identity)).toEqual(['ann', 'bob', 'cat', 'dan']);
  expect(all.calls('me').map(({ context }) => context)).toEqual(['ann', 'bob', 'cat', 'dan']);
});

test('one client has a fault of its own, and the others go on', async () => {
  await using all = pair();
  const bob = all.connect({ auth: () => 'bob' });
  await Promise.all([all.client.me(), bob.client.me()]);
  bob.freeze();
  const answers: string[] = [];
  void bob.client.me().then((me) => answers.push(me));
  await all.client.me().then((me) => answers.push(me));
  bob.thaw();
  await all.settled();
  expect(answers).toEqual(['ann', 'bob']);
  bob.refuse();
  bob.cut();
  expect((await reached(bob.connection, 'waiting')).state).toBe('waiting');
  expect(all.connection.status.state).toBe('connected');
  bob.accept();
  bob.connection.wake();
  expect(await bob.client.me()).toBe('bob');
});

test('a client that comes later has the faults of the pair', async () => {
  await using all = pair();
  await all.client.me();
  all.refuse();
  const bob = all.connect({ auth: () => 'bob' });
  expect(await reached(bob.connection, 'waiting')).toMatchObject({ cause: { code: 1006, opened: false } });
  all.accept();
  all.freeze();
  const cat = all.connect({ auth: () => 'cat' });
  const me = cat.client.me();
  await expect(all.settled({ timeoutMs: 1 })).rejects.toThrow('on their way');
  all.thaw();
  expect(await me).toBe('cat');
});

test('what is queued, on its way or at work is waited for, on a line that was cut, too', async () => {
  await using all = pair();
  const counts: number[] = [];
  const ask = () => void all.client.chat.say('hi').then((n) => counts.push(n));
  ask();
  await all.settled();
  all.cut();
  ask();
  await expect(all.settled({ timeoutMs: 1 })).rejects.toThrow(
    'a client that lost its line and is not back, a connection that is waiting, 1 messages that wait',
  );
  all.connection.wake();
  await all.settled();
  await all.restart();
  ask();
  all.connection.wake();
  await all.settled();
  expect(counts).toEqual([1, 2, 3]);
});

test('a handler that was left out fails with its path, and may be added', async () => {
  await using some = connectedPair(contract, { chat: { say: () => 1 } }, { partial: true });
  expect(await some.client.chat.say('hi')).toBe(1);
  const { error } = await some.client.me().safe();
  expect(error).toMatchObject({
    code: 'NOT_FOUND',
    path: 'me',
    message: expect.stringContaining('nothing answers me: add it to connectedPair'),
  });
  some.use({ me: () => 'me' });
  expect(await some.client.me()).toBe('me');
  // @ts-expect-error: it is needed without `partial`
  const missing = () => connectedPair(contract, { chat: { say: () => 1 }, room: { authorize: () => true } });
  expect(missing).toThrow('handlers.me is missing: add it to connectedPair, or pass partial: true');
});

test('an app that connects by itself comes to the pair, and what speaks something else does not', async () => {
  vi.stubGlobal('location', { href: 'https://app.test/page' });
  const urls: string[] = [];
  await using pair = connectedPair(
    appContract,
    { greet: ({ input }) => `hello ${input}`, news: { authorize: () => true } },
    {
      connect: { lazy: true },
      server: { authenticate: ({ request }) => (urls.push(request.url ?? ''), { identity: 'x', context: undefined }) },
    },
  );
  vi.stubGlobal('WebSocket', pair.WebSocket);
  const app = await import('./app.ts');
  expect(await app.client.greet('world')).toBe('hello world');
  const heard: string[] = [];
  app.client.news().subscribe((event) => heard.push(event));
  await pair.settled({ connections: [app.connection] });
  await pair.topic('news').publish('one');
  await pair.settled();
  expect([heard, urls]).toEqual([['one'], ['/ws']]);
  const other = new pair.WebSocket('wss://app.test/ws', 'something-else');
  const end = await new Promise((resolve) => {
    other.onclose = resolve;
  });
  expect(end).toMatchObject({ code: 1006 });
  await app.connection.close();
});

test('a client whose network is gone finds out, queues, and goes on when it is there again', async () => {
  await using all = pair({ probeMs: 10 });
  expect(await all.client.me()).toBe('ann');
  all.lifecycle.offline();
  const counts: number[] = [];
  void all.client.chat.say('hi').then((n) => counts.push(n));
  expect(await reached(all.connection, 'waiting')).toMatchObject({ cause: { by: 'probe' } });
  expect(all.calls('chat.say')).toEqual([]);
  all.lifecycle.online();
  await all.settled();
  expect([counts, all.calls('chat.say').length]).toEqual([[1], 1]);
});

test('an app that is woken looks whether its line still stands', async () => {
  // By itself it would look after an hour.
  await using all = pair({ probeMs: 10, intervalMs: 3_600_000 });
  expect(await all.client.me()).toBe('ann');
  all.freeze();
  all.lifecycle.wake();
  expect(await reached(all.connection, 'waiting')).toMatchObject({ cause: { by: 'probe' } });
  all.thaw();
  expect(await all.client.me()).toBe('ann');
});

test('an app that is hidden suspends its connection, and is back when it is shown, or restored', async () => {
  await using all = pair();
  const bob = all.connect({ auth: () => 'bob', suspendAfterHiddenMs: 0 });
  await bob.client.me();
  expect([bob.lifecycle.hidden(), all.lifecycle.hidden()]).toEqual([false, false]);
  bob.lifecycle.hide();
  await reached(bob.connection, 'suspended');
  expect([bob.lifecycle.hidden(), all.lifecycle.hidden()]).toEqual([true, false]);
  bob.lifecycle.wake();
  expect(bob.connection.status.state).toBe('suspended');
  bob.lifecycle.show();
  expect(await bob.client.me()).toBe('bob');
  bob.lifecycle.freeze();
  expect(bob.connection.status).toMatchObject({ state: 'suspended', reason: 'hidden' });
  bob.lifecycle.restore();
  expect(await bob.client.me()).toBe('bob');
  const { reconnects } = bob.connection.stats();
  bob.lifecycle.restore();
  expect(await bob.client.me()).toBe('bob');
  expect(bob.connection.stats().reconnects).toBe(reconnects + 1);
  expect(all.connection.stats().reconnects).toBe(0);
});
