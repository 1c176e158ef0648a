import { EventEmitter, on, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parse, type ExecutionArgs } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { afterEach, describe, expect, test, vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { ReconnectingWebSocket } from '../../src/websocket.ts';
import { faultProxy } from '../../src/testing/faults.ts';
import { serveDocument } from '../helpers/yjs-server.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

test('the class and its presets keep their name, and are the constructor of what they make', () => {
  for (const preset of [ReconnectingWebSocket, ReconnectingWebSocket.with({ queue: false })]) {
    expect([preset.name, preset.prototype.constructor, preset.length]).toEqual(['ReconnectingWebSocket', preset, 1]);
  }
});

test('without a queue, what is sent while it connects is refused as the standard has it', () => {
  const socket = new (ReconnectingWebSocket.with({ queue: false, WebSocket }))('ws://127.0.0.1:1/');
  expect(() => socket.send('early')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
  socket.close();
});

/** A server behind a line that can be cut. */
async function lineTo(server: WebSocketServer) {
  if (server.address() === null) await once(server, 'listening');
  const proxy = await faultProxy({ to: (server.address() as AddressInfo).port });
  return {
    proxy,
    url: `ws://127.0.0.1:${proxy.port}`,
    /** Nothing gets through until it is taken back; tells when the server has seen the end of all sockets. */
    async breakDown() {
      const gone = [...server.clients].map((client) => once(client, 'close'));
      proxy.refuse();
      proxy.kill();
      await Promise.all(gone);
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      for (const client of server.clients) client.terminate();
      await new Promise((closed) => server.close(closed));
    },
  };
}

type SubscribeFunction = NonNullable<Parameters<typeof useServer>[0]['subscribe']>;

/** The shortest delays that the policy can draw. */
const soon = { random: () => 0 };
const localServer = () => new WebSocketServer({ port: 0, host: '127.0.0.1' });

describe('y-websocket, a library that makes a new socket after each close', () => {
  test.each([
    ['as it is', ReconnectingWebSocket.with(soon)],
    ['with reopen: false', ReconnectingWebSocket.with({ ...soon, reopen: false })],
  ])('syncs documents over a cut with the class %s, on one socket at a time', async (_title, Polyfill) => {
    const server = localServer();
    const atServer = serveDocument(server);
    await using line = await lineTo(server);
    const here = new Y.Doc();
    const provider = new WebsocketProvider(line.url, 'room', here, { WebSocketPolyfill: Polyfill, disableBc: true });
    here.getMap('notes').set('first', 1);
    await vi.waitFor(() => expect(atServer.getMap('notes').get('first')).toBe(1));

    await line.breakDown();
    here.getMap('notes').set('written here', 2);
    atServer.getMap('notes').set('written there', 3);
    await vi.waitFor(() => expect(line.proxy.joined).toBeGreaterThan(2), 10_000);
    line.proxy.accept();

    const all = { first: 1, 'written here': 2, 'written there': 3 };
    await vi.waitFor(
      () => expect([here.getMap('notes').toJSON(), atServer.getMap('notes').toJSON()]).toEqual([all, all]),
      10_000,
    );
    expect(server.clients.size).toBe(1);
    const [client] = server.clients;
    provider.destroy();
    await once(client!, 'close');
    expect(server.clients.size).toBe(0);
  });
});

describe('graphql-ws, a library that makes a new socket after each close and leaves the old one alone', () => {
  /** Numbers for every subscriber that there is. */
  function counter() {
    const numbers = new EventEmitter();
    const events = async () => {
      const source = on(numbers, 'number');
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        async next() {
          const { done, value } = (await source.next()) as IteratorResult<[number], undefined>;
          return done === true ? { done, value } : { done: false, value: { data: { count: value[0] } } };
        },
        return: async () => source.return!(),
      };
    };
    return {
      events: events as SubscribeFunction,
      subscribers: () => numbers.listenerCount('number'),
      tell: (n: number) => numbers.emit('number', n),
    };
  }

  test('subscribes again after a cut and waits for a server that is away, on one socket', async () => {
    const server = localServer();
    const { events, subscribers, tell } = counter();
    // No schema: what is looked at is the protocol, and graphql would have to be the same copy here and there.
    const onSubscribe = (_context: unknown, _id: string, { query }: { readonly query: string }) => {
      return { document: parse(query) } as ExecutionArgs;
    };
    const served = useServer({ onSubscribe, subscribe: events }, server);
    await using line = await lineTo(server);
    // The library gives up on an attempt that fails: here one attempt lasts until it succeeds.
    const connecting = vi.fn();
    const client = createClient({
      url: line.url,
      webSocketImpl: ReconnectingWebSocket.with({ ...soon, reopen: false }),
      shouldRetry: () => true,
      retryAttempts: 1,
      retryWait: async () => {},
      on: { connecting },
    });
    const received: unknown[] = [];
    const failed = vi.fn();
    const unsubscribe = client.subscribe(
      { query: 'subscription { count }' },
      { next: ({ data }) => received.push(data?.count), error: failed, complete: () => received.push('complete') },
    );
    await vi.waitFor(() => expect(subscribers()).toBe(1));
    tell(1);
    await vi.waitFor(() => expect(received).toEqual([1]));

    const before = line.proxy.joined;
    await line.breakDown();
    await vi.waitFor(() => expect(line.proxy.joined).toBeGreaterThan(before + 1), 10_000);
    line.proxy.accept();

    await vi.waitFor(() => expect([subscribers(), server.clients.size]).toEqual([1, 1]), 10_000);
    tell(2);
    await vi.waitFor(() => expect(received).toEqual([1, 2]));
    expect(connecting).toHaveBeenCalledTimes(2);
    expect(failed).not.toHaveBeenCalled();

    unsubscribe();
    await vi.waitFor(() => expect(server.clients.size).toBe(0));
    expect(received).toEqual([1, 2, 'complete']);
    await client.dispose();
    await served.dispose();
  });
});

describe('the class in place of the global one', () => {
  test('uses the native class inside, and comes back after a cut', async () => {
    const server = localServer();
    server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
    await using line = await lineTo(server);
    vi.stubGlobal('WebSocket', ReconnectingWebSocket.with(soon));
    const socket = new globalThis.WebSocket(line.url);
    const received: unknown[] = [];
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => received.push(data);
    socket.send('queued');
    await vi.waitFor(() => expect(received).toEqual(['queued']));

    await line.breakDown();
    await vi.waitFor(() => expect(socket.readyState).toBe(WebSocket.CONNECTING));
    // A Blob is read asynchronously by the engine: what follows must not overtake it.
    for (const data of [new Blob(['blob']), 'text', new Uint8Array([1, 2])]) socket.send(data);
    line.proxy.accept();

    await vi.waitFor(() => expect(received).toHaveLength(4), 10_000);
    const texts = received.slice(1).map((data) => (typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer)));
    expect(texts).toEqual([Buffer.from('blob'), 'text', Buffer.from([1, 2])]);
    const closed = once(socket, 'close');
    socket.close(1000, 'done');
    expect(await closed).toMatchObject([{ code: 1000, reason: 'done', wasClean: true }]);
  });
});

