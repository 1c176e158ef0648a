import { once } from 'node:events';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Server, ServerSocket } from '../../../src/server/index.ts';
import { listen } from '../../../src/server/node.ts';
import { start } from '../fixture.ts';
import { clientName } from '../peer.ts';

const MIB = 1024 * 1024;

/** A server whose sockets are seen, and a client of it whose bytes go through this test's hands. */
async function world() {
  const { server } = start();
  const accepted: ServerSocket[] = [];
  const watched: Pick<Server, 'accept' | 'limits' | 'close'> = {
    ...server,
    accept: (socket, request) => {
      accepted.push(socket);
      return server.accept(socket, request);
    },
  };
  const listener = await listen(watched);
  const ends: Record<'client' | 'server', Socket[]> = { client: [], server: [] };
  const relay = createTcpServer((client) => {
    const upstream = connect(listener.port, '127.0.0.1');
    ends.client.push(client);
    ends.server.push(upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const webSocket = new WebSocket(`ws://127.0.0.1:${(relay.address() as AddressInfo).port}/ws`, 'tautline.v1');
  await once(webSocket, 'open');
  webSocket.send(JSON.stringify([['hello', { client: clientName(), n: 1, floor: [1] }]]));
  await once(webSocket, 'message');
  return {
    webSocket,
    socket: accepted[0]!,
    upstream: ends.server[0]!,
    client: ends.client[0]!,
    async [Symbol.asyncDispose]() {
      webSocket.terminate();
      for (const end of [...ends.client, ...ends.server]) end.destroy();
      relay.close();
      await listener.close();
    },
  };
}

test('of a frame that is being written the bytes that the system has taken are told, of one that comes those that are here', async () => {
  await using context = await world();
  const { socket, upstream, client } = context;
  upstream.unpipe(client);
  upstream.pause();
  socket.send(`["${'x'.repeat(64 * MIB)}"]`);
  const buffered = socket.bufferedAmount;
  const before = socket.bytesTaken!;
  expect(buffered).toBeGreaterThan(32 * MIB);
  // Some of it is read, and nothing of it has left the buffer.
  upstream.once('data', () => upstream.pause());
  upstream.resume();
  await vi.waitFor(() => {
    upstream.resume();
    upstream.once('data', () => upstream.pause());
    expect(socket.bytesTaken).toBeGreaterThan(before);
  });
  expect(socket.bufferedAmount).toBe(buffered);
  const read = socket.bytesRead!;
  client.unpipe(upstream);
  client.pause();
  upstream.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]));
  await vi.waitFor(() => expect(socket.bytesRead).toBe(read + 10));
});
