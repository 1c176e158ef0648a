import { expect, test, vi } from 'vitest';
import { createClient, defineContract, topic } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];

test('the state is the snapshot and every event since, the same object between changes', async () => {
  const client = world.start();
  const counts = client.counts();
  const changed = vi.fn();
  const stop = counts.state.subscribe(changed);
  expect(counts.state.get()).toBeUndefined();
  const socket = await world.welcomed();
  await socket.say(
    ['subscribed', 1, 'counts', ['E', 5], 'live'],
    ['snapshot', 'counts', ['E', 5], { a: 1 }],
    count(6, 'b', 2),
  );
  expect(counts.state.get()).toEqual({ a: 1, b: 2 });
  expect(counts.state.get()).toBe(client.counts().state.get());
  expect(changed).toHaveBeenCalledTimes(2);
  stop();
});

test('a snapshot that was lost with its socket is asked for again: without it there is no position', async () => {
  const client = world.start();
  const counts = client.counts();
  const subscription = counts.subscribe({});
  const first = await world.welcomed();
  await first.say(['subscribed', 1, 'counts', ['E', 5], 'live']);
  await first.cut();
  const second = await world.server.next();
  expect(second.all('subscribe')).toEqual([['subscribe', 2, 'counts']]);
  await second.welcome();
  await second.say(['subscribed', 2, 'counts', ['E', 6], 'live'], ['snapshot', 'counts', ['E', 6], { a: 1 }]);
  await subscription.ready;
  expect(counts.state.get()).toEqual({ a: 1 });
});

test('events before the snapshot, and snapshots that nobody awaits, are dropped', async () => {
  const client = world.start();
  const counts = client.counts();
  counts.subscribe({});
  const socket = await world.welcomed();
  await socket.say(['snapshot', 'counts', ['E', 1], { z: 9 }], count(2, 'z', 9));
  await socket.say(['subscribed', 1, 'counts', ['E', 5], 'live'], count(6, 'x', 1), [
    'snapshot',
    'counts',
    ['E', 4],
    { y: 1 },
  ]);
  expect(counts.state.get()).toBeUndefined();
  await socket.say(['snapshot', 'counts', ['E', 5], { a: 1 }], ['snapshot', 'counts', ['E', 5], { b: 1 }]);
  expect(counts.state.get()).toEqual({ a: 1 });
});

test('a second listener begins with the folded state, without a word on the wire', async () => {
  const client = world.start();
  client.counts().subscribe({});
  const socket = await world.welcomed();
  await socket.say(
    ['subscribed', 1, 'counts', ['E', 5], 'live'],
    ['snapshot', 'counts', ['E', 5], { a: 1 }],
    count(6, 'b', 2),
  );
  const snapshots: unknown[] = [];
  client.counts().subscribe({ snapshot: (state) => snapshots.push(state) });
  await settle();
  expect(snapshots).toEqual([{ a: 1, b: 2 }]);
  expect(socket.all('subscribe')).toHaveLength(1);
});

test('a second listener of a topic that folds nothing has it subscribed anew, for a snapshot that is not stale', async () => {
  const client = world.start();
  client.board().subscribe({});
  const socket = await world.welcomed();
  await socket.say(['subscribed', 1, 'board', ['E', 5], 'live'], ['snapshot', 'board', ['E', 5], { size: 1 }]);
  const heard: unknown[] = [];
  client.board().subscribe({ snapshot: (state) => heard.push(state), event: (event) => heard.push(event) });
  await socket.say(['event', 'board', 6, { at: 6 }]);
  expect(heard).toEqual([]);
  expect(socket.all('subscribe')).toEqual([
    ['subscribe', 1, 'board'],
    ['subscribe', 2, 'board'],
  ]);
  await socket.say(['subscribed', 2, 'board', ['E', 6], 'live'], ['snapshot', 'board', ['E', 6], { size: 2 }]);
  expect(heard).toEqual([{ size: 2 }]);
});

test('an event that can’t be folded brings a fresh snapshot', async () => {
  const client = world.start();
  const counts = client.counts();
  counts.subscribe({});
  const socket = await world.welcomed();
  await socket.say(
    ['subscribed', 1, 'counts', ['E', 0], 'live'],
    ['snapshot', 'counts', ['E', 0], {}],
    ['event', 'counts', 1, 'what'],
  );
  expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'counts']);
  await socket.say(['subscribed', 2, 'counts', ['E', 1], 'live'], ['snapshot', 'counts', ['E', 1], { ok: 1 }]);
  expect(counts.state.get()).toEqual({ ok: 1 });
});

test('a snapshot that does not fit ends the subscription with BAD_OUTPUT', async () => {
  const client = world.start();
  const subscription = client.counts().subscribe({});
  const socket = await world.welcomed();
  await socket.say(['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], { a: 'one' }]);
  await expect(subscription.ready).rejects.toMatchObject({ code: 'BAD_OUTPUT' });
});

test('another identity sees nothing of the state of the former', async () => {
  const client = world.start();
  const counts = client.counts();
  counts.subscribe({});
  const first = await world.server.socket();
  await first.welcome({ identity: 'Ada' });
  await first.say(['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], { secret: 1 }]);
  await first.cut();
  await (await world.server.next()).welcome({ identity: 'Bob' });
  expect(counts.state.get()).toBeUndefined();
  expect((await world.server.socket()).all('subscribe').at(-1)).toEqual(['subscribe', 3, 'counts']);
});

test('events stay in order when their schema is asynchronous', async () => {
  const checks: Array<() => void> = [];
  const slow = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) =>
        value === 1
          ? new Promise((done) =>
              checks.push(() => {
                done({ value });
              }),
            )
          : { value },
    },
  };
  world.connect();
  const client = createClient(defineContract({ slow: topic('slow', { event: slow }) }), world.connection);
  const heard: unknown[] = [];
  client.slow().subscribe((event) => heard.push(event));
  const socket = await world.welcomed();
  await socket.say(['subscribed', 1, 'slow', ['E', 0], 'live'], ['event', 'slow', 1, 1], ['event', 'slow', 2, 2]);
  expect(heard).toEqual([]);
  const late: unknown[] = [];
  client.slow().subscribe((event) => late.push(event));
  checks[0]!();
  await socket.say(['event', 'slow', 3, 3]);
  expect(heard).toEqual([1, 2, 3]);
  // Whoever came after them does not hear them.
  expect(late).toEqual([3]);
});
