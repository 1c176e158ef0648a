import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createClient, defineContract, topic, type ConnectOptions } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];
const live = (n: number, state: object, epoch = 'E') => [
  ['subscribed', n, 'counts', [epoch, 0], 'live'],
  ['snapshot', 'counts', [epoch, 0], state],
];

/** A screen that was shown, at `{ a: 1 }`, position 1, and left so long ago. */
async function left(leftMs: number, options: ConnectOptions = {}) {
  const counts = world.start(options).counts();
  const stop = counts.view.listen(() => undefined);
  const socket = await world.welcomed();
  await socket.say(...live(1, {}), count(1, 'a', 1));
  stop();
  await vi.advanceTimersByTimeAsync(leftMs);
  return { counts, socket };
}

describe('a topic whose last listener has left', () => {
  test('shows its state at once to who comes back, and only what was missed is asked for', async () => {
    const { counts, socket } = await left(2_000);
    expect(socket.all('unsubscribe')).toHaveLength(1);
    expect(counts.view.get()).toMatchObject({ status: 'idle', data: { a: 1 } });
    const seen: unknown[] = [];
    const stop = counts.view.listen(({ status, data }) => seen.push([status, data]));
    expect(counts.view.get()).toMatchObject({ status: 'pending', data: { a: 1 } });
    const told: unknown[] = [];
    const subscription = counts.subscribe({
      snapshot: (state, position) => told.push([state, position]),
      event: (event) => told.push(event),
    });
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'counts', ['E', 1]]);
    await socket.say(['subscribed', 2, 'counts', ['E', 2], 'resumed'], count(2, 'b', 2));
    await subscription.ready;
    expect(seen).toEqual([
      ['live', { a: 1 }],
      ['live', { a: 1, b: 2 }],
    ]);
    expect(told).toEqual([[{ a: 1 }, ['E', 1]], { key: 'b', count: 2 }]);
    stop();
  });

  test('has a fresh state where the history does not reach so far', async () => {
    const { counts, socket } = await left(2_000);
    const stop = counts.view.listen(() => undefined);
    await settle();
    await socket.say(['subscribed', 2, 'counts', ['F', 0], 'gap'], ['snapshot', 'counts', ['F', 0], { z: 9 }]);
    expect(counts.view.get()).toMatchObject({ status: 'live', data: { z: 9 } });
    stop();
  });

  test('keeps its state also where the line is lost while it lingers, and over a line that is lost later', async () => {
    const { counts, socket } = await left(0);
    await socket.cut();
    const next = await world.server.next();
    await next.welcome();
    expect(next.all('subscribe')).toEqual([]);
    const stop = counts.view.listen(() => undefined);
    await settle();
    expect(next.all('subscribe')).toEqual([['subscribe', 2, 'counts', ['E', 1]]]);
    await next.cut();
    const last = await world.server.next();
    expect(last.all('subscribe')).toEqual([['subscribe', 3, 'counts', ['E', 1]]]);
    expect(counts.view.get().data).toEqual({ a: 1 });
    stop();
  });

  test('is forgotten after keepMs, with what it showed', async () => {
    const { counts, socket } = await left(1_000 + 5_000, { topics: { keepMs: 5_000 } });
    expect(counts.view.get()).toMatchObject({ status: 'idle', data: undefined });
    const stop = counts.view.listen(() => undefined);
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'counts']);
    stop();
  });

  test('stays on the wire for lingerMs', async () => {
    const { socket } = await left(4_999, { topics: { lingerMs: 5_000 } });
    expect(socket.all('unsubscribe')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.all('unsubscribe')).toHaveLength(1);
  });

  test.each([
    ['logged in', (): void => world.connection.setAuth(() => 'bob')],
    ['logged out', (): void => world.connection.setAuth(null)],
  ])('shows nothing of it to somebody else, who %s', async (_, change) => {
    const { counts } = await left(2_000, { auth: () => 'ann' });
    change();
    expect(counts.view.get().data).toBeUndefined();
    expect(counts.state.get()).toBeUndefined();
    const stop = counts.view.listen(() => undefined);
    expect((await world.server.next()).all('subscribe')).toEqual([['subscribe', 2, 'counts']]);
    stop();
  });

  test('shows nothing of it to somebody else who logs in while it comes back', async () => {
    const { counts } = await left(2_000, { auth: () => 'ann' });
    const shown: unknown[] = [];
    const stops = [
      counts.view.listen(({ status, data }) => shown.push([status, data])),
      counts.state.listen((state) => shown.push(state)),
    ];
    expect(counts.view.get().data).toEqual({ a: 1 });
    world.connection.setAuth(() => 'bob');
    expect(shown).toEqual([['pending', undefined], undefined]);
    expect(counts.view.get().data).toBeUndefined();
    stops.forEach((stop) => stop());
  });

  test('shows nothing of it to somebody else, whom the server finds out', async () => {
    const { counts, socket } = await left(2_000);
    await socket.cut();
    await (await world.server.next()).welcome({ identity: 'Bob' });
    expect(counts.view.get().data).toBeUndefined();
  });

  test('shows nothing of it to somebody else who logs in while a lazy connection rests', async () => {
    const { counts } = await left(100_000, { lazy: true, auth: () => 'ann' });
    expect([world.connection.status.state, counts.view.get().data]).toEqual(['idle', { a: 1 }]);
    world.connection.setAuth(() => 'bob');
    expect(counts.view.get().data).toBeUndefined();
  });

  test('shows nothing any more when it is refused to who comes back', async () => {
    const { counts, socket } = await left(2_000);
    const stop = counts.view.listen(() => undefined);
    await settle();
    await socket.say(['unsubscribed', 2, 'counts', { code: 'FORBIDDEN', message: 'not any more' }]);
    expect(counts.view.get()).toMatchObject({ status: 'ended', data: undefined });
    stop();
    expect(counts.view.get()).toMatchObject({ status: 'idle', data: undefined });
  });

  test('shows nothing any more when the connection is closed', async () => {
    const { counts } = await left(2_000);
    expect(counts.view.get().data).toEqual({ a: 1 });
    await world.connection.close();
    expect(counts.view.get().data).toBeUndefined();
  });

  test('of which events could not be folded keeps no state: there is none that follows them', async () => {
    const { counts, socket } = await left(0);
    await socket.say(['event', 'counts', 2, 'what']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(counts.view.get().data).toBeUndefined();
  });
});

