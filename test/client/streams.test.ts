import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createClient, defineContract, stream, type Client, type ConnectOptions } from '../../src/index.ts';
import { items, read, take } from '../helpers/read-stream.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';
import { saying } from '../helpers/saying.ts';

const world = scripted({ timeoutMs: 60_000 });

function start(options: ConnectOptions = {}): Client<(typeof streaming)['tree']> {
  return createClient(streaming, world.connect(options));
}

describe('a stream', () => {
  test('is opened by the first question for an item, gives the items in order, and ends', async () => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 3 });
    await settle();
    expect(socket.all('open')).toEqual([]);
    const reading = read(counted);
    await settle();
    expect(socket.all('open')).toEqual([['open', 1, 'count', { deadlineMs: 60_000 }, 0, 32, { to: 3 }]]);
    await socket.say(['item', 1, 1, 10], ['item', 1, 2, 20]);
    expect(reading.items).toEqual([10, 20]);
    expect(world.connection.stats().inFlight).toBe(1);
    await socket.say(['item', 1, 3, 30], ['done', 1]);
    expect(reading).toMatchObject({ items: [10, 20, 30], done: true });
    expect(counted.error).toBeUndefined();
    expect(world.connection.stats().inFlight).toBe(0);
  });

  test('waits for the welcome, and keeps its place among mutations', async () => {
    const client = start();
    void client.add({ by: 1 }).safe();
    read(client.count({ to: 3 }));
    void client.add({ by: 2 }).safe();
    const socket = await world.server.socket();
    expect(socket.received.map(([name]) => name)).toEqual(['hello']);
    await socket.welcome();
    expect(socket.received.flatMap(([name, id]) => (name === 'call' || name === 'open' ? [[name, id]] : []))).toEqual([
      ['call', 1],
      ['open', 2],
      ['call', 3],
    ]);
  });

  test('sends its input as it was when it was made', async () => {
    const client = start();
    const input = { to: 1 };
    const counted = client.count(input);
    input.to = 2;
    read(counted);
    expect((await world.welcomed()).all('open')[0]?.[6]).toEqual({ to: 1 });
  });

  test('is read once: a second loop goes on where the first stopped, and after a break there is nothing', async () => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 9 });
    const first = take(counted, 2);
    await settle();
    await socket.say(...items(1, 1, 3));
    expect(await first).toEqual([1, 2]);
    for await (const item of counted) {
      expect(item).toBe(3);
      break;
    }
    expect(read(counted)).toMatchObject({ items: [] });
    expect(await counted.next()).toEqual({ done: true, value: undefined });
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
  });

  test('answers questions that were asked before there are items, each with the next one', async () => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 2 });
    const asked = [counted.next(), counted.next(), counted.next(), counted.next()];
    await settle();
    await socket.say(...items(1, 1, 2), ['done', 1]);
    expect((await Promise.all(asked)).map(({ value }) => value)).toEqual([1, 2, undefined, undefined]);
  });
});

