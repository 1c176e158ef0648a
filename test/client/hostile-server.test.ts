import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect, createClient, type Connection } from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';

let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const id = fc.integer({ min: -1, max: 12 });
const name = fc.constantFrom('news/a', 'news/b', 'counts', 'board', '', '__proto__', 'constructor');
const position = fc.oneof(fc.tuple(fc.constantFrom('E', 'F', '__proto__'), id), fc.anything());
const payload = fc.oneof(fc.jsonValue(), fc.constant({ key: 'a', count: 1 }), fc.constant({ text: 'x' }));
const error = fc.oneof(
  fc.record({ code: fc.constantFrom('INTERNAL', 'LIMIT', 'toString', '__proto__'), message: fc.string() }),
  fc.jsonValue(),
);

/** Messages that are nearly right, which reach further than noise. */
const message = fc.oneof(
  fc.tuple(fc.constant('reply'), id, payload),
  fc.tuple(fc.constant('error'), id, error, payload),
  fc.tuple(fc.constant('subscribed'), id, name, position, fc.constantFrom('live', 'resumed', 'gap', 'what')),
  fc.tuple(fc.constant('snapshot'), name, position, payload),
  fc.tuple(fc.constant('event'), name, id, payload),
  fc.tuple(fc.constant('unsubscribed'), id, name, error),
  fc.tuple(fc.constant('ping'), id),
  fc.tuple(fc.constant('pong'), id),
  fc.tuple(fc.constant('goaway'), payload),
  fc.tuple(fc.constant('welcome'), payload),
  fc.tuple(fc.constant('item'), id, id, payload),
  fc.array(fc.jsonValue(), { maxLength: 4 }),
);
const frame = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(message, { minLength: 1, maxLength: 6 }).map((messages) => JSON.stringify(messages)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(5), fc.constantFrom(0, 0, 0, 128, 300, 1e14), fc.array(message), fc.constantFrom(0, 128, 428))
      .map(([s, left, messages, units]) => {
        const text = units === 0 ? JSON.stringify(messages) : ' '.repeat(units);
        return `+${String(s)},${String(left)},${text}`;
      }),
  },
  fc.string(),
  fc.json(),
  fc.constant('['.repeat(100_000)),
);

test('whatever a server says, the client stays up, holds nothing of it, and works with the next', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 12 }), fc.boolean(), async (frames, early) => {
      const server = new ScriptedServer();
      connection = connect('ws://test/', { WebSocket: server.WebSocket, timeoutMs: 3_600_000 });
      connection.on('error', () => undefined);
      const client = createClient(plain, connection);
      const news = client.news({ channel: 'a' }).subscribe(() => undefined);
      client.counts().subscribe({});
      const calls = [client.get({ id: 1 }).safe(), client.set({ to: 2 }).safe(), client.add({ by: 1 }).safe()];
      for (const hostile of frames) {
        const socket = await server.socket();
        if (!early && socket.frames.length > 0) await socket.welcome();
        await socket.raw(hostile);
        expect(connection.stats()).toMatchObject({
          queued: { messages: expect.toSatisfy((count: number) => count <= 10) },
        });
        expect(connection.stats().subscriptions).toBeLessThanOrEqual(2);
        expect(connection.stats().inFlight).toBeLessThanOrEqual(3);
      }
      connection.reconnect();
      const socket = await server.socket();
      await socket.welcome({ memory: 'fresh' });
      const answer = client.set({ to: 3 });
      await settle();
      await socket.say(['reply', socket.all('call').at(-1)![1], 3]);
      expect(await answer).toBe(3);
      await connection.close();
      await Promise.all(calls);
      expect(news.state).toBe('ended');
    }),
    { numRuns: 300 },
  );
});

test('a server that pings and does not read gets no more answers than fit into the buffer', async () => {
  const server = new ScriptedServer();
  let unread = 0;
  class Unread extends server.WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      Object.defineProperty(this, 'bufferedAmount', { get: () => unread });
    }
  }
  connection = connect('ws://test/', { WebSocket: Unread });
  const socket = await server.socket();
  await socket.welcome();
  await socket.say(['ping', 1]);
  expect(socket.all('pong')).toHaveLength(1);
  unread = 5 * 1024 * 1024;
  const frames = socket.frames.length;
  for (let n = 2; n < 50; n++) await socket.say(['ping', n]);
  expect(socket.frames.length).toBe(frames);
});

test('a frame that is no tautline.v1 is reported and answered with a new connection, not a spin', async () => {
  const server = new ScriptedServer();
  connection = connect('ws://test/', { WebSocket: server.WebSocket, random: () => 0 });
  const errors: unknown[] = [];
  connection.on('error', (error) => errors.push(error));
  for (let round = 0; round < 60; round++) {
    const socket = server.sockets.at(-1);
    if (socket !== undefined && socket.frames.length > 0) await socket.raw('garbage');
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(errors.length).toBeGreaterThan(0);
  expect(server.sockets.length).toBeGreaterThan(1);
  expect(server.sockets.length).toBeLessThanOrEqual(10);
});
