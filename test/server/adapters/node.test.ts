import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { ListenOptions } from '../../../src/server/node.ts';
import { listen } from '../../../src/server/node.ts';
import { memoryBroker } from '../../../src/server/index.ts';
import { start } from '../fixture.ts';
import { clientName } from '../peer.ts';

/** A listening server that closes itself at the end of its test. */
async function listening(options: ListenOptions = {}, own = start()) {
  const listener = await listen(own.server, options);
  return { ...own, ...listener, [Symbol.asyncDispose]: () => listener.close() };
}

const hello = (client = clientName()) => JSON.stringify([['hello', { client, n: 1, floor: [1] }]]);

async function open(url: string, options: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, 'tautline.v1', options);
  await once(socket, 'open');
  return socket;
}

/** The HTTP status that an upgrade was refused with. */
async function refusal(url: string, protocols: string | string[], options: object = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, protocols, options);
  socket.on('error', () => undefined);
  const [request, response] = await once(socket, 'unexpected-response');
  request.destroy();
  return response.statusCode;
}

const next = async (socket: WebSocket): Promise<any> => JSON.parse(String((await once(socket, 'message'))[0]));

describe('listen', () => {
  test('serves calls over a real WebSocket, on a loopback address unless told otherwise', async () => {
    await using server = await listening();
    expect(server.url).toBe(`ws://127.0.0.1:${server.port}/ws`);
    const socket = await open(server.url);
    expect(socket.protocol).toBe('tautline.v1');
    socket.send(hello());
    expect((await next(socket))[0][0]).toBe('welcome');
    socket.send('[["call",1,"echo",null,"häß"]]');
    expect(await next(socket)).toEqual([['reply', 1, 'häß']]);
    socket.close();
  });

  test('writes frames of every length, and many of them together, as WebSocket has them', async () => {
    await using server = await listening();
    const socket = await open(server.url);
    const received: any[] = [];
    const lengths = [1, 100, 108, 109, 110, 111, 112, 130, 65_517, 65_518, 65_519, 65_520, 65_521, 70_000];
    const texts = lengths.map((length) => `${'x'.repeat(length - 1)}ä`);
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data, isBinary) => {
        expect(isBinary).toBe(false);
        const messages: any[] = JSON.parse((data as Buffer).toString());
        // A large answer has a ping behind it.
        received.push(...messages.filter(([name]) => name !== 'ping'));
        if (received.length === 1 + 2 * texts.length) resolve();
      });
    });
    socket.send(hello());
    for (const [index, text] of texts.entries()) socket.send(JSON.stringify([['call', index + 1, 'echo', null, text]]));
    socket.send(JSON.stringify(texts.map((text, index) => ['call', 101 + index, 'echo', null, text])));
    await all;
    expect(received.slice(1)).toEqual(
      [1, 101].flatMap((first) => texts.map((text, index) => ['reply', first + index, text])),
    );
    socket.close();
  });

  test('compresses nothing, though the client offers to', async () => {
    await using server = await listening();
    const socket = await open(server.url, { perMessageDeflate: true });
    expect(socket.extensions).toBe('');
    socket.close();
  });

  test('gives authenticate the url, the headers and the address of the request', async () => {
    const authenticate = vi.fn(() => ({ identity: 'ann', context: { user: 'ann' } }));
    await using server = await listening({}, start({}, { authenticate }));
    const socket = await open(`${server.url}?room=1`, { headers: { cookie: 'a=b' } });
    socket.send(hello());
    await next(socket);
    const request = { url: '/ws?room=1', headers: { cookie: 'a=b' }, remoteAddress: '127.0.0.1' };
    expect(authenticate).toHaveBeenCalledWith(
      expect.objectContaining({
        request: expect.objectContaining({
          ...request,
          headers: expect.objectContaining(request.headers),
        }),
      }),
    );
    socket.close();
  });

  test('refuses another path with 404 and another subprotocol, or none, with 400', async () => {
    await using server = await listening();
    expect(await refusal(server.url.replace('/ws', '/other'), 'tautline.v1')).toBe(404);
    expect(await refusal(server.url, 'other.v1')).toBe(400);
    expect(await refusal(server.url, [])).toBe(400);
    const socket = new WebSocket(server.url, ['other.v1', 'tautline.v1']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('tautline.v1');
    socket.close();
  });

  test('answers plain HTTP with 426', async () => {
    await using server = await listening();
    expect((await fetch(`http://127.0.0.1:${server.port}/ws`)).status).toBe(426);
  });

  test('closes with 1009 at a frame above the limit, with 1003 at a binary one, and serves on', async () => {
    await using server = await listening({}, start({}, { limits: { frameBytes: 20_000 } }));
    const [large, binary] = [await open(server.url), await open(server.url)];
    large.send('x'.repeat(20_001));
    expect((await once(large, 'close'))[0]).toBe(1009);
    binary.send(new Uint8Array(3));
    expect((await once(binary, 'close'))[0]).toBe(1003);
    const socket = await open(server.url);
    socket.send(hello());
    await next(socket);
    socket.close();
  });

  test('a socket that is cut leaves the server, with its code', async () => {
    await using server = await listening();
    const client = clientName();
    const [cut, closed] = [await open(server.url), await open(server.url)];
    cut.send(hello(client));
    closed.send(hello());
    await Promise.all([next(cut), next(closed)]);
    expect(server.server.stats()).toMatchObject({ peers: 2, clients: 2 });
    cut.terminate();
    closed.close(1000);
    // Closed with 1000: forgotten at once. Cut: remembered.
    await vi.waitFor(() => expect(server.server.stats()).toMatchObject({ peers: 0, clients: 1 }));
  });

  test('close says goaway, closes with 1012, and frees the port', async () => {
    const server = await listening();
    const socket = await open(server.url);
    socket.send(hello());
    await next(socket);
    const heard = next(socket);
    const ended = once(socket, 'close');
    await server.close();
    expect((await heard)[0][0]).toBe('goaway');
    expect((await ended)[0]).toBe(1012);
    await using again = await listening({ port: server.port });
    expect(again.port).toBe(server.port);
  });

  test('close frees the port before peers that are dead have been waited for', async () => {
    await using server = await listening();
    const socket = await open(server.url);
    // It answers no Close frame.
    socket.pause();
    let isOver = false;
    const closing = server.close().then(() => (isOver = true));
    // The engine has ended, and who waited for that has gone on.
    await server.server.close();
    await new Promise(setImmediate);
    await using next = await listening({ port: server.port });
    expect(next.port).toBe(server.port);
    expect(isOver).toBe(false);
    socket.terminate();
    await closing;
  });

  test('an address that is taken, or a path without a slash, rejects', async () => {
    await using server = await listening();
    await expect(listen(start().server, { port: server.port })).rejects.toThrow('EADDRINUSE');
    await expect(listen(start().server, { path: 'ws' })).rejects.toThrow('begin it with a slash');
  });

  test('a peer that does not read is caught up when it reads again', async () => {
    const broker = memoryBroker({ history: { bytes: 20_000_000 } });
    await using server = await listening({}, start({}, { broker, limits: { bufferedBytes: 20_000 } }));
    const socket = await open(server.url);
    const offsets: number[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        for (const [name, , offset] of JSON.parse((data as Buffer).toString()))
          if (name === 'event') offsets.push(offset);
        if (offsets.length === 600) resolve();
      });
    });
    socket.send(hello());
    socket.send('[["subscribe",1,"rooms/1"]]');
    await vi.waitFor(() => expect(server.server.stats().subscriptions).toBe(1));
    socket.pause();
    const topic = server.server.topic('room', { roomId: '1' });
    for (let count = 0; count < 600; count++) await topic.publish({ text: 'x'.repeat(20_000) });
    expect(server.server.stats().buffered.max).toBeLessThan(200_000);
    socket.resume();
    await all;
    expect(offsets).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
    socket.close();
  });
});