describe('a stream fails', () => {
  test('with a declared error and its data, behind the items before it, once', async () => {
    const client = start();
    const socket = await world.welcomed();
    const talk = client.talk();
    const first = talk.next();
    await settle();
    await socket.say(['item', 1, 1, { word: 'a' }], ['item', 1, 2, { word: 'b' }]);
    await socket.say(['error', 1, { code: 'QUOTA', message: 'No more.' }, { left: 0 }]);
    expect((await first).value).toEqual({ word: 'a' });
    expect(talk.error).toMatchObject({ code: 'QUOTA', data: { left: 0 }, outcome: 'rejected', path: 'talk' });
    expect(await talk.next()).toEqual({ done: false, value: { word: 'b' } });
    await expect(talk.next()).rejects.toBe(talk.error);
    expect(await talk.next()).toEqual({ done: true, value: undefined });
  });

  test('that nobody reads: nothing is sent, and nothing is rejected', async () => {
    const client = start();
    const socket = await world.welcomed();
    client.count({ to: 'many' as never });
    client.count({ to: new Date() as never });
    client.count({ to: 1 }, { timeoutMs: -1 });
    client.count({ to: 1 });
    await world.connection.close();
    expect(socket.all('open')).toEqual([]);
  });

  test.each([
    ['BAD_INPUT', { to: 'many' as never }, {}],
    ['BAD_PAYLOAD', { to: new Date() as never }, {}],
    ['ABORTED', { to: 1 }, { signal: AbortSignal.abort() }],
  ])('with %s at the first question, where it can not be sent', async (code, input, options) => {
    const client = start();
    const socket = await world.welcomed();
    const reading = read(client.count(input, options));
    await settle();
    expect(reading.error).toMatchObject({ code, outcome: 'not-sent' });
    expect(socket.all('open')).toEqual([]);
  });

  test('for options that make no sense: its reader is told', async () => {
    const client = start();
    await expect(client.count({ to: 1 }, { timeoutMs: -1 }).next()).rejects.toThrow(RangeError);
    await expect(client.count({ to: 1 }, { signal: 5 as never }).next()).rejects.toThrow(TypeError);
  });

  test('with OFFLINE without a connection, where calls do not wait', async () => {
    const client = start({ whileOffline: 'fail' });
    await expect(client.count({ to: 1 }).next()).rejects.toMatchObject({ code: 'OFFLINE', outcome: 'not-sent' });
  });

  test('with TIMEOUT when no first item came in time; then it may take for ever', async () => {
    const client = start({ timeoutMs: 5_000 });
    const socket = await world.welcomed();
    const late = read(client.count({ to: 1 }));
    const inTime = read(client.count({ to: 2 }));
    await settle();
    await socket.say(['item', 2, 1, 1]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(late.error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
    // Taken up again later, it names no time either.
    await socket.cut();
    const second = await world.server.next();
    await second.welcome();
    expect(second.all('open')).toEqual([['open', 2, 'count', null, 1, 33, { to: 2 }]]);
    await second.say(['item', 2, 2, 2], ['done', 2]);
    expect(inTime).toMatchObject({ items: [1, 2], done: true });
  });

  test('alone, with BAD_OUTPUT and the path, for an item that does not fit: those before it are given', async () => {
    const client = start();
    const socket = await world.welcomed();
    const talk = read(client.talk());
    const counted = read(client.count({ to: 2 }));
    await settle();
    await socket.say(['item', 1, 1, { word: 'a' }], ['item', 1, 2, { word: 2 }], ['item', 1, 3, { word: 'c' }]);
    await socket.say(...items(2, 1, 2), ['done', 2]);
    expect(talk.items).toEqual([{ word: 'a' }]);
    expect(talk.error).toMatchObject({ code: 'BAD_OUTPUT', issues: [{ path: ['word'] }], path: 'talk' });
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
    expect(counted).toMatchObject({ items: [1, 2], done: true });
  });

  test.each([
    ['after a hole', 8, ['item', 1, 3, 3], 'item 3 came after item 1'],
    ['beyond what was asked for', 1, ['item', 1, 2, 2], 'item 2 came after item 1, of 1 asked for'],
  ])('with BAD_OUTPUT when an item comes %s', async (_how, window, item, what) => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { items: window } });
    const counted = client.count({ to: 9 });
    void counted.next();
    const failure = counted.next();
    failure.catch(() => undefined);
    await settle();
    void socket.say(['item', 1, 1, 1], item);
    await expect(failure).rejects.toMatchObject({
      code: 'BAD_OUTPUT',
      message: saying(what),
    });
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
  });

  test('with CLOSED when the connection is closed, behind the items that are here', async () => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 9 });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 2));
    await first;
    await world.connection.close();
    expect((await counted.next()).value).toBe(2);
    await expect(counted.next()).rejects.toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
    await expect(client.count({ to: 1 }).next()).rejects.toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
  });

  test('with UNAUTHENTICATED for another identity: what waits is not shown', async () => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 9 });
    const first = counted.next();
    await settle();
    await socket.say(...items(1, 1, 3));
    await first;
    world.connection.setAuth(null);
    await expect(counted.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('not for another identity where it was read to its end', async () => {
    const client = start();
    const socket = await world.welcomed();
    const counted = client.count({ to: 2 });
    const reading = read(counted);
    await settle();
    await socket.say(...items(1, 1, 2), ['done', 1]);
    expect(reading).toMatchObject({ items: [1, 2], done: true });
    world.connection.setAuth(() => 'another');
    expect(await counted.next()).toEqual({ done: true, value: undefined });
    expect(counted.error).toBeUndefined();
  });

  test('with UNAUTHENTICATED for another identity, also where the server has said its last word: what waits is not shown', async () => {
    const client = start();
    const socket = await world.welcomed();
    const [counted, failed] = [client.count({ to: 3 }), client.count({ to: 3 })];
    const firsts = [counted.next(), failed.next()];
    await settle();
    await socket.say(...items(1, 1, 3), ['done', 1], ...items(2, 1, 3), [
      'error',
      2,
      { code: 'INTERNAL', message: 'x' },
    ]);
    await Promise.all(firsts);
    world.connection.setAuth(() => 'another');
    for (const stream of [counted, failed]) {
      await expect(stream.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    }
  });

  test('and is cancelled where its user logs out, also when it was left just before: no server keeps it', async () => {
    const client = start();
    const socket = await world.welcomed();
    const [counted, left] = [client.count({ to: 9 }), client.count({ to: 8 })];
    read(counted);
    void left.next();
    await settle();
    void left.return();
    world.connection.setAuth(null);
    await settle();
    expect(socket.all('cancel')).toEqual([
      ['cancel', 1],
      ['cancel', 2],
    ]);
  });
});