describe('the class over `ws`', () => {
  test('behaves as over the native one', async () => {
    const server = localServer();
    server.on('connection', (socket) => socket.send(Buffer.from('bytes'), { binary: true }));
    await using line = await lineTo(server);
    const socket = new ReconnectingWebSocket(line.url, [], { ...soon, WebSocket });
    const told: unknown[] = [];
    for (const type of ['open', 'error', 'close'] as const) socket.addEventListener(type, () => told.push(type));
    socket.onmessage = async ({ data }) => told.push(await (data as Blob).text());
    await vi.waitFor(() => expect(told).toEqual(['open', 'bytes']));

    await line.breakDown();
    line.proxy.accept();
    await vi.waitFor(() => expect(told.filter((what) => what === 'bytes')).toHaveLength(2), 10_000);
    const closed = once(socket, 'close');
    socket.close(4000, 'done');
    expect(await closed).toMatchObject([{ code: 4000, reason: 'done', wasClean: true }]);
  });

  test('can be closed while it connects, and no error of it goes unheard', async () => {
    const server = localServer();
    await using line = await lineTo(server);
    const socket = new ReconnectingWebSocket(line.url, [], { WebSocket });
    const told: string[] = [];
    for (const type of ['open', 'error', 'close'] as const) socket.addEventListener(type, () => told.push(type));
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    // The error of an unfinished handshake comes in a later turn: the next round trip is later still.
    await once(new WebSocket(line.url), 'open');
    expect(told).toEqual(['error', 'close']);
  });
});
