import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createClient, defineContract, mutation, query, stream, topic, type ConnectOptions } from '../../src/index.ts';
import { saying } from '../helpers/saying.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

const contract = defineContract({
  note: mutation({ input: z.string() }),
  ask: query({ input: z.string() }),
  news: topic('news', { event: z.string() }),
  draw: stream({ input: z.string(), output: z.string() }),
});

const world = scripted({ timeoutMs: 600_000 });

const PARTS = { partBytes: 16_384, messageBytes: 1_000_000 };
const LARGE = 'x'.repeat(100_000);

async function started(options: ConnectOptions = {}, limits: object = PARTS) {
  const client = createClient(contract, world.connect(options));
  const socket = await world.server.socket();
  await socket.welcome({ limits });
  await pong(socket);
  return { client, socket };
}

async function next(limits: object = PARTS): Promise<ScriptedSocket> {
  const socket = await world.server.next();
  await socket.welcome({ limits });
  return socket;
}

/** Answers the last ping, and so all before it. */
async function pong(socket: ScriptedSocket): Promise<void> {
  await socket.say(['pong', socket.all('ping').at(-1)![1]]);
}

/** Answers pings until nothing more comes. */
async function pongAll(socket: ScriptedSocket): Promise<void> {
  for (let before = -1; before !== socket.frames.length;) {
    before = socket.frames.length;
    await pong(socket);
  }
}

/** What acts or asks, as the server has it: names and what tells them apart. */
const heard = (socket: ScriptedSocket): string[] =>
  socket.received.flatMap((message) => {
    const [name, , where] = message;
    if (name === 'call' || name === 'open') return `${where} ${String(message.at(-1)).slice(0, 5)}`;
    if (name === 'publish' || name === 'subscribe') return name;
    return [];
  });

describe('a large call', () => {
  test('goes in parts, a ping behind each, and no more than three of them wait for an answer', async () => {
    const { client, socket } = await started();
    const done = client.note(LARGE);
    await settle();
    expect(socket.hello.features).toEqual(['parts']);
    expect(socket.parts.map((part) => part.slice(0, 9))).toEqual(['+1,91884,', '+1,83724,', '+1,75564,']);
    expect(socket.frames.slice(-4).map((frame) => frame.slice(0, 3))).toEqual(['+1,', '[["', '+1,', '[["']);
    expect(heard(socket)).toEqual([]);
    await pongAll(socket);
    expect(socket.parts).toHaveLength(13);
    expect(socket.all('call')).toEqual([['call', 1, 'note', { deadlineMs: 600_000 }, LARGE]]);
    await socket.say(['reply', 1]);
    await done;
  });

  test('goes whole to a server that says nothing of parts, or what makes no sense', async () => {
    for (const limits of [
      {},
      { partBytes: 16_384 },
      { partBytes: 1, messageBytes: 5 },
      { partBytes: 'x', messageBytes: {} },
    ]) {
      const { client, socket } = await started({}, limits);
      const done = client.note(LARGE);
      await settle();
      expect([socket.parts.length, socket.all('call').length]).toEqual([0, 1]);
      await socket.say(['reply', 1]);
      await done;
      await world.connection.close();
    }
  });

  test('may be as large as limits.messageBytes, whatever a frame may be; larger it ends, and says so', async () => {
    const { client, socket } = await started({}, { ...PARTS, frameBytes: 20_000 });
    const done = client.note('x'.repeat(999_900));
    const tooLarge = client.note('x'.repeat(999_980)).safe();
    await pongAll(socket);
    expect((await tooLarge).error).toMatchObject({
      code: 'TOO_LARGE',
      outcome: 'not-sent',
      message: saying('note: it takes more than the 1000000 bytes that the server accepts in a message.'),
    });
    await socket.say(['reply', 1]);
    await done;
  });
});

