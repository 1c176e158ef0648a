import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, createClient, type ConnectOptions, type Connection } from '../../src/index.ts';
import type { WebSocketConstructor } from '../../src/transport/web-socket-like.ts';
import { plain } from '../helpers/chat-contract.ts';
import { ScriptedServer, settle, type ScriptedSocket } from '../helpers/scripted-server.ts';
import { saying } from '../helpers/saying.ts';

const FLOW = { highWaterMark: 10_000, lowWaterMark: 2_000 };

let server: ScriptedServer;
let connection: Connection;
/** What the engine says of its buffer. */
let buffered: number | undefined;

/** The server's sockets, in an engine whose figure the test sets. */
function engine(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return class extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      Object.defineProperty(this, 'bufferedAmount', { get: () => buffered });
    }
  };
}

function start(options: ConnectOptions = {}) {
  connection = connect('ws://test/', {
    WebSocket: engine(server.WebSocket),
    random: () => 0,
    flow: FLOW,
    heartbeat: false,
    timeoutMs: 1_000_000,
    ...options,
  });
  connection.on('error', () => undefined);
  return createClient(plain, connection);
}

async function welcomed(): Promise<ScriptedSocket> {
  const socket = await server.socket();
  await socket.welcome({ limits: { calls: 1_000 } });
  await pongAll(socket);
  return socket;
}

/** Answers the last ping, and so all before it. */
async function pongAll(socket: ScriptedSocket): Promise<void> {
  const ping = socket.all('ping').at(-1);
  await socket.say(['pong', ping![1]]);
}

