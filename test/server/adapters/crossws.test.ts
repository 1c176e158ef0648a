import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import crossws from 'crossws/adapters/node';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connect, createClient } from '../../../src/index.ts';
import { crosswsHooks } from '../../../src/server/crossws.ts';
import type { CrosswsOptions, CrosswsPeer } from '../../../src/server/crossws.ts';
import { faultProxy } from '../../../src/testing/faults.ts';
import { contract, start } from '../fixture.ts';
import { clientName, settle } from '../peer.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** The engine behind crossws on a Node HTTP server, closed at the end of its test. */
async function serving(own = start(), options: CrosswsOptions = {}) {
  const http = createHttpServer();
  const adapter = crossws({ hooks: crosswsHooks(own.server, options) });
  http.on('upgrade', (request, socket, head) => void adapter.handleUpgrade(request, socket, head));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return {
    ...own,
    port,
    url: `ws://127.0.0.1:${port}/ws?x=1`,
    async [Symbol.asyncDispose]() {
      await own.server.close();
      adapter.closeAll(1001, '', true);
      await adapter.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function open(url: string, options: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, 'tautline.v1', options);
  await once(socket, 'open');
  return socket;
}

async function refusal(url: string, protocols: string | string[], options: object = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, protocols, options);
  socket.on('error', () => undefined);
  const [request, response] = await once(socket, 'unexpected-response');
  request.destroy();
  return response.statusCode;
}

const hello = () => JSON.stringify([['hello', { client: clientName(), n: 1, floor: [1] }]]);

describe('the engine under crossws', () => {
  test('serves a client: calls, errors and topics, and goes on after a lost line', async () => {
    await using serve = await serving();
    const proxy = await faultProxy({ to: serve.port });
    const connection = connect(`ws://127.0.0.1:${proxy.port}/ws`, { WebSocket });
    const client = createClient(contract, connection);
    expect(await client.echo('häß')).toBe('häß');
    expect(await client.orders.place({ item: 'x' })).toEqual({ number: 1 });
    const events: string[] = [];
    const gaps: unknown[] = [];
    const room = client.room({ roomId: '1' });
    let heard: () => void = () => undefined;
    const subscription = room.subscribe({
      event: ({ text }) => {
        events.push(text);
        heard();
      },
      gap: (gap) => gaps.push(gap),
    });
    await subscription.ready;
    await room.publish({ text: 'before' });
    proxy.refuse();
    proxy.kill();
    await vi.waitFor(() => expect(serve.server.stats()).toMatchObject({ peers: 0, clients: 1 }));
    await serve.server.topic('room', { roomId: '1' }).publish({ text: 'meanwhile' });
    const order = client.orders.place({ item: 'y' });
    const caughtUp = new Promise<void>((resolve) => (heard = resolve));
    proxy.accept();
    connection.reconnect();
    expect(await order).toEqual({ number: 2 });
    await caughtUp;
    expect(events).toEqual(['before', 'meanwhile']);
    expect(gaps).toEqual([]);
    expect(connection.stats().reconnects).toBe(1);
    await connection.close();
    await vi.waitFor(() => expect(serve.server.stats()).toMatchObject({ peers: 0, clients: 0 }));
    await proxy.close();
  });

  test('gives authenticate the url, the headers and the address of the request', async () => {
    const authenticate = vi.fn(() => ({ identity: 'ann', context: { user: 'ann' } }));
    await using serve = await serving(start({}, { authenticate }));
    const socket = await open(serve.url, { headers: { cookie: 'a=b' } });
    socket.send(hello());
    await once(socket, 'message');
    const headers = expect.objectContaining({ cookie: 'a=b' });
    const request = { url: '/ws?x=1', headers, remoteAddress: '127.0.0.1' };
    expect(authenticate).toHaveBeenCalledWith(expect.objectContaining({ request }));
    socket.close();
  });

  test('refuses pages that are not on the list with 403, and other subprotocols with 400', async () => {
    const own = start();
    await using serve = await serving(own, { origins: ['https://app.example'] });
    expect(await refusal(serve.url, 'tautline.v1', { origin: 'https://evil.example' })).toBe(403);
    expect(await refusal(serve.url, 'tautline.v1')).toBe(403);
    expect(await refusal(serve.url, 'other.v1', { origin: 'https://app.example' })).toBe(400);
    expect(own.errors.map(({ info }) => info.during)).toEqual(['upgrade', 'upgrade', 'upgrade']);
    const socket = await open(serve.url, { origin: 'https://app.example' });
    expect([socket.protocol, socket.extensions]).toEqual(['tautline.v1', '']);
    socket.close();
  });

  test('closes with 1003 at a binary message, with 1009 at a frame that is too large, with 1012 at its end', async () => {
    await using serve = await serving(start({}, { limits: { frameBytes: 20_000 } }));
    const [binary, large, last] = [await open(serve.url), await open(serve.url), await open(serve.url)];
    binary.send(new Uint8Array(3));
    expect((await once(binary, 'close'))[0]).toBe(1003);
    large.send(hello());
    await once(large, 'message');
    large.send('x'.repeat(20_001));
    expect((await once(large, 'close'))[0]).toBe(1009);
    const ended = once(last, 'close');
    await serve.server.close();
    expect((await ended)[0]).toBe(1012);
  });
});

/** A peer that is driven by hand. */
function fakePeer(): CrosswsPeer & { bufferedAmount: number } {
  const request = new Request('http://a.example/ws');
  return { request, bufferedAmount: 0, send: vi.fn(), close: vi.fn(), terminate: vi.fn() };
}

test('a peer whose buffer is full is sent its events as soon as it drains', async () => {
  const { server } = start({}, { limits: { bufferedBytes: 1000 } });
  const hooks = crosswsHooks(server);
  const peer = fakePeer();
  hooks.open(peer);
  hooks.message(peer, { rawData: hello() });
  hooks.message(peer, { rawData: '[["subscribe",1,"rooms/1"]]' });
  await settle();
  peer.bufferedAmount = 1001;
  await server.topic('room', { roomId: '1' }).publish({ text: 'x' });
  await settle();
  const event = '[["event","rooms/1",1,{"text":"x"}]]';
  expect(peer.send).not.toHaveBeenCalledWith(event);
  peer.bufferedAmount = 0;
  hooks.drain(peer);
  await settle();
  expect(peer.send).toHaveBeenLastCalledWith(event);
  hooks.close(peer, {});
  expect(server.stats().peers).toBe(0);
});

test('a peer that does not answer the closing handshake is ended after 2 s, one that does leaves no timer', () => {
  vi.useFakeTimers();
  const hooks = crosswsHooks(start().server);
  const [dead, alive] = [fakePeer(), fakePeer()];
  for (const each of [dead, alive]) {
    hooks.open(each);
    hooks.message(each, { rawData: 'rubbish' });
    expect(each.close).toHaveBeenCalledWith(4400, expect.any(String));
  }
  hooks.close(alive, { code: 4400 });
  vi.advanceTimersByTime(1999);
  expect(dead.terminate).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(dead.terminate).toHaveBeenCalledTimes(1);
  expect(alive.terminate).not.toHaveBeenCalled();
});

test('origins that are neither a list nor a function are refused', () => {
  const origins = 'https://app.example' as never;
  expect(() => crosswsHooks(start().server, { origins })).toThrow(
    `crosswsHooks: origins is "https://app.example": give a list, ['https://app.example'], or a function`,
  );
});
