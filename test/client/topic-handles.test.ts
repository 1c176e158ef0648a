import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Handles } from '../../src/client/topics/handles.ts';
import { createClient } from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';

/** Of the platform: the timers of the tests are fake. */
const { setImmediate } = globalThis;
const world = scripted();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('a topic has one handle on a connection, for every client of the contract', () => {
  const client = world.start();
  const other = createClient(plain, world.connection);
  const news = client.news({ channel: 'a' });
  expect(client.news({ channel: 'a' })).toBe(news);
  expect(other.news({ channel: 'a' })).toBe(news);
  expect(client.news({ channel: 'b' })).not.toBe(news);
  expect(client.counts().state).toBe(client.counts().state);
  expect(client.counts().view).toBe(client.counts().view);
});

test('the functions of handles, stores and connections need no this', async () => {
  const client = world.start();
  const { subscribe, state, view, publish } = client.counts();
  const heard: unknown[] = [];
  subscribe((event) => heard.push(event));
  const { on } = world.connection;
  on('status', ({ state: entered }) => heard.push(entered));
  const { get, listen } = view;
  const stop = listen(() => undefined);
  const socket = await world.welcomed();
  await socket.say(
    ['subscribed', 1, 'counts', ['E', 0], 'live'],
    ['snapshot', 'counts', ['E', 0], {}],
    ['event', 'counts', 1, { key: 'a', count: 1 }],
  );
  expect(heard).toEqual(['connected', { key: 'a', count: 1 }]);
  expect(get().data).toBe(state.value);
  void publish({ key: 'a', count: 2 }).catch(() => undefined);
  stop();
});

test('handles that nobody holds are let go', async () => {
  world.start();
  const handles = new Handles<object>();
  const held = handles.get('held', () => ({}));
  for (let n = 0; n < 63; n++) handles.get(String(n), () => ({}));
  expect(handles.size).toBe(64);
  // What a WeakRef gave stays until the task is over.
  await new Promise((done) => setImmediate(done));
  collect();
  handles.get('next', () => ({}));
  expect(handles.size).toBe(2);
  expect(handles.get('held', () => ({}))).toBe(held);
});