describe('the slot of what was left', () => {
  const wordsOfTheServer: readonly (readonly [what: string, word: readonly unknown[]])[] = [
    ['its end, which was under way', ['done', 1]],
    ['what its cancel is answered', ['error', 1, { code: 'ABORTED', message: 'cancelled' }]],
    ['an error that was under way', ['error', 1, { code: 'INTERNAL', message: 'failed' }]],
    ['a ping, which is answered with a floor', ['ping', 1]],
  ];

  test.each(wordsOfTheServer)('of a stream is free with %s', async (_what, word) => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { streams: 1 } });
    const left = client.count({ to: 9 });
    read(left);
    await settle();
    await socket.say(...items(1, 1, 1));
    void left.return();
    read(client.count({ to: 2 }));
    await settle();
    expect(socket.all('open').map(([, id]) => id)).toEqual([1]);
    await socket.say(word);
    expect(socket.all('open').map(([, id]) => id)).toEqual([1, 2]);
  });

  test.each([['reply', 1], ...wordsOfTheServer.slice(1).map(([, word]) => word)])(
    'of a call is free with %j',
    async (...word) => {
      const client = start();
      const socket = await world.server.socket();
      await socket.welcome({ limits: { calls: 8 } });
      const controller = new AbortController();
      void client.ping(undefined, { signal: controller.signal }).safe();
      for (let others = 0; others < 8; others++) void client.ping().safe();
      await settle();
      controller.abort();
      await settle();
      expect(socket.all('call')).toHaveLength(8);
      await socket.say(word);
      expect(socket.all('call')).toHaveLength(9);
    },
  );
});

describe('items with an asynchronous schema', () => {
  const slow = defineContract({
    list: stream({
      output: z.number().transform(async (ms) => {
        if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
        return ms;
      }),
    }),
  });

  test('keep their order, and the end its place behind them', async () => {
    const client = createClient(slow, world.connect());
    const socket = await world.welcomed();
    const reading = read(client.list());
    await settle();
    await socket.say(['item', 1, 1, 50], ['item', 1, 2, 0], ['item', 1, 3, 20], ['done', 1]);
    expect(reading).toMatchObject({ items: [], done: false });
    await vi.advanceTimersByTimeAsync(70);
    expect(reading).toMatchObject({ items: [50, 0, 20], done: true });
  });

  test('and so does an error of the server, and an item that can not be read', async () => {
    const client = createClient(slow, world.connect());
    const socket = await world.welcomed();
    const failing = read(client.list());
    const broken = read(client.list());
    await settle();
    await socket.say(['item', 1, 1, 50], ['error', 1, { code: 'INTERNAL', message: '' }]);
    await socket.say(['item', 2, 1, 50], ['item', 2, 2, 'two'], ['item', 2, 3, 3]);
    await vi.advanceTimersByTimeAsync(50);
    expect(failing).toMatchObject({ items: [50], error: { code: 'INTERNAL', outcome: 'unknown' } });
    expect(broken).toMatchObject({ items: [50], error: { code: 'BAD_OUTPUT' } });
    expect(socket.all('cancel')).toEqual([['cancel', 2]]);
  });
});
