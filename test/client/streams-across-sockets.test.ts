import { describe, expect, test, vi } from 'vitest';
import { createClient, type Client, type ConnectOptions } from '../../src/index.ts';
import { items, read, take } from '../helpers/read-stream.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';

const world = scripted({ timeoutMs: 600_000 });

function start(options: ConnectOptions = {}): Client<(typeof streaming)['tree']> {
  return createClient(streaming, world.connect(options));
}

test('under the same memory a stream is taken up after the last item that came; what comes twice is dropped', async () => {
  const client = start();
  const first = await world.welcomed();
  const counted = client.count({ to: 6 });
  const read2 = take(counted, 2);
  await settle();
  await first.say(...items(1, 1, 3));
  expect(await read2).toEqual([1, 2]);
  await first.cut();
  const second = await world.server.next();
  expect(second.hello.floor).toEqual([2, 1]);
  expect(second.all('open')).toEqual([]);
  await second.welcome();
  expect(second.all('open')).toEqual([['open', 1, 'count', null, 3, 34, { to: 6 }]]);
  await second.say(...items(1, 2, 6), ['done', 1]);
  expect(await take(counted, 4)).toEqual([3, 4, 5, 6]);
  expect(await counted.next()).toEqual({ done: true, value: undefined });
});

test('one that was opened and gave nothing yet is opened again under its id, in its order, with the time that is left', async () => {
  const client = start();
  const first = await world.welcomed();
  void client.add({ by: 1 }).safe();
  const reading = read(client.count({ to: 1 }));
  void client.add({ by: 2 }).safe();
  await settle();
  await first.cut();
  const second = await world.server.next();
  await second.welcome();
  const acts = second.received.filter(([name]) => name === 'call' || name === 'open');
  expect(acts.map(([name, id]) => [name, id])).toEqual([
    ['call', 1],
    ['open', 2],
    ['call', 3],
  ]);
  const { deadlineMs } = second.all('open')[0]![3]!;
  expect(deadlineMs).toBeLessThan(600_000);
  await second.say(['item', 2, 1, 1], ['done', 2]);
  expect(reading).toMatchObject({ items: [1], done: true });
});

test('under another memory it ends, unknown, behind the items that are here; it is never started twice', async () => {
  const client = start();
  const first = await world.welcomed();
  const counted = client.count({ to: 6 });
  const one = counted.next();
  const silent = read(client.talk());
  await settle();
  await first.say(...items(1, 1, 3));
  await one;
  await first.cut();
  const second = await world.server.next();
  await second.welcome({ memory: 'M2' });
  expect(second.all('open')).toEqual([]);
  expect(await take(counted, 2)).toEqual([2, 3]);
  await expect(counted.next()).rejects.toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown', path: 'count' });
  expect(silent).toMatchObject({ items: [], error: { code: 'DISCONNECTED', outcome: 'unknown' } });
  expect(world.connection.stats().inFlight).toBe(0);
});

test('one that waits without a socket is opened on the next, whatever its memory', async () => {
  const client = start();
  const first = await world.welcomed();
  await first.cut();
  read(client.count({ to: 1 }));
  const second = await world.server.next();
  await second.welcome({ memory: 'M2' });
  expect(second.all('open')).toHaveLength(1);
});

test('one that a server has forgotten all the same ends with UNKNOWN_OUTCOME', async () => {
  const client = start();
  const first = await world.welcomed();
  const reading = read(client.count({ to: 6 }));
  await settle();
  await first.say(...items(1, 1, 1));
  await first.cut();
  const second = await world.server.next();
  await second.welcome();
  await second.say(['error', 1, { code: 'UNKNOWN_OUTCOME', message: 'It is gone.' }]);
  expect(reading).toMatchObject({ items: [1], error: { code: 'UNKNOWN_OUTCOME', outcome: 'unknown' } });
});

test('items and ends are heard only on the socket on which the stream was opened last', async () => {
  const client = start();
  const first = await world.welcomed();
  const reading = read(client.count({ to: 6 }));
  await settle();
  await first.cut();
  const second = await world.server.next();
  await second.say(['item', 1, 1, 666], ['done', 1]); // before its welcome
  await second.welcome({ limits: { streams: 1 } });
  await second.say(['item', 2, 1, 666], ['item', 7, 1, 666], ['done', 7]); // of nobody
  await second.say(['item', 1, 1, 1], ['done', 1]);
  expect(reading).toMatchObject({ items: [1], done: true });
});

test('while there is no socket a reader reads on, and what it read is told with the open', async () => {
  const client = start();
  const first = await world.server.socket();
  await first.welcome({ limits: { items: 4 } });
  const counted = client.count({ to: 99 });
  const one = counted.next();
  await settle();
  await first.say(...items(1, 1, 4));
  await one;
  await first.cut();
  expect(await take(counted, 3)).toEqual([2, 3, 4]);
  const second = await world.server.next();
  await second.welcome({ limits: { items: 4 } });
  expect(second.all('more')).toEqual([]);
  expect(second.all('open')).toMatchObject([{ 4: 4, 5: 8 }]);
});

test('one that was left without a socket is not taken up, and the floor tells the server', async () => {
  const client = start();
  const first = await world.welcomed();
  const counted = client.count({ to: 6 });
  void counted.next();
  read(client.count({ to: 7 }));
  await settle();
  await first.cut();
  await counted.return();
  const second = await world.server.next();
  expect(second.hello.floor).toEqual([3, 2]);
  await second.welcome();
  expect(second.all('open').map(([, id]) => id)).toEqual([2]);
  expect(second.all('cancel')).toEqual([]);
});

