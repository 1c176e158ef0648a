import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { SocketTestServer, SocketUnderTest } from '../../src/testing/index.ts';
import { memoryWebSocket } from '../../src/transport/memory-transport.ts';
import type { WebSocketConstructor } from '../../src/transport/web-socket-like.ts';

/** A class of sockets and a real server. */
export async function overTheNetwork(
  WebSocket: WebSocketConstructor,
  server: SocketTestServer,
): Promise<SocketUnderTest> {
  const real = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: () => !server.refuses,
    handleProtocols: ([first]) => first!,
  });
  await once(real, 'listening');
  real.on('connection', (socket) => {
    const end = server.accept({
      send: (text) => socket.send(text),
      close: (code, reason) => socket.close(code, reason),
      cut: () => socket.terminate(),
    });
    socket.on('message', (data: Buffer) => end.message(data.toString()));
    socket.on('close', (code) => end.closed(code));
  });
  return {
    WebSocket,
    url: `ws://127.0.0.1:${(real.address() as AddressInfo).port}/`,
    end: async () => {
      for (const socket of real.clients) socket.terminate();
      await new Promise((closed) => real.close(closed));
    },
  };
}

/** Sockets in memory. `change` makes another class of theirs. */
export function inMemory(
  server: SocketTestServer,
  change: (right: WebSocketConstructor) => WebSocketConstructor = (right) => right,
): SocketUnderTest {
  const right = memoryWebSocket((peer) => {
    if (server.refuses) return peer.close();
    const end = server.accept(peer);
    peer.onMessage = (text) => end.message(text);
    peer.onClose = (code) => end.closed(code);
  });
  return { WebSocket: change(right), url: 'ws://memory.test/' };
}
