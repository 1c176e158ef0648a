import { describe, expect, test } from 'vitest';
import { createClient, type Client, type ConnectOptions } from '../../src/index.ts';
import { items, read, take } from '../helpers/read-stream.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';

const world = scripted({ timeoutMs: 60_000 });

function start(options: ConnectOptions = {}): Client<(typeof streaming)['tree']> {
  return createClient(streaming, world.connect(options));
}

describe('how far the server may go', () => {
  test('follows the reader: at half the window it is told, not for each item', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: 8 } });
    const counted = client.count({ to: 99 });
    const first = counted.next();
    await settle();
    expect(socket.all('open')[0]).toMatchObject({ 4: 0, 5: 8 });
    await socket.say(...items(1, 1, 8));
    await first;
    await take(counted, 2);
    await settle();
    expect(socket.all('more')).toEqual([]);
    await take(counted, 1);
    await settle();
    expect(socket.all('more')).toEqual([['more', 1, 4, 12]]);
    await take(counted, 4);
    await settle();
    expect(socket.all('more')).toEqual([
      ['more', 1, 4, 12],
      ['more', 1, 8, 16],
    ]);
  });

  test('grows for a reader that keeps up, as far as the server allows, and never stands still on the way', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: 200 } });
    const counted = read(client.count({ to: 999 }));
    await settle();
    await socket.say(...items(1, 1, 32));
    expect(counted.items.length).toBe(32);
    expect(socket.all('more').at(-1)).toEqual(['more', 1, 32, 64]);
    await socket.say(...items(1, 33, 33));
    expect(socket.all('more').at(-1)).toEqual(['more', 1, 33, 97]);
    await socket.say(...items(1, 34, 34));
    expect(socket.all('more').at(-1)).toEqual(['more', 1, 34, 162]);
    await socket.say(...items(1, 35, 61));
    expect(socket.all('more').at(-1)).toEqual(['more', 1, 34, 162]);
    await socket.say(...items(1, 62, 62));
    expect(socket.all('more').at(-1)).toEqual(['more', 1, 62, 262]);
  });

  test('is what the present socket allows: one that grew does not stand still on one that allows less', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: 200 } });
    const counted = read(client.count({ to: 999 }));
    await settle();
    await socket.say(...items(1, 1, 32));
    await socket.say(...items(1, 33, 34));
    expect(socket.all('more').at(-1)).toEqual(['more', 1, 34, 162]);
    await socket.cut();
    const next = await world.server.next();
    await next.welcome({ limits: { items: 10 } });
    expect(next.all('open')[0]).toMatchObject({ 4: 34 });
    await next.say(...items(1, 35, 44));
    expect(counted.items.length).toBe(44);
    expect(next.all('more').at(-1)?.[2]).toBe(44);
  });

  test('does not grow for a reader that is slower than what comes', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: 200 } });
    const counted = client.count({ to: 999 });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 32));
    await first;
    for (let taken = 16; taken <= 160; taken += 16) {
      await take(counted, taken === 16 ? 15 : 16);
      await settle();
      expect(socket.all('more').at(-1)).toEqual(['more', 1, taken, taken + 32]);
      await socket.say(...items(1, taken + 17, taken + 32));
    }
  });

  test('stays where it is for a reader that does not read, and is told once for one that reads fast', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: 4 } });
    const counted = client.count({ to: 99 });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 4));
    await first;
    expect(socket.all('more')).toEqual([]);
    await Promise.all([counted.next(), counted.next(), counted.next()]);
    await settle();
    expect(socket.all('more')).toEqual([['more', 1, 4, 8]]);
  });

  test('is told once for many items that come at once to readers that wait', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: 4 } });
    const counted = client.count({ to: 99 });
    const asked = [1, 2, 3, 4].map(() => counted.next());
    await settle();
    await socket.say(...items(1, 1, 4));
    expect((await Promise.all(asked)).map(({ value }) => value)).toEqual([1, 2, 3, 4]);
    expect(socket.all('more')).toEqual([['more', 1, 4, 8]]);
  });

  test('is not told any more when the stream is over', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: 2 } });
    const counted = read(client.count({ to: 2 }));
    await settle();
    await socket.say(...items(1, 1, 2), ['done', 1]);
    expect(counted.done).toBe(true);
    expect(socket.all('more')).toEqual([]);
  });
});