test('streams for which the next server has no slot hold up neither calls nor what is sent again', async () => {
  const client = start();
  const first = await world.server.socket();
  await first.welcome({ limits: { streams: 3 } });
  const readings = [1, 2, 3].map((to) => read(client.count({ to })));
  const added = client.add({ by: 4 });
  await settle();
  await first.cut();
  read(client.count({ to: 5 }));
  const second = await world.server.next();
  await second.welcome({ limits: { streams: 1 } });
  expect(second.all('open').map(([, id]) => id)).toEqual([1]);
  expect(second.all('call').map(([, id]) => id)).toEqual([4]);
  await second.say(['item', 2, 1, 666]); // not opened here
  await second.say(['reply', 4, 4], ['done', 1]);
  expect(await added).toBe(4);
  await second.say(['item', 2, 1, 2], ['done', 2]);
  await second.say(['done', 3]);
  expect(readings).toMatchObject([{ done: true }, { items: [2], done: true }, { done: true }]);
  expect(second.all('open').map(([, id]) => id)).toEqual([1, 2, 3, 5]);
});

test('a long stream does not hold up the floor', async () => {
  const client = start();
  const socket = await world.server.socket();
  await socket.welcome({ limits: { calls: 100 } });
  read(client.count({ to: 99 }));
  const pings = Array.from({ length: 64 }, () => client.ping());
  await settle();
  await socket.say(...Array.from({ length: 64 }, (_, at) => ['reply', at + 2]));
  await Promise.all(pings);
  expect(socket.all('floor').at(-1)).toEqual(['floor', 66, 1]);
});

test('a frame too large is blamed on no stream that has given items', async () => {
  const client = start();
  const first = await world.welcomed();
  const reading = read(client.count({ to: 1_000_000 }));
  const silent = read(client.count({ to: 1 }));
  await settle();
  await first.say(['item', 1, 1, 1]);
  await first.close(1009);
  await settle();
  expect(silent.error).toMatchObject({ code: 'TOO_LARGE', outcome: 'unknown' });
  expect(reading.error).toBeUndefined();
  const second = await world.server.next();
  await second.welcome();
  expect(second.all('open').map(([, id]) => id)).toEqual([1]);
});

test('a stream without an answer ends at its deadline, also without a socket', async () => {
  const client = start({ timeoutMs: 5_000, reconnect: false });
  const first = await world.welcomed();
  const reading = read(client.count({ to: 1 }));
  await settle();
  world.connection.suspend();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(reading.error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
  expect(first.all('cancel')).toEqual([]);
});

test('a floor never names more than a server takes: where more is in flight it is the lowest id', async () => {
  const client = start();
  const first = await world.server.socket();
  await first.welcome({ limits: { calls: 8, streams: 1080 } });
  for (let to = 0; to < 1080; to++) read(client.count({ to }));
  await settle();
  await first.cut();
  const second = await world.server.next();
  expect(second.hello.floor).toHaveLength(1081);
  await second.welcome({ limits: { calls: 1024, streams: 8 } });
  for (let by = 0; by < 9; by++) void client.add({ by }).safe();
  await settle();
  await second.say(['ping', 1]);
  expect(second.all('floor').at(-1)).toEqual(['floor', 1]);
});

describe('a move to another socket', () => {
  test('of the same memory takes streams along', async () => {
    const client = start();
    const first = await world.welcomed();
    const reading = read(client.count({ to: 3 }));
    await settle();
    await first.say(...items(1, 1, 2));
    world.connection.reconnect({ seamless: true });
    const second = await world.server.socket();
    await second.welcome();
    expect(second.all('open')).toEqual([['open', 1, 'count', null, 2, 34, { to: 3 }]]);
    await second.say(...items(1, 2, 3), ['done', 1]);
    expect(reading).toMatchObject({ items: [1, 2, 3], done: true });
  });

  test('of another memory leaves them where they run: what they say goes there, and the socket stays for them', async () => {
    const client = start();
    const first = await world.server.socket();
    await first.welcome({ limits: { items: 4 } });
    const reading = read(client.count({ to: 6 }));
    const left = client.count({ to: 9 });
    void left.next();
    await settle();
    await first.say(...items(1, 1, 1));
    world.connection.reconnect({ seamless: true });
    const second = await world.server.socket();
    await second.welcome({ memory: 'M2' });
    const later = read(client.count({ to: 2 }));
    await settle();
    expect(second.all('open')).toMatchObject([{ 1: 3, 6: { to: 2 } }]);
    await first.say(...items(1, 2, 4));
    expect(first.all('more').at(-1)).toEqual(['more', 1, 4, 8]);
    await left.return();
    await settle();
    expect(first.all('cancel')).toEqual([['cancel', 2]]);
    expect([...second.all('more'), ...second.all('cancel')]).toEqual([]);
    await first.say(['error', 2, { code: 'ABORTED', message: '' }]);
    expect(first.closedWith).toBeUndefined();
    await first.say(...items(1, 5, 6), ['done', 1]);
    expect(first.closedWith).toBe(4000);
    await second.say(...items(3, 1, 2), ['done', 3]);
    expect(reading).toMatchObject({ items: [1, 2, 3, 4, 5, 6], done: true });
    expect(later).toMatchObject({ items: [1, 2], done: true });
  });
});
