import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  connect,
  createClient,
  credentials,
  defineContract,
  flow,
  lazily,
  mutation,
  presence,
  record,
  stream,
  topic,
  topics,
} from '../../src/core.ts';
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
  const here = defineContract({ here: presence('here', { info: z.string() }) });
  expect(() => createClient(here, connection as never)).toThrow(missing('presences'));
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

test('a capability that is handed in twice is refused: two of them would share what one has', () => {
  const server = new ScriptedServer();
  const twice = { WebSocket: server.WebSocket, use: [topics(), flow(), topics()] };
  expect(() => connect('ws://test/', twice)).toThrow(
    expect.objectContaining({ name: 'TypeError', message: saying('topics() stands twice') }),
  );
});

test('a record that can not be kept is reported, and every status is told', async () => {
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket, use: [record()] });
  const states: string[] = [];
  const errors: unknown[] = [];
  connection.on('status', ({ state }) => states.push(state));
  connection.on('error', (error) => errors.push(error));
  await (await server.socket()).welcome();
  connection.suspend(1n as never); // no JSON
  connection.wake();
  await (await server.socket()).welcome();
  await connection.close();
  expect(states).toEqual(['connected', 'suspended', 'connecting', 'connected', 'closed']);
  // The loss, and the status.
  expect(errors).toEqual([expect.any(TypeError), expect.any(TypeError)]);
});

test('close ends what waits where the host has no DOMException, as React Native', async () => {
  vi.stubGlobal('DOMException', undefined);
  const server = new ScriptedServer();
  const auth = vi.fn(() => new Promise<string>(() => undefined));
  const connection = connect('ws://test/', { WebSocket: server.WebSocket, use: [credentials(auth)] });
  const noted = createClient(noting, connection).note('a').safe();
  await settle();
  expect(auth).toHaveBeenCalledTimes(1);
  await connection.close();
  expect((await noted).error).toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
  expect(vi.getTimerCount()).toBe(0);
});

test('credentials are not asked for by an attempt that its own url() ended', async () => {
  const server = new ScriptedServer();
  const auth = vi.fn(() => 'token');
  const connection = connect(
    () => {
      void connection.close();
      return 'ws://test/';
    },
    { WebSocket: server.WebSocket, use: [lazily(), credentials(auth)] },
  );
  connection.reconnect();
  await settle();
  expect([connection.status.state, auth.mock.calls.length, vi.getTimerCount()]).toEqual(['closed', 0, 0]);
});

test('of what a server says, the record has what it knows', async () => {
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket, use: [record()] });
  const socket = await server.socket();
  await socket.welcome({ limits: { calls: 9, strange: { deep: 'x' } } });
  await socket.say(['goaway', { reason: 'deploy', afterMs: 1_000, withinMs: 1_000, strange: ['x'] }]);
  const names = ['calls', 'frameBytes', 'heartbeatMs', 'items', 'resumed', 'streams', 'subscriptions'];
  const noted = connection.record().filter(({ what }) => what === 'welcome' || what === 'goaway');
  expect(noted.map(({ details }) => Object.keys(details).sort())).toEqual([names, ['afterMs', 'reason', 'withinMs']]);
  await connection.close();
});
