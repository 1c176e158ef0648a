import { describe, expect, test, vi } from 'vitest';
import { connect, createClient } from '../../src/core.ts';
import { defineContract, mutation } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { ScriptedServer, settle, type ScriptedSocket } from '../helpers/scripted-server.ts';
import { z } from 'zod';

const world = scripted({ timeoutMs: 600_000 });

const LARGE = 'x'.repeat(100_000);

const written = (socket: ScriptedSocket): number[] => socket.all('call').map(([, id]) => id);

/** Answers all pings, and so all that was written before them. */
async function pong(socket: ScriptedSocket): Promise<void> {
  await socket.say(...socket.all('ping').map(([, n]) => ['pong', n]));
}

async function next(): Promise<ScriptedSocket> {
  const socket = await world.server.next();
  await socket.welcome();
  return socket;
}

describe('after 1009', () => {
  test('the largest call is failed that no pong covers: one that was taken in waits for its answer', async () => {
    const client = world.start();
    const first = await world.welcomed();
    const taken = client.note({ text: LARGE });
    await settle();
    await pong(first);
    const culprit = client.note({ text: 'x'.repeat(30_000) }).safe();
    const small = client.add({ by: 1 });
    await settle();
    await first.close(1009);
    expect((await culprit).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'unknown' });
    const second = await next();
    expect(written(second)).toEqual([1, 3]);
    await second.say(['reply', 1], ['reply', 3, 1]);
    expect(await Promise.all([taken, small])).toEqual([undefined, 1]);
  });

  test('none is failed where the answer to a later one covers all', async () => {
    const client = world.start();
    const first = await world.welcomed();
    const taken = client.note({ text: LARGE });
    const small = client.add({ by: 1 });
    await settle();
    await first.say(['reply', 2, 1]);
    expect(await small).toBe(1);
    await first.close(1009);
    const second = await next();
    expect(written(second)).toEqual([1]);
    await second.say(['reply', 1]);
    await taken;
  });
});

describe('a large call on its way on two sockets that were lost in a row', () => {
  /** Makes calls of which the second is large, and loses two sockets right behind them. */
  async function suspected() {
    const client = world.start();
    const first = await world.welcomed();
    const calls = [client.add({ by: 1 }), client.note({ text: LARGE }).safe(), client.add({ by: 3 })] as const;
    await settle();
    await first.cut();
    await (await next()).cut();
    return { client, calls };
  }

  test('goes alone: behind those before it, ahead of what acts after it, and of new ones', async () => {
    const { client, calls } = await suspected();
    const later = client.add({ by: 4 });
    const third = await next();
    expect(written(third)).toEqual([1]);
    await pong(third);
    expect(written(third)).toEqual([1, 2]);
    await third.say(['reply', 1, 1]);
    expect(written(third)).toEqual([1, 2]);
    await pong(third);
    expect(written(third)).toEqual([1, 2, 3, 4]);
    await third.say(['reply', 2], ['reply', 3, 3], ['reply', 4, 4]);
    expect(await calls[1]).toMatchObject({ ok: true });
    expect(await Promise.all([calls[0], calls[2], later])).toEqual([1, 3, 4]);
  });

  test('and lost once more is given up; the others go on', async () => {
    const { calls } = await suspected();
    const third = await next();
    await pong(third);
    await third.cut();
    expect((await calls[1]).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'unknown', path: 'note' });
    const fourth = await next();
    expect(written(fourth)).toEqual([1, 3]);
    await fourth.say(['reply', 1, 1], ['reply', 3, 3]);
    expect(await Promise.all([calls[0], calls[2]])).toEqual([1, 3]);
  });

  test('and not yet sent when a third is lost waits for its turn on the next', async () => {
    const { calls } = await suspected();
    await (await next()).cut();
    const fourth = await next();
    await pong(fourth);
    expect(written(fourth)).toEqual([1, 2]);
    await fourth.say(['reply', 2]);
    expect(await calls[1]).toMatchObject({ ok: true });
    expect(written(fourth)).toEqual([1, 2, 3]);
    await fourth.say(['reply', 1, 1], ['reply', 3, 3]);
  });

  test('holds nobody up when its caller gives it up', async () => {
    const client = world.start();
    const first = await world.welcomed();
    const controller = new AbortController();
    const large = client.note({ text: LARGE }, { signal: controller.signal }).safe();
    const small = client.add({ by: 2 });
    await settle();
    await first.cut();
    await (await next()).cut();
    const third = await next();
    expect(written(third)).toEqual([1]);
    controller.abort();
    expect((await large).error).toMatchObject({ code: 'ABORTED' });
    await pong(third);
    expect(written(third)).toEqual([1, 2]);
    await third.say(['reply', 2, 2]);
    expect(await small).toBe(2);
  });
});

test('a large call is never given up for sockets that the app itself, or another way to end, has left', async () => {
  const client = world.start();
  let socket = await world.welcomed();
  const large = client.note({ text: LARGE });
  await settle();
  for (let times = 0; times < 5; times++) {
    world.connection.reconnect();
    socket = await world.welcomed();
    expect(written(socket)).toEqual([1]);
  }
  for (let times = 0; times < 5; times++) {
    await pong(socket);
    await socket.cut();
    socket = await next();
    expect(written(socket)).toEqual([1]);
  }
  await socket.say(['reply', 1]);
  await large;
});

test('small calls are sent again as they were, however many sockets are lost', async () => {
  const client = world.start();
  let socket = await world.welcomed();
  const calls = Array.from({ length: 8 }, (_, index) => client.add({ by: index }));
  await settle();
  for (let times = 0; times < 6; times++) {
    await socket.cut();
    socket = await next();
    expect(written(socket)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  }
  await socket.say(...calls.map((_, index) => ['reply', index + 1, index]));
  expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a connection without flow control knows as well what was taken in', async () => {
  const contract = defineContract({ note: mutation({ input: z.string() }) });
  world.connect();
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket, timeoutMs: 600_000 });
  const client = createClient(contract, connection);
  const taken = client.note(LARGE);
  const culprit = client.note(LARGE).safe();
  let socket = await server.socket();
  await socket.welcome();
  for (let times = 0; times < 3; times++) {
    const [first] = socket.all('ping');
    expect(written(socket)).toEqual(times < 2 ? [1, 2] : [1]);
    await socket.say(['pong', first![1]]);
    await vi.advanceTimersByTimeAsync(0);
    if (times === 2) expect(written(socket)).toEqual([1, 2]);
    await socket.cut();
    socket = await server.next();
    await socket.welcome();
  }
  expect((await culprit).error).toMatchObject({ code: 'TOO_LARGE' });
  expect(written(socket)).toEqual([1]);
  await socket.say(['reply', 1]);
  await taken;
  await connection.close();
});
