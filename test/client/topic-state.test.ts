import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createClient, defineContract, topic } from '../../src/index.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];

test('the state is the snapshot and every event since, the same object between changes', async () => {
  const client = world.start();
  const counts = client.counts();
  const changed = vi.fn();
  const stop = counts.state.listen(changed);
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

describe('a topic without snapshot or apply', () => {
  const topics = [
    ['news/{channel}', () => world.start().news({ channel: 'a' })],
    ['board', () => world.start().board()],
  ] as const;
  const members = topics.flatMap(([template, make]) =>
    (['state', 'hydrate', 'read'] as const).map((member) => ({ template, make, member })),
  );

  test.each(members)('$template says that it has no state where its $member is read', ({ template, make, member }) => {
    const handle = make() as unknown as Record<typeof member, unknown>;
    const said = `topic '${template}' has no state: give it snapshot and apply in the contract`;
    expect(() => handle[member]).toThrow(new TypeError(DEVELOPMENT ? said : template));
  });

  test.each(topics)('%s bears to be looked through, as by tools that show what a component is given', (_, make) => {
    const handle = make();
    expect(Object.keys({ ...handle })).toEqual(['name', 'connection', 'publish', 'subscribe', 'events', 'view']);
  });

  test('has a view, without data: what follows a snapshot is not in it', async () => {
    const { view } = world.start().board();
    const stop = view.listen(() => undefined);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'board', ['E', 5], 'live'], ['snapshot', 'board', ['E', 5], { size: 1 }]);
    expect(view.get()).toEqual({ status: 'live', data: undefined, error: undefined, gap: undefined });
    stop();
  });
});

describe('beside a slow loop', () => {
  /** A state at 5, and a loop that has heard 3 and asked for what follows. */
  async function lagging() {
    const apply = vi.fn((state: number[], event: number) => [...state, event]);
    const sums = topic('sums', { event: z.int(), snapshot: z.array(z.int()), apply });
    const { sums: handle } = createClient(defineContract({ sums }), world.connect());
    const stop = handle().state.subscribe(() => undefined);
    const told: unknown[] = [];
    const events = handle().events({
      buffer: 2,
      gap: ({ from, to }) => told.push(['gap', from?.[1], to[1]]),
      snapshot: (state) => told.push(state),
    });
    const loop = async (count: number) => {
      for (let taken = 0; taken < count; taken++) told.push((await events.next()).value);
    };
    const first = loop(1);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'sums', ['E', 0], 'live'], ['snapshot', 'sums', ['E', 0], []]);
    await socket.say(...[1, 2, 3, 4, 5].map((offset) => ['event', 'sums', offset, offset]));
    await first;
    await loop(2);
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'sums', ['E', 3]]);
    return { state: handle().state, apply, socket, told, loop, stop };
  }

  test('what is repeated for it is folded once', async () => {
    const { state, apply, socket, stop } = await lagging();
    await socket.say(['subscribed', 2, 'sums', ['E', 3], 'resumed'], ...[4, 5, 6].map((n) => ['event', 'sums', n, n]));
    expect(state.get()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(apply).toHaveBeenCalledTimes(6);
    stop();
  });

  test('the state does not go back to the one that it begins with after its gap', async () => {
    const { state, socket, told, loop, stop } = await lagging();
    await socket.say(
      ['subscribed', 2, 'sums', ['E', 4], 'gap'],
      ['snapshot', 'sums', ['E', 4], [10]],
      ['event', 'sums', 5, 5],
    );
    expect(state.get()).toEqual([1, 2, 3, 4, 5]);
    await loop(1);
    expect(told).toEqual([[], 1, 2, 3, ['gap', 3, 4], [10], 5]);
    stop();
  });

  test('what only it can’t read is a gap for it, up to the state that it is given', async () => {
    const { state, socket, told, loop, stop } = await lagging();
    await socket.say(['subscribed', 2, 'sums', ['E', 3], 'resumed'], ['event', 'sums', 4, 'what']);
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 3, 'sums']);
    await socket.cut();
    const second = await world.server.next();
    await second.welcome();
    expect(second.all('subscribe')).toEqual([['subscribe', 4, 'sums', ['E', 4]]]);
    await second.say(['subscribed', 4, 'sums', ['E', 4], 'resumed'], ['event', 'sums', 5, 5], ['event', 'sums', 6, 6]);
    await loop(1);
    expect(told).toEqual([[], 1, 2, 3, ['gap', 3, 5], [1, 2, 3, 4, 5], 6]);
    expect(state.get()).toEqual([1, 2, 3, 4, 5, 6]);
    stop();
  });
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