describe('while a large mutation is under way', () => {
  test('queries, pings and cancels overtake it; what acts, and what tells where a subscription begins, keep their order', async () => {
    const { client, socket } = await started();
    const abort = new AbortController();
    const calls = [
      client.ask('first').safe(),
      client.note(LARGE).safe(),
      client.note('second').safe(),
      client.ask('third', { signal: abort.signal }).safe(),
      client.news().publish('event').safe(),
    ];
    client.news().subscribe(() => undefined);
    const items = client.draw('items');
    void items.next().catch(() => undefined);
    await settle();
    await socket.say(['ping', 5]);
    abort.abort();
    await settle();
    expect(heard(socket)).toEqual(['ask first', 'ask third']);
    expect(socket.all('pong')).toEqual([['pong', 5]]);
    expect(socket.all('cancel')).toHaveLength(1);
    await pongAll(socket);
    expect(heard(socket).slice(2)).toEqual(['note xxxxx', 'note secon', 'publish', 'subscribe', 'draw items']);
    await world.connection.close();
    await Promise.all(calls);
  });

  test('a large query goes between its parts; another waits for that one, and small ones do not', async () => {
    const { client, socket } = await started();
    const calls = [client.note(LARGE), client.ask(`1${LARGE}`), client.ask(`2${LARGE}`), client.ask('small')];
    await settle();
    expect(socket.parts.map((part) => part.slice(0, 3))).toEqual(['+1,', '+2,', '+1,']);
    expect(heard(socket)).toEqual(['ask small']);
    await pongAll(socket);
    expect(heard(socket)).toEqual(['ask small', 'note xxxxx', 'ask 1xxxx', 'ask 2xxxx']);
    await socket.say(...socket.all('call').map(([, id]) => ['reply', id]));
    await Promise.all(calls);
  });

  test('a lossy publish waits where it can be dropped', async () => {
    const { client, socket } = await started({ queue: { maxMessages: 3 } });
    const large = client.note(LARGE);
    await settle();
    const lossy = client.news().publish('lossy', { delivery: 'lossy', conflate: 'one' });
    const newer = client.news().publish('newer', { delivery: 'lossy', conflate: 'one' });
    expect(await lossy).toBe('conflated');
    await pongAll(socket);
    expect(await newer).toBe('sent');
    expect(socket.all('publish')).toEqual([['publish', 0, 'news', 'newer']]);
    await socket.say(['reply', 1]);
    await large;
  });

  test('one that is aborted is given up in its midst: its slot is free, and what waited behind it goes', async () => {
    const { client, socket } = await started();
    const abort = new AbortController();
    const large = client.note(LARGE, { signal: abort.signal }).safe();
    const small = client.note('small');
    await settle();
    abort.abort();
    expect((await large).error?.code).toBe('ABORTED');
    await settle();
    expect(socket.parts.at(-1)).toBe('+1,0,');
    expect(socket.all('cancel')).toEqual([]);
    expect(heard(socket)).toEqual(['note small']);
    const eight = Array.from({ length: 7 }, (_, n) => client.ask(String(n)));
    await settle();
    expect(heard(socket)).toHaveLength(8);
    await socket.say(...socket.all('call').map(([, id]) => ['reply', id]));
    await Promise.all([small, ...eight]);
  });
});

test('what waits to go in parts counts as backlog, and no more of it is written than the watermark lets through', async () => {
  const { client, socket } = await started({ flow: { highWaterMark: 20_000, lowWaterMark: 5_000 } });
  const told: string[] = [];
  world.connection.on('happening', ({ what }) => {
    if (what === 'congested' || what === 'drained') told.push(what);
  });
  const large = client.note(LARGE);
  await settle();
  expect(socket.parts).toHaveLength(2);
  expect(world.connection.stats().backlogBytes).toBeGreaterThan(99_000);
  await pong(socket);
  expect(socket.parts).toHaveLength(4);
  expect(world.connection.stats()).toMatchObject({ queued: { bytes: 0 } });
  await pongAll(socket);
  await socket.say(['reply', 1]);
  await large;
  expect(told).toEqual(['congested', 'drained']);
});

