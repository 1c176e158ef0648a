import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { Server as HttpServer } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { RefusedSockets } from '../../../src/server/adapters/upgrades.ts';
import { listen } from '../../../src/server/node.ts';
import { start } from '../fixture.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** Asks for an upgrade, and never closes its side. */
async function halfOpen(port: number, path: string): Promise<{ socket: Socket; answer: string }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  return { socket, answer: String(answer) };
}

/** An HTTP server of the app, closed at the end of its test. */
async function httpServer() {
  const http = createHttpServer();
  const ready = async (): Promise<number> => {
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return (http.address() as { port: number }).port;
  };
  const close = async (): Promise<void> => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  return { http, ready, [Symbol.asyncDispose]: close };
}

const connections = (http: HttpServer): Promise<number> =>
  new Promise((resolve) => http.getConnections((_, count) => resolve(count)));

async function upgrade(url: string): Promise<number | 'open'> {
  const socket = new WebSocket(url, 'tautline.v1');
  socket.on('error', () => undefined);
  const result = await Promise.race([
    once(socket, 'open').then(() => 'open' as const),
    once(socket, 'unexpected-response').then(([, { statusCode }]) => statusCode as number),
  ]);
  socket.terminate();
  return result;
}

describe('a refused upgrade', () => {
  test('holds no socket, though its peer never closes, and does not keep close waiting', async () => {
    await using app = await httpServer();
    const port = await app.ready();
    const listener = await listen(start().server, { server: app.http });
    const { socket, answer } = await halfOpen(port, '/nope');
    expect(answer).toBe('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    await vi.waitFor(async () => expect(await connections(app.http)).toBe(0));
    await listener.close();
    socket.destroy();

    const own = await listen(start().server);
    const other = await halfOpen(own.port, '/nope');
    await own.close();
    other.socket.destroy();
  });

  test('of a peer that does not even take its answer is ended after its time, or at close', () => {
    vi.useFakeTimers();
    const refused = new RefusedSockets(2000);
    const [late, closed] = [stuck(), stuck()];
    refused.refuse(late, '404 Not Found');
    vi.advanceTimersByTime(1999);
    expect(late.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(late.destroyed).toBe(true);
    refused.refuse(closed, '404 Not Found');
    refused.close();
    expect(closed.destroyed).toBe(true);
  });

  test('that still has its answer to take is ended when its listener closes', async () => {
    await using app = await httpServer();
    await app.ready();
    const listener = await listen(start().server, { server: app.http });
    const socket = stuck();
    app.http.emit('upgrade', { url: '/nope', headers: {} }, socket, Buffer.alloc(0));
    expect(socket.destroyed).toBe(false);
    await listener.close();
    expect(socket.destroyed).toBe(true);
  });

  test('is refused once, and leaves no timer when its socket is closed', async () => {
    vi.useFakeTimers();
    const refused = new RefusedSockets(2000);
    const socket = stuck();
    for (const status of ['404 Not Found', '403 Forbidden']) refused.refuse(socket, status);
    expect(vi.getTimerCount()).toBe(1);
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  /** A socket whose writes never end. */
  function stuck(): Duplex {
    return new Duplex({ read: () => undefined, write: () => undefined });
  }
});

describe('several listeners on one HTTP server', () => {
  test('serve a path each, and what is of none is answered with 404 once', async () => {
    await using app = await httpServer();
    const port = await app.ready();
    const listeners = [];
    for (const path of ['/a', '/b']) listeners.push(await listen(start().server, { server: app.http, path }));
    const at = (path: string) => upgrade(`ws://127.0.0.1:${port}${path}`);
    expect([await at('/a'), await at('/b'), await at('/c')]).toEqual(['open', 'open', 404]);
    await expect(listen(start().server, { server: app.http, path: '/a' })).rejects.toThrow(
      'listen: this HTTP server has a listener for /a already',
    );
    for (const listener of listeners) await listener.close();
    expect(app.http.listenerCount('upgrade')).toBe(0);
  });

  test('leave other paths to a listener that is not ours, and nothing of their own', async () => {
    await using app = await httpServer();
    const port = await app.ready();
    app.http.on('upgrade', (request, socket) => {
      if (request.url === '/theirs') socket.end('HTTP/1.1 418 Theirs\r\nConnection: close\r\n\r\n');
    });
    const listener = await listen(start().server, { server: app.http });
    expect(await upgrade(`ws://127.0.0.1:${port}/theirs`)).toBe(418);
    expect(await upgrade(listener.url)).toBe('open');
    await listener.close();
  });
});

test('an HTTP server that does not listen yet: url and port are told as soon as it does, and after its end', async () => {
  await using app = await httpServer();
  const listener = await listen(start().server, { server: app.http, path: '/x' });
  expect(listener.port).toBe(0);
  const port = await app.ready();
  expect([listener.port, listener.url]).toEqual([port, `ws://127.0.0.1:${port}/x`]);
  expect(await upgrade(listener.url)).toBe('open');
  await listener.close();
  expect(listener.port).toBe(port);

  const own = await listen(start().server);
  const { url } = own;
  await own.close();
  expect(own.url).toBe(url);
});

test.each([
  [
    'https://example.com',
    `listen: origins is "https://example.com": give a list, ['https://example.com'], or a function`,
  ],
  [[/example/], `listen: origins is an object: give a list, ['https://example.com'], or a function`],
  [null, `listen: origins is null: give a list`],
])('origins that are neither a list of strings nor a function reject: %s', async (origins, message) => {
  const listening = listen(start().server, { origins: origins as never });
  await expect(listening).rejects.toThrow(TypeError);
  await expect(listening).rejects.toThrow(message);
});