describe('a reader that leaves', () => {
  test.each([
    ['by return', (iterator: AsyncIterableIterator<number>) => iterator.return?.()],
    [
      'by throw',
      (iterator: AsyncIterableIterator<number>) => iterator.throw?.(new Error('mine')).catch(() => undefined),
    ],
    [
      'by dispose',
      (iterator: AsyncIterableIterator<number>) => (iterator as unknown as AsyncDisposable)[Symbol.asyncDispose](),
    ],
    [
      'by break',
      async (iterator: AsyncIterableIterator<number>) => {
        for await (const item of iterator) if (item > 1) break;
      },
    ],
  ])('%s: the run is cancelled, what waits is dropped, and no failure is noted', async (_how, leave) => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 9 });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 3));
    await first;
    await leave(counted);
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
    expect(await counted.next()).toEqual({ done: true, value: undefined });
    expect(counted.error).toBeUndefined();
    expect(world.connection.stats()).toMatchObject({ inFlight: 0, queued: { messages: 0 } });
    expect(world.connection.record().map(({ what }) => what)).not.toContain('failed');
    await world.connection.close({ drain: true });
  });

  test('behind a failure that it has not come upon gets the end', async () => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 9 });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 1), ['error', 1, { code: 'INTERNAL', message: 'it broke' }]);
    await first;
    await counted.return();
    expect(await counted.next()).toEqual({ done: true, value: undefined });
    expect(counted.error?.code).toBe('INTERNAL');
  });

  test('with its own error is given it back', async () => {
    const mine = new Error('mine');
    await expect(start().count({ to: 9 }).throw(mine)).rejects.toBe(mine);
  });

  test('while it waits for an item gets the end', async () => {
    const client = start();
    const counted = client.count({ to: 9 });
    const asked = counted.next();
    await settle();
    await counted.return();
    expect(await asked).toEqual({ done: true, value: undefined });
  });

  test('before it was written: it is taken back', async () => {
    const client = start();
    const reading = read(client.count({ to: 9 }));
    const counted = client.count({ to: 8 });
    void counted.next();
    await counted.return();
    const socket = await world.welcomed();
    expect(socket.all('open').map(({ 6: input }) => input)).toEqual([{ to: 9 }]);
    expect(reading.items).toEqual([]);
  });

  test('before it has begun: it never begins', async () => {
    const client = start();
    const counted = client.count({ to: 9 });
    await counted.return();
    expect(await counted.next()).toEqual({ done: true, value: undefined });
    expect((await world.welcomed()).all('open')).toEqual([]);
  });
});

describe('an abort', () => {
  test('cancels the run, drops what waits, and is told to the reader', async () => {
    const abort = new AbortController();
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 9 }, { signal: abort.signal });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 3));
    await first;
    abort.abort('enough');
    await expect(counted.next()).rejects.toMatchObject({ code: 'ABORTED', outcome: 'unknown', cause: 'enough' });
    expect(await counted.next()).toEqual({ done: true, value: undefined });
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
  });

  test('holds also when the server is done and the reader is not', async () => {
    const abort = new AbortController();
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 3 }, { signal: abort.signal });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 3), ['done', 1]);
    await first;
    abort.abort();
    await expect(counted.next()).rejects.toMatchObject({ code: 'ABORTED' });
    expect(counted.error).toMatchObject({ code: 'ABORTED' });
    expect(socket.all('cancel')).toEqual([]);
  });

  test('of a signal that lives on is not listened to any longer than the stream lasts', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => listeners++;
    signal.removeEventListener = () => listeners--;
    const client = start();
    const socket = await world.welcomed();
    const done = read(client.count({ to: 1 }, { signal }));
    const left = client.count({ to: 1 }, { signal });
    void left.next();
    await settle();
    expect(listeners).toBeGreaterThan(0);
    await socket.say(['done', 1]);
    await left.return();
    expect(done.done).toBe(true);
    expect(listeners).toBe(0);
  });
});

