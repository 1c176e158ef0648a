import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  connect,
  createClient,
  defineContract,
  mutation,
  topic,
  type ConnectOptions,
  type Connection,
} from '../../src/index.ts';
import { ScriptedServer, settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

const contract = defineContract({
  note: mutation({ input: z.object({ text: z.string() }) }),
  room: topic('rooms/{id}', { event: z.object({ at: z.number(), ballast: z.string().optional() }) }),
  slow: topic('slow', { event: z.object({ at: z.number() }).refine(async () => Promise.resolve(true)) }),
});

let server: ScriptedServer;
let connection: Connection;

function start(options: ConnectOptions = {}) {
  connection = connect('ws://test/', {
    WebSocket: server.WebSocket,
    random: () => 0,
    heartbeat: false,
    flow: { highWaterMark: 1_000, lowWaterMark: 200 },
    ...options,
  });
  connection.on('error', () => undefined);
  return createClient(contract, connection);
}

async function welcomed(limits: object = {}): Promise<ScriptedSocket> {
  const socket = await server.socket();
  await socket.welcome({ limits: { calls: 100, ...limits } });
  return socket;
}

/** Publications as `[id, topic, at]`, in the order of the wire. */
const published = (socket: ScriptedSocket) =>
  socket.all('publish').map(([, id, name, event]) => [id, name, (event as { at: number }).at]);

/** Fills the window, so that whatever comes waits. */
function congest(client: ReturnType<typeof start>): void {
  void client.note({ text: 'x'.repeat(900) }).safe();
  void client.note({ text: 'x'.repeat(900) }).safe();
}

async function pongAll(socket: ScriptedSocket): Promise<void> {
  for (let round = 0; round < 5; round++) await socket.say(['pong', socket.all('ping').at(-1)![1]]);
}

const lossy = { delivery: 'lossy' } as const;

beforeEach(() => {
  vi.useFakeTimers();
  server = new ScriptedServer();
});

afterEach(async () => {
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('A lossy publish', () => {
  test('goes with id 0, waits for no answer, takes no slot, and says when it was sent', async () => {
    const client = start();
    const socket = await welcomed();
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    expect(await client.room({ id: 'a' }).publish({ at: 1 }, { ...lossy, signal })).toBe('sent');
    expect(removed).toHaveBeenCalledTimes(1);
    await settle();
    expect(published(socket)).toEqual([[0, 'rooms/a', 1]]);
    expect(connection.stats()).toMatchObject({ inFlight: 0, queued: { messages: 0 } });
  });

  test('gives way to a newer one with its key while it waits; those of other keys and topics stay', async () => {
    const client = start();
    const socket = await welcomed();
    congest(client);
    const [a, b] = [client.room({ id: 'a' }), client.room({ id: 'b' })];
    const cursor = { ...lossy, conflate: 'cursor' };
    const first = a.publish({ at: 1 }, cursor);
    const others = [b.publish({ at: 10 }, cursor), a.publish({ at: 20 }, { ...lossy, conflate: 'scroll' })];
    const later = [a.publish({ at: 2 }, cursor), a.publish({ at: 3 }, cursor)];
    await settle();
    expect(await first).toBe('conflated');
    expect(await later[0]).toBe('conflated');
    await pongAll(socket);
    expect(await Promise.all([later[1], ...others])).toEqual(['sent', 'sent', 'sent']);
    // Behind `scroll`, which is older: none comes later than a newer publish of its topic.
    expect(published(socket)).toEqual([
      [0, 'rooms/b', 10],
      [0, 'rooms/a', 20],
      [0, 'rooms/a', 3],
    ]);
  });

  test('keeps the place of the one it replaces, so that a quick one is not put off for ever by others', async () => {
    const client = start();
    const socket = await welcomed();
    congest(client);
    const cursor = { ...lossy, conflate: 'cursor' };
    void client.room({ id: 'a' }).publish({ at: 1 }, cursor);
    void client.room({ id: 'b' }).publish({ at: 10 }, cursor);
    void client.room({ id: 'a' }).publish({ at: 2 }, cursor);
    await pongAll(socket);
    expect(published(socket)).toEqual([
      [0, 'rooms/a', 2],
      [0, 'rooms/b', 10],
    ]);
  });

  test('is dropped by a newer reliable one of its topic while it waits, and is never written after it', async () => {
    const client = start();
    const socket = await welcomed();
    congest(client);
    const [a, b] = [client.room({ id: 'a' }), client.room({ id: 'b' })];
    const dropped = [a.publish({ at: 1 }, lossy), a.publish({ at: 2 }, { ...lossy, conflate: 'k' })];
    const stays = b.publish({ at: 3 }, lossy);
    void a.publish({ at: 4 }).safe();
    expect(await Promise.all(dropped)).toEqual(['superseded', 'superseded']);
    const newer = a.publish({ at: 5 }, lossy);
    await pongAll(socket);
    expect(await Promise.all([stays, newer])).toEqual(['sent', 'sent']);
    expect(published(socket)).toEqual([
      [3, 'rooms/a', 4],
      [0, 'rooms/b', 3],
      [0, 'rooms/a', 5],
    ]);
  });

  test('goes in front of a newer reliable one where nothing holds it up', async () => {
    const client = start();
    const socket = await welcomed();
    const first = client.room({ id: 'a' }).publish({ at: 1 }, lossy);
    void client.room({ id: 'a' }).publish({ at: 2 }).safe();
    expect(await first).toBe('sent');
    await settle();
    expect(published(socket)).toEqual([
      [0, 'rooms/a', 1],
      [1, 'rooms/a', 2],
    ]);
  });

  test('keeps its order behind a check that is asynchronous', async () => {
    const client = start();
    const socket = await welcomed();
    void client.slow().publish({ at: 1 }, lossy);
    void client.room({ id: 'a' }).publish({ at: 2 }, lossy);
    void client.slow().publish({ at: 3 }, lossy);
    await settle();
    expect(published(socket).map(([, , at]) => at)).toEqual([1, 2, 3]);
  });

  test('is evicted first when the queue is full, the oldest first, and counted', async () => {
    const client = start({ queue: { maxMessages: 3 } });
    const socket = await welcomed();
    congest(client); // one goes, one waits
    const room = client.room({ id: 'a' });
    const first = [room.publish({ at: 1 }, lossy), room.publish({ at: 2 }, lossy)];
    const third = room.publish({ at: 3 }, lossy);
    expect(await first[0]).toBe('evicted');
    for (let n = 0; n < 2; n++) void client.note({ text: 'n' }).safe();
    expect(await Promise.all([first[1], third])).toEqual(['evicted', 'evicted']);
    // No room is left that a lossy one could make.
    expect(await room.publish({ at: 4 }, lossy)).toBe('evicted');
    expect(connection.stats()).toMatchObject({ evicted: 4, queued: { messages: 3 } });
    await pongAll(socket);
    expect(socket.all('call')).toHaveLength(4);
  });

  test('of a larger size than the one with its key makes its room at the expense of the oldest', async () => {
    const client = start({ queue: { maxBytes: 1_100 } });
    await welcomed();
    for (let n = 0; n < 2; n++) {
      void client.note({ text: 'x'.repeat(900) }).safe();
      await settle();
    }
    const [a, b] = [client.room({ id: 'a' }), client.room({ id: 'b' })];
    const cursor = { ...lossy, conflate: 'cursor' };
    const other = b.publish({ at: 1 }, lossy);
    const first = a.publish({ at: 1 }, cursor);
    void a.publish({ at: 2, ballast: 'x'.repeat(140) }, cursor);
    expect(await Promise.all([first, other])).toEqual(['conflated', 'evicted']);
    expect(connection.stats()).toMatchObject({ evicted: 1, queued: { messages: 2 } });
  });
});

describe('A lossy publish that is not sent', () => {
  test('waits for a connection until its time is over', async () => {
    const client = start();
    const socket = await welcomed();
    await socket.cut();
    const room = client.room({ id: 'a' });
    const short = room.publish({ at: 1 }, { ...lossy, timeoutMs: 10 });
    const long = room.publish({ at: 2 }, { ...lossy, timeoutMs: 1_000_000 });
    await vi.advanceTimersByTimeAsync(10);
    expect(await short).toBe('expired');
    const next = await server.next();
    await next.welcome();
    expect(await long).toBe('sent');
    expect(published(next)).toEqual([[0, 'rooms/a', 2]]);
  });

  test('is aborted by its signal', async () => {
    const client = start();
    const abort = new AbortController();
    const aborted = client
      .room({ id: 'a' })
      .publish({ at: 1 }, { ...lossy, signal: abort.signal })
      .safe();
    abort.abort('why');
    expect((await aborted).error).toMatchObject({ code: 'ABORTED', outcome: 'not-sent', cause: 'why' });
    const socket = await welcomed();
    expect(published(socket)).toEqual([]);
  });

  test('says closed when the connection ends before, and after', async () => {
    const client = start();
    const room = client.room({ id: 'a' });
    const waiting = room.publish({ at: 1 }, lossy);
    await connection.close();
    expect(await waiting).toBe('closed');
    expect(await room.publish({ at: 2 }, lossy)).toBe('closed');
  });

  test('says offline where calls do not wait for a connection', async () => {
    const client = start({ whileOffline: 'fail' });
    expect(await client.room({ id: 'a' }).publish({ at: 1 }, lossy)).toBe('offline');
  });

  test('is refused as any publish where the value is wrong or too large', async () => {
    const client = start();
    await welcomed({ frameBytes: 500 });
    const room = client.room({ id: 'a' });
    const wrong = await room.publish({ at: 'x' as never }, lossy).safe();
    expect(wrong.error).toMatchObject({ code: 'BAD_INPUT', outcome: 'not-sent' });
    expect((await room.publish({ at: 1, ballast: 'x'.repeat(500) }, lossy).safe()).error).toMatchObject({
      code: 'TOO_LARGE',
    });
    // The payload alone would fit.
    const almost = room.publish({ at: 1, ballast: 'x'.repeat(460) }, lossy).safe();
    expect((await almost).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'not-sent' });
  });
});
