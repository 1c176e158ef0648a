import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { connect, createClient, credentials, defineContract, flow, mutation, stream, topic } from '../../src/core.ts';
import { saying } from '../helpers/saying.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';

const noting = defineContract({ note: mutation({ input: z.string() }) });

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a connection answers calls with nothing handed in', async () => {
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket });
  const client = createClient(noting, connection);
  const socket = await server.socket();
  await socket.welcome();
  const noted = client.note('a');
  await settle();
  await socket.say(['reply', 1]);
  await noted;
  expect(connection.stats().inFlight).toBe(0);
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('what was not handed in, and is asked for, is an error that names it', async () => {
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket });
  const missing = (name: string) => expect.objectContaining({ name: 'TypeError', message: saying(`use: [${name}()]`) });
  const streaming = defineContract({ count: stream() });
  const talking = defineContract({ room: topic('room', { event: z.string() }) });
  expect(() => createClient(streaming, connection as never)).toThrow(missing('streams'));
  expect(() => createClient(talking, connection as never)).toThrow(missing('topics'));
  expect(() => connection.setAuth(null)).toThrow(missing('credentials'));
  expect(() => connection.record()).toThrow(missing('record'));
  await expect(connection.drained()).rejects.toEqual(missing('flow'));
  await connection.close();
});

test('connections that were given one list share nothing: setAuth of one, and its end, concern it alone', async () => {
  let give = (_token: string): void => undefined;
  const use = [credentials(() => new Promise<string>((resolve) => (give = resolve)))];
  const [one, two] = [new ScriptedServer(), new ScriptedServer()];
  const first = connect('ws://test/', { use, WebSocket: one.WebSocket });
  const second = connect('ws://test/', { use, WebSocket: two.WebSocket });
  await settle();
  first.setAuth(() => 'bob');
  await first.close();
  await settle();
  expect(second.status.state).toBe('connecting');
  give('ann');
  expect((await two.socket()).hello.token).toBe('ann');
  await second.close();
});

test.each([
  ['with flow control', [flow()]],
  ['without it', []],
])('a probe waits for what was written before it: %s', async (_, use) => {
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket, use });
  const client = createClient(noting, connection);
  await (await server.socket()).welcome();
  void client.note('x'.repeat(900_000)).safe();
  await settle();
  connection.wake();
  // At 50 kB/s it is still on its way.
  await vi.advanceTimersByTimeAsync(10_000);
  expect(connection.status.state).toBe('connected');
  await connection.close();
});
