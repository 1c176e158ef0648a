import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { order } from './order.ts';
import { drained, pushInBursts } from './pacing.ts';
import type { Peer, RaisedLimits } from './peers/peer.ts';
import { cpuMs, settledHeap } from './spent.ts';

/** What the process of a server can be asked to do. */
export type ServerOperations = Awaited<ReturnType<typeof serve>>;

/** Serves a peer on a free port. */
export async function serve(peer: Peer, limits: RaisedLimits) {
  const http = createServer();
  const sockets = new Set<Socket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server = await peer.serve({ http, sockets }, limits);
  return {
    port: async () => (http.address() as AddressInfo).port,
    cpuMs: async () => cpuMs(),
    heap: settledHeap,
    taken: async () => server.taken,
    /** Publishes an order so many times, `burst` of them in a turn. */
    publish: async ({ topic, count, burst }: { topic: string; count: number; burst: number }) => {
      await pushInBursts(count, () => server.publish(topic, order), sockets, burst);
      await drained(sockets);
    },
  };
}
