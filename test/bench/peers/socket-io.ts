import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { order, type Order } from '../order.ts';
import { pushInBursts } from '../pacing.ts';
import type { Host, Peer, PeerClient, PeerServer } from './peer.ts';

/** Tells the sender what came of it. */
type Answer<Result = void> = (result: Result) => void;

interface ClientEvents {
  readonly echo: (input: Order, answer: Answer<Order>) => void;
  readonly never: (input: Order, answer: Answer<Order>) => void;
  readonly subscribe: (topic: string, answer: Answer) => void;
  readonly publish: (topic: string, event: Order, answer?: Answer) => void;
  readonly items: (count: number, answer: Answer) => void;
}

/** By the name of the topic, or `item`. */
type ServerEvents = Record<string, (order: Order) => void>;

async function serve({ http, sockets }: Host): Promise<PeerServer> {
  let taken = 0;
  const server = new Server<ClientEvents, ServerEvents>(http, { transports: ['websocket'] });
  server.on('connection', (socket) => {
    socket.on('echo', (input, answer) => answer(input));
    socket.on('never', () => undefined);
    socket.on('subscribe', (topic, answer) => {
      void socket.join(topic);
      answer();
    });
    socket.on('publish', (topic, event, answer) => {
      taken++;
      server.to(topic).emit(topic, event);
      answer?.();
    });
    socket.on('items', (count, answer) => {
      void pushInBursts(count, () => socket.emit('item', order), sockets).then(() => answer());
    });
  });
  return {
    publish: (topic, event) => {
      server.to(topic).emit(topic, event);
    },
    get taken() {
      return taken;
    },
  };
}

function connect(port: number): PeerClient {
  const socket: Socket<ServerEvents, ClientEvents> = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    forceNew: true,
  });
  const connected = new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  return {
    connected: () => connected,
    call: (input) => socket.emitWithAck('echo', input),
    callInVain: (input) => socket.emitWithAck('never', input),
    subscribe: (topic, listener) => {
      socket.on(topic, listener);
      return socket.emitWithAck('subscribe', topic);
    },
    readItems: async (count, listener) => {
      socket.on('item', listener);
      await socket.emitWithAck('items', count);
      socket.off('item', listener);
    },
    publish: (topic, event) => socket.emitWithAck('publish', topic, event),
    flood: async (topic, event, count) => {
      for (let sent = 0; sent < count; sent++) socket.emit('publish', topic, event);
      await socket.emitWithAck('publish', topic, event);
    },
    close: () => void socket.disconnect(),
  };
}

/** socket.io, over its WebSocket from the start. */
export const socketIo: Peer = { serve, connector: async () => connect };