describe('slots for streams', () => {
  test('are their own: a stream without one waits, and holds up no call', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { streams: 2 } });
    const runs = [1, 2, 3, 4].map((to) => client.count({ to }));
    for (const run of runs) void run.next().catch(() => undefined);
    const ping = client.ping();
    await settle();
    expect(socket.all('open').map(([, id]) => id)).toEqual([1, 2]);
    expect(socket.all('call').map(([, id]) => id)).toEqual([3]);
    expect(world.connection.stats()).toMatchObject({ inFlight: 3, queued: { messages: 2 } });
    await socket.say(['reply', 3]);
    await ping;
    await socket.say(['done', 1]);
    expect(socket.all('open').map(({ 6: input }) => input)).toEqual([{ to: 1 }, { to: 2 }, { to: 3 }]);
    // One that is left before its turn gives it up; one that was cancelled keeps its slot until the server has answered.
    await runs[3]!.return();
    await runs[1]!.return();
    const last = client.count({ to: 5 });
    void last.next().catch(() => undefined);
    await settle();
    expect(socket.all('open')).toHaveLength(3);
    await socket.say(['error', 2, { code: 'ABORTED', message: '' }]);
    expect(socket.all('open').map(({ 6: input }) => input)).toEqual([{ to: 1 }, { to: 2 }, { to: 3 }, { to: 5 }]);
  });

  test('are not taken by calls, nor those of calls by streams', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 8, streams: 1 } });
    read(client.count({ to: 1 }));
    for (let by = 0; by < 9; by++) void client.add({ by }).safe();
    await settle();
    expect(socket.all('open')).toHaveLength(1);
    expect(socket.all('call')).toHaveLength(8);
  });

  test('never more than a floor can except: what a server allows beyond that is not used', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 1024, streams: 5000 } });
    for (let to = 0; to < 100; to++) read(client.count({ to }));
    await settle();
    expect(socket.all('open')).toHaveLength(64);
  });

  test('are free again when the floor has settled a stream that was left', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { streams: 1 } });
    const left = client.count({ to: 1 });
    void left.next();
    read(client.count({ to: 2 }));
    await settle();
    await left.return();
    await settle();
    expect(socket.all('open')).toHaveLength(1);
    await socket.say(['ping', 1]);
    expect(socket.all('floor').at(-1)).toEqual(['floor', 2]);
    expect(socket.all('open').map(({ 6: input }) => input)).toEqual([{ to: 1 }, { to: 2 }]);
  });

  test('those that wait for one end with the connection', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { streams: 1 } });
    const readings = [1, 2].map((to) => read(client.count({ to })));
    await settle();
    await world.connection.close();
    await settle();
    expect(readings.map(({ error }) => error?.outcome)).toEqual(['unknown', 'not-sent']);
    expect(socket.all('open')).toHaveLength(1);
  });
});

describe('a connection that is closed when all is done', () => {
  test('waits for open streams as for calls', async () => {
    const client = start();
    const socket = await world.welcomed();
    const reading = read(client.count({ to: 1 }));
    await settle();
    const closed = world.connection.close({ drain: true });
    await settle();
    expect(world.connection.status.state).toBe('closing');
    await socket.say(['item', 1, 1, 1], ['done', 1]);
    await closed;
    await reading.over;
    expect(reading).toMatchObject({ items: [1], done: true });
  });
});
