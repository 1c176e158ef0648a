import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket as WsWebSocket, WebSocketServer } from 'ws';
import type { CloseCause, ConnectionStatus, LinkUser, Transport } from '../../src/transport/transport.ts';
import { createWebSocketTransport } from '../helpers/create-transport.ts';
import type { WebSocketConstructor } from '../../src/transport/web-socket-like.ts';

const ends: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A transport whose states can be awaited. */
function open(port: number, WebSocket: WebSocketConstructor) {
  const statuses: ConnectionStatus[] = [];
  const frames: string[] = [];
  const lost: CloseCause[] = [];
  const looking: Array<() => void> = [];
  const user: LinkUser = {
    opened: (link) => link.send('hello'),
    frame: (link, frame) => {
      frames.push(frame);
      link.welcomed({ heartbeatMs: 20_000, resumed: false });
    },
    binary: () => {},
    probe: () => {},
    silent: () => {},
    unanswered: () => 0,
    moveFailed: () => {},
    lost: (_, cause) => lost.push(cause),
    entered(status) {
      statuses.push(status);
      for (const look of looking) look();
    },
  };
  const transport: Transport = createWebSocketTransport(user, {
    url: `http://127.0.0.1:${port}/line`,
    protocols: ['tautline.v1'],
    random: () => 0,
    WebSocket,
  });
  ends.push(() => transport.close());
  transport.connect();
  const reached = (state: ConnectionStatus['state']) =>
    new Promise<ConnectionStatus>((resolve) => {
      const look = () => {
        const status = statuses.find((status) => status.state === state);
        if (status !== undefined) resolve(status);
      };
      looking.push(look);
      look();
    });
  return { transport, frames, lost, reached };
}

async function echoServer() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  ends.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(data.toString())));
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe.each([
  ['the global WebSocket', globalThis.WebSocket],
  ['ws', WsWebSocket as unknown as WebSocketConstructor],
])('on %s', (_name, WebSocket) => {
  test('connects, exchanges frames, is told the close code of the server', async () => {
    const { server, port } = await echoServer();
    const { frames, lost, reached } = open(port, WebSocket);
    await reached('connected');
    expect(frames).toEqual(['hello']);
    for (const client of server.clients) client.close(1012, 'restart');
    expect(await reached('waiting')).toMatchObject({ cause: { code: 1012, reason: 'restart', by: 'peer' } });
    expect(lost).toHaveLength(1);
  });

  test('a connection that is reset is one loss', async () => {
    const { server, port } = await echoServer();
    const { lost, reached } = open(port, WebSocket);
    await reached('connected');
    for (const client of server.clients) client.terminate();
    expect(await reached('waiting')).toMatchObject({ cause: { code: 1006, opened: true } });
    expect(lost).toHaveLength(1);
  });

  test('a refused connection is a failed attempt', async () => {
    const { server, port } = await echoServer();
    server.close();
    await once(server, 'close');
    const { lost, reached } = open(port, WebSocket);
    expect(await reached('waiting')).toMatchObject({ cause: { code: 1006, opened: false } });
    expect(lost).toEqual([]);
  });

  test('a socket abandoned during its handshake harms nobody', async () => {
    // Accepts and never answers the upgrade.
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    ends.push(() => server.close());
    await once(server, 'listening');
    const { transport } = open((server.address() as AddressInfo).port, WebSocket);
    await once(server, 'connection');
    const uncaught = vi.fn();
    process.prependOnceListener('uncaughtExceptionMonitor', uncaught);
    ends.push(() => process.off('uncaughtExceptionMonitor', uncaught));
    transport.close();
    expect(transport.status.state).toBe('closed');
    // The engine lets the connection go, and what it says about that is heard by nobody.
    await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
    expect(uncaught).not.toHaveBeenCalled();
  });
});