const bytesOf = (frames: readonly string[]) => frames.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);
const bulk = (socket: ScriptedSocket) => socket.frames.filter((frame) => /^\[\["(call|publish)"/.test(frame));
const text = (length: number) => ({ text: 'x'.repeat(length) });

beforeEach(() => {
  vi.useFakeTimers();
  server = new ScriptedServer();
  buffered = 0;
});

afterEach(async () => {
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('What is written and not known to have arrived', () => {
  test.each([0, undefined, 1e9])('stays under the high watermark where bufferedAmount says %s', async (says) => {
    const client = start();
    const socket = await welcomed();
    buffered = says;
    for (let n = 0; n < 100; n++) void client.note(text(900)).safe();
    await settle();
    let seen = 0;
    while (socket.all('call').length < 100) {
      const written = bytesOf(bulk(socket));
      expect(written - seen).toBeLessThanOrEqual(10_000);
      expect(written).toBeGreaterThan(seen);
      expect(connection.stats().backlogBytes - connection.stats().queued.bytes).toBeLessThanOrEqual(10_000);
      seen = written;
      await pongAll(socket);
    }
    expect(socket.all('call').map(([, id]) => id)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  test('stays under it also where most of it is not payload', async () => {
    const client = start();
    const socket = await welcomed();
    for (let to = 0; to < 400; to++) void client.set({ to }).safe();
    await settle();
    expect(bytesOf(bulk(socket))).toBeGreaterThan(9_000);
    expect(bytesOf(bulk(socket))).toBeLessThanOrEqual(10_000);
  });

  test('is asked for with pings among the bulk, and with none when little is sent', async () => {
    const client = start({ flow: { highWaterMark: 20_000, lowWaterMark: 4_000 } });
    const socket = await welcomed();
    const before = socket.all('ping').length;
    for (let n = 0; n < 5; n++) void client.note(text(100)).safe();
    await settle();
    expect(socket.all('ping')).toHaveLength(before);
    for (let n = 0; n < 18; n++) void client.note(text(1_000)).safe();
    await settle();
    expect(socket.all('ping').length).toBeGreaterThan(before + 2);
    const names = socket.received.map(([name]) => name);
    expect(names.lastIndexOf('call')).toBeGreaterThan(names.indexOf('ping', names.indexOf('call')));
  });

  test('does not hold up a cancel, a pong or a probe: only bulk waits', async () => {
    const client = start({ heartbeat: { intervalMs: 100_000, timeoutMs: 100_000, probeMs: 1_000 } });
    const socket = await welcomed();
    const first = new AbortController();
    const aborted = client.note(text(900), { signal: first.signal }).safe();
    for (let n = 0; n < 5_000; n++) void client.note(text(1_000)).safe();
    await settle();
    expect(connection.stats().queued.bytes).toBeGreaterThan(4_900_000);
    const calls = socket.all('call').length;
    first.abort();
    await aborted;
    await socket.say(['ping', 77]);
    const pings = socket.all('ping').length;
    connection.wake();
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
    expect(socket.all('pong')).toEqual([['pong', 77]]);
    expect(socket.all('ping')).toHaveLength(pings + 1);
    expect(socket.all('call')).toHaveLength(calls);
    expect(Math.max(...socket.frames.map((frame) => frame.length))).toBeLessThan(64 * 1024);
  });

  test('begins anew on another socket', async () => {
    const client = start();
    const socket = await welcomed();
    for (let n = 0; n < 30; n++) void client.set({ to: n }).safe();
    for (let n = 0; n < 10; n++) void client.note(text(2_000)).safe();
    await settle();
    expect(socket.all('call').length).toBeLessThan(40);
    await socket.cut();
    const next = await server.next();
    await next.welcome({ limits: { calls: 1_000 } });
    expect(next.all('call').length).toBeGreaterThan(30);
    for (let answers = 0; answers < 3; answers++) await pongAll(next);
    expect(next.all('call')).toHaveLength(40);
  });
});

describe('A buffer that the engine says is full', () => {
  test('is looked at by one timer until it is under the low mark; the timer goes with the socket', async () => {
    const client = start();
    const socket = await welcomed();
    const idle = vi.getTimerCount();
    void client.note(text(500)).safe();
    await settle();
    buffered = 50_000;
    for (let n = 0; n < 3; n++) {
      void client.note(text(500)).safe();
      await settle();
    }
    expect(socket.all('call')).toHaveLength(1);
    // One deadline timer for all calls, and one to look.
    expect(vi.getTimerCount()).toBe(idle + 2);
    await vi.advanceTimersByTimeAsync(600);
    buffered = 2_500;
    await vi.advanceTimersByTimeAsync(600);
    expect(socket.all('call')).toHaveLength(1);
    buffered = 1_000;
    await vi.advanceTimersByTimeAsync(500);
    expect(socket.all('call')).toHaveLength(4);
    expect(vi.getTimerCount()).toBe(idle + 1);
    await pongAll(socket);
    void client.note(text(500)).safe();
    await settle();
    buffered = 50_000;
    void client.note(text(500)).safe();
    await settle();
    expect(socket.all('call')).toHaveLength(5);
    expect(vi.getTimerCount()).toBe(idle + 2);
    connection.suspend();
    expect(vi.getTimerCount()).toBe(idle + 1);
  });
});

describe('A producer', () => {
  test('is told congested and drained once an episode, and drained() resolves in between', async () => {
    const client = start();
    const socket = await welcomed();
    const told: string[] = [];
    connection.on('congested', () => told.push('congested'));
    connection.on('drained', () => told.push('drained'));
    await connection.drained();
    for (let n = 0; n < 20; n++) void client.note(text(900)).safe();
    let drained = false;
    void connection.drained().then(() => (drained = true));
    await settle();
    expect(told).toEqual(['congested']);
    await pongAll(socket);
    expect(drained).toBe(false);
    await pongAll(socket);
    await pongAll(socket);
    expect(drained).toBe(true);
    expect(told).toEqual(['congested', 'drained']);
    expect(connection.stats().backlogBytes).toBeLessThan(2_000);
  });

  test('that waits for drained() is let go when the connection closes, and when it breaks what was written counts no more', async () => {
    const client = start();
    const socket = await welcomed();
    for (let n = 0; n < 5; n++) void client.note(text(900)).safe();
    await settle();
    const waiting = connection.drained();
    await socket.cut();
    await waiting;
    expect(connection.stats().backlogBytes).toBe(0);
    for (let n = 0; n < 5; n++) void client.note(text(900)).safe();
    const closing = connection.drained();
    await connection.close();
    await closing;
    await connection.drained();
  });

  test('that floods from inside the listeners of congested and drained keeps the order of what it sends', async () => {
    const client = start();
    const socket = await welcomed();
    let to = 0;
    const more = () => {
      for (let n = 0; n < 3; n++) void client.set({ to: to++ }).safe();
    };
    connection.on('congested', more);
    connection.on('drained', more);
    for (let n = 0; n < 20; n++) void client.note(text(900)).safe();
    for (let n = 0; n < 6; n++) {
      await settle();
      await pongAll(socket);
    }
    const sets = socket.all('call').filter(([, , path]) => path === 'set');
    expect(sets.map(([, , , , input]) => input)).toEqual([0, 1, 2, 3, 4, 5].map((n) => ({ to: n })));
    expect(socket.all('call').map(([, id]) => id)).toEqual(Array.from({ length: 26 }, (_, index) => index + 1));
  });

  test('that sends more while a frame is being gathered does not overtake what is in it', async () => {
    const client = start();
    const socket = await server.socket();
    const news = client.news({ channel: 'a' });
    const stop = connection.on('happening', ({ what }) => {
      if (what !== 'failed') return;
      stop();
      void news.publish({ text: 'lossy' }, { delivery: 'lossy' });
      void news.publish({ text: 'reliable' }).safe();
    });
    void client.set({ to: 1 }).safe();
    void client.note(text(990)).safe();
    void client.set({ to: 2 }).safe();
    // The payload fits, its message does not: told in the middle of the flush.
    await socket.welcome({ limits: { frameBytes: 1_020 } });
    const sent = socket.received.filter(([name]) => name === 'call' || name === 'publish');
    expect(sent.map(([name, id]) => [name, id])).toEqual([
      ['call', 1],
      ['call', 3],
      ['publish', 4],
    ]);
  });

  test('that overruns the queue is told the bound, how much it holds and how much it allows', async () => {
    const client = start({ queue: { maxMessages: 2, maxBytes: 1_000 } });
    void client.note(text(600)).safe();
    expect((await client.note(text(600)).safe()).error?.message).toEqual(
      saying(
        'QUEUE_FULL: note: the queue holds 611 bytes already, and queue.maxBytes allows 1000. Wait for earlier calls before making more, or raise the bound.',
      ),
    );
    void client.add({ by: 1 }).safe();
    expect((await client.add({ by: 1 }).safe()).error?.message).toEqual(
      saying('the queue holds 2 messages, and queue.maxMessages allows 2'),
    );
  });
});

test.each([
  [{ highWaterMark: 0 }, 'flow.highWaterMark must be a number above 0, not 0'],
  [{ lowWaterMark: -1 }, 'flow.lowWaterMark must be a number above 0, not -1'],
  [{ highWaterMark: 100, lowWaterMark: 100 }, 'flow.lowWaterMark must be below flow.highWaterMark (100), not 100'],
])('The watermarks %o are refused', (flow, message) => {
  expect(() => connect('ws://test/', { WebSocket: server.WebSocket, flow })).toThrow(
    expect.objectContaining({ name: 'RangeError', message: saying(message) }),
  );
  start();
});