describe('origins', () => {
  const upgrade = async (origins: ListenOptions['origins'], origin: string | undefined): Promise<number | 'open'> => {
    await using server = await listening({ origins });
    const at = origin?.replace('SELF', `127.0.0.1:${server.port}`);
    const socket = new WebSocket(server.url, 'tautline.v1', at === undefined ? {} : { origin: at });
    socket.on('error', () => undefined);
    const opened = once(socket, 'open').then(
      () => 'open' as const,
      () => 0,
    );
    const refused = once(socket, 'unexpected-response').then(
      ([, { statusCode }]) => statusCode as number,
      () => 0,
    );
    const result = await Promise.race([opened, refused]);
    socket.terminate();
    return result;
  };

  test.each([
    [undefined, 'http://SELF', 'open'],
    [undefined, 'http://evil.example', 403],
    [undefined, 'null', 403],
    [undefined, undefined, 'open'],
    [['https://app.example'], 'https://app.example', 'open'],
    [['https://app.example'], 'http://app.example', 403],
    [['https://app.example'], 'http://SELF', 403],
    [['https://app.example'], undefined, 403],
    [['https://app.example', 'none'], undefined, 'open'],
    [['*'], 'http://evil.example', 'open'],
    [['null'], 'null', 'open'],
    [(origin: string | undefined) => origin?.endsWith('.example') === true, 'http://a.example', 'open'],
    [() => false, 'http://SELF', 403],
    [
      () => {
        throw new Error('x');
      },
      'http://SELF',
      403,
    ],
  ] as const)('with %s a page of %s is answered %s', async (origins, origin, result) => {
    expect(await upgrade(origins, origin)).toBe(result);
  });
});

describe('an HTTP server of the app', () => {
  test('is attached to, keeps its other paths and listeners, and stays open', async () => {
    const http = createHttpServer((_, response) => response.end('app'));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    const { server } = start();
    const listener = await listen(server, { server: http, path: '/socket' });
    expect(listener.port).toBe(port);
    const socket = await open(listener.url);
    const ended = once(socket, 'close');
    await listener.close();
    expect((await ended)[0]).toBe(1012);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('app');
    expect(http.listenerCount('upgrade')).toBe(0);
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
});