const contract = defineContract({
  board: topic('boards/{id}', {
    event: z.number(),
    snapshot: z.number(),
    apply: (_state, event) => event,
  }),
});

test('states are kept in a bounded number, those that were left first go first; an hour of navigation leaves no timer', async () => {
  const connection = world.connect({ topics: { keep: 2 } });
  const client = createClient(contract, connection);
  const socket = await world.welcomed();
  for (let visit = 0; visit < 360; visit++) {
    const id = String(visit % 12);
    const stop = client.board({ id }).view.listen(() => undefined);
    await settle();
    const [, n, name] = socket.all('subscribe').at(-1)! as [string, number, string];
    await socket.say(['subscribed', n, name, ['E', 0], 'live'], ['snapshot', name, ['E', 0], visit]);
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
  }
  const kept = Array.from({ length: 12 }, (_, id) => client.board({ id: String(id) }).view.get().data);
  expect(kept).toEqual([...Array.from({ length: 10 }), 358, 359]);
  expect(connection.stats().subscriptions).toBe(0);
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
});

describe('a topic that another contract on the connection declares as well', () => {
  const other = defineContract({
    tally: topic('boards/{id}', { event: z.number(), snapshot: z.number(), apply: (sum, event) => sum + event }),
  });

  test('has no part in what the first one folded', async () => {
    const connection = world.connect();
    const board = createClient(contract, connection).board({ id: 'a' });
    const tally = createClient(other, connection).tally({ id: 'a' });
    const stop = board.view.listen(() => undefined);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'boards/a', ['E', 0], 'live'], ['snapshot', 'boards/a', ['E', 0], 5]);
    expect(tally.state.get()).toBeUndefined();
    stop();
    await vi.advanceTimersByTimeAsync(2_000);
    expect([board.state.get(), tally.state.get()]).toEqual([5, undefined]);

    const leave = tally.view.listen(() => undefined);
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'boards/a']);
    await socket.say(['subscribed', 2, 'boards/a', ['E', 0], 'live'], ['snapshot', 'boards/a', ['E', 0], 5]);
    await socket.say(['event', 'boards/a', 1, 4]);
    expect([board.state.get(), tally.state.get()]).toEqual([undefined, 9]);
    leave();
  });

  test('takes the state that a page brings for it', () => {
    const connection = world.connect();
    const board = createClient(contract, connection).board({ id: 'a' });
    const tally = createClient(other, connection).tally({ id: 'a' });
    board.hydrate({ state: 1, position: ['E', 1] });
    tally.hydrate({ state: 2, position: ['E', 1] });
    expect([board.state.get(), tally.state.get()]).toEqual([undefined, 2]);
  });
});

test('on a real server, who comes back gets what was missed and no second snapshot', async () => {
  let read = 0;
  await using pair = connectedPair(contract, {
    board: { authorize: () => true, snapshot: () => ++read * 100 },
  });
  const board = pair.client.board({ id: 'a' });
  const first = board.subscribe({});
  await first.ready;
  first.unsubscribe();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(pair.server.stats().subscriptions).toBe(0);
  await pair.server.topic('board', { id: 'a' }).publish(7);
  const second = board.subscribe({});
  await second.ready;
  await vi.advanceTimersByTimeAsync(10);
  expect(board.state.get()).toBe(7);
  expect(read).toBe(1);
  world.connect();
});
