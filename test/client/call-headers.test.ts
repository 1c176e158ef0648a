import { expect, test } from 'vitest';
import { createClient, type Client, type ConnectOptions } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';

const world = scripted({ timeoutMs: 60_000 });

function start(options: ConnectOptions = {}): Client<(typeof streaming)['tree']> {
  return createClient(streaming, world.connect(options));
}

test('headers of a call and of a stream are sent beside the deadline, as they were when it was made', async () => {
  const client = start();
  const socket = await world.welcomed();
  const headers = { 'x-tenant': 'blue' };
  void client.ping(undefined, { headers }).safe();
  const counted = client.count({ to: 1 }, { headers });
  headers['x-tenant'] = 'red';
  void counted.next().catch(() => undefined);
  await settle();
  expect(socket.all('call')).toEqual([['call', 1, 'ping', { 'x-tenant': 'blue', deadlineMs: 60_000 }]]);
  expect(socket.all('open')[0]?.[3]).toEqual({ 'x-tenant': 'blue', deadlineMs: 60_000 });
});

test('they are sent again with the call', async () => {
  const client = start();
  const first = await world.welcomed();
  void client.add({ by: 1 }, { headers: { 'x-tenant': 'blue' } }).safe();
  await settle();
  await first.cut();
  const second = await world.server.next();
  await second.welcome();
  expect(second.all('call')[0]?.[3]).toMatchObject({ 'x-tenant': 'blue' });
});

test('a call that may take for ever names them alone, and one with none of either nothing', async () => {
  const client = start({ timeoutMs: Infinity });
  const socket = await world.welcomed();
  void client.ping(undefined, { headers: { a: 'b' } }).safe();
  void client.ping(undefined, { headers: {} }).safe();
  await settle();
  expect(socket.all('call')).toEqual([
    ['call', 1, 'ping', { a: 'b' }],
    ['call', 2, 'ping'],
  ]);
});

test.each([
  ['a number', { n: 1 }],
  ['no object', 'x=1'],
  ['a list', ['x']],
  ['nothing', null],
  ['the name of the deadline', { deadlineMs: '1' }],
  ['the name of the prototype', JSON.parse('{"__proto__":"x"}')],
])('%s in place of texts is a TypeError, told to the caller', async (_what, headers) => {
  const client = start();
  const socket = await world.welcomed();
  await expect(client.ping(undefined, { headers: headers as never })).rejects.toThrow(TypeError);
  await expect(client.count({ to: 1 }, { headers: headers as never }).next()).rejects.toThrow(TypeError);
  expect(socket.received.map(([name]) => name)).toEqual(['hello', 'ping']);
});

test('their bytes count like those of the payload', async () => {
  const client = start({ queue: { maxBytes: 1_000 } });
  const headers = { long: 'x'.repeat(1_000) };
  await expect(client.ping(undefined, { headers })).rejects.toMatchObject({ code: 'TOO_LARGE', outcome: 'not-sent' });
  await expect(client.count({ to: 1 }, { headers }).next()).rejects.toMatchObject({ code: 'TOO_LARGE' });
});