describe('when its socket is lost in its midst', () => {
  test('a large call begins anew on the next, and those that wait keep their order', async () => {
    const { client, socket } = await started();
    const calls = [client.note(LARGE), client.note('second'), client.ask('query'), client.note('third')];
    await settle();
    await pong(socket);
    await socket.cut();
    const second = await next();
    await settle();
    expect(heard(second)).toEqual(['ask query']);
    await pongAll(second);
    expect(heard(second)).toEqual(['ask query', 'note xxxxx', 'note secon', 'note third']);
    await second.say(...second.all('call').map(([, id]) => ['reply', id]));
    await Promise.all(calls);
  });

  /** Loses so many sockets, each after so many answered pings. */
  async function lose(first: ScriptedSocket, ...answered: number[]): Promise<ScriptedSocket> {
    let socket = first;
    for (const count of answered) {
      // Alone it goes when what is before it is known to be taken in.
      if (socket !== first && socket.parts.length === 0) await pong(socket);
      for (let n = 0; n < count; n++) await pong(socket);
      await socket.cut();
      socket = await next();
    }
    return socket;
  }

  test('it is not given up for that, however often, where it came further or less far', async () => {
    const { client, socket } = await started();
    const done = client.note(LARGE);
    await settle();
    const last = await lose(socket, 1, 2, 0, 1, 2, 1, 2, 0, 1);
    await pongAll(last);
    expect(heard(last)).toEqual(['note xxxxx']);
    await last.say(['reply', 1]);
    await done;
  });

  test.each([
    ['at its first part', [0, 0, 0, 0, 0, 0]],
    ['at the same part in the middle', [1, 1, 1, 1, 1, 1]],
    ['when all of it was written', [2, 4, 4]],
  ])('it is given up when that was %s, again and again: others go on', async (_, answered) => {
    const { client, socket } = await started();
    const large = client.note(LARGE).safe();
    const small = client.note('small');
    await settle();
    const last = await lose(socket, ...answered);
    expect((await large).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'unknown' });
    expect(heard(last)).toEqual(['note small']);
    await last.say(['reply', last.all('call')[0]![1]]);
    await small;
  });

  test('the next has no more on its way at a time, however fast its line', async () => {
    const { client, socket } = await started();
    const large = client.note('x'.repeat(400_000));
    await settle();
    await pong(socket);
    await pong(socket);
    expect(socket.parts.length).toBeGreaterThan(6);
    await socket.cut();
    const second = await next();
    for (const parts of [3, 6, 9, 12]) {
      expect(second.parts).toHaveLength(parts);
      await pong(second);
    }
    await pongAll(second);
    await second.say(['reply', 1]);
    await large;
  });
});

describe('what was not wholly written has not been sent, and goes to another memory', () => {
  test('after a loss', async () => {
    const { client, socket } = await started();
    const large = client.note(LARGE);
    const small = client.note('small');
    await settle();
    await socket.cut();
    const second = await world.server.next();
    await second.welcome({ memory: 'M2', limits: PARTS });
    await pongAll(second);
    expect(heard(second)).toEqual(['note xxxxx', 'note small']);
    await second.say(...second.all('call').map(([, id]) => ['reply', id]));
    await Promise.all([large, small]);
  });

  test('on a planned move: on the socket that is left it is given up', async () => {
    const { client, socket } = await started();
    const large = client.note(LARGE);
    const small = client.note('small');
    await settle();
    world.connection.reconnect({ seamless: true });
    const second = await world.server.socket();
    await second.welcome({ memory: 'M2', limits: PARTS });
    await pongAll(second);
    expect([socket.parts.at(-1), heard(socket)]).toEqual(['+1,0,', []]);
    expect(heard(second)).toEqual(['note xxxxx', 'note small']);
    await second.say(...second.all('call').map(([, id]) => ['reply', id]));
    await Promise.all([large, small]);
  });

  test('but a lossy publish, of which nobody knows more, is given up there, or it would come behind newer ones', async () => {
    const { client, socket } = await started();
    expect(await client.news().publish(LARGE, { delivery: 'lossy' })).toBe('sent');
    await settle();
    const before = socket.parts.length;
    expect(before).toBeGreaterThan(0);
    world.connection.reconnect({ seamless: true });
    const second = await world.server.socket();
    await second.welcome({ memory: 'M2', limits: PARTS });
    await pongAll(second);
    expect(socket.parts.slice(before)).toEqual(['+1,0,']);
    expect(heard(second)).toEqual([]);
  });

  test('but all of whose parts were written may have been: nobody knows', async () => {
    const { client, socket } = await started();
    const large = client.note('x'.repeat(20_000)).safe();
    await settle();
    await socket.cut();
    const second = await world.server.next();
    await second.welcome({ memory: 'M2', limits: PARTS });
    expect((await large).error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
  });
});
