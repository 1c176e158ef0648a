import { once } from 'node:events';
import { Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, topic } from '../../src/index.ts';
import { createServer, type Server } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { faultProxy } from '../../src/testing/faults.ts';

const contract = defineContract({ room: topic('rooms/{id}', { event: z.object({ text: z.string() }) }) });

const MANY = 1_000;

/** A listening server, and every frame that crossed it. */
async function listening() {
  const server = createServer(contract, { handlers: { room: { authorize: () => true } } });
  const received: string[] = [];
  const sent: string[] = [];
  const watched: Pick<Server, 'accept' | 'limits' | 'close'> = {
    ...server,
    accept: (socket, request) => {
      const handler = server.accept(
        {
          send: (frame) => {
            sent.push(frame);
            socket.send(frame);
          },
          close: (code, reason) => {
            socket.close(code, reason);
          },
          get bufferedAmount() {
            return socket.bufferedAmount ?? 0;
          },
        },
        request,
      );
      const message = (frame: string): void => {
        received.push(frame);
        handler.message(frame);
      };
      return { ...bound(handler), message };
    },
  };
  return { server, received, sent, listener: await listen(watched) };
}

function bound(handler: ReturnType<Server['accept']>): ReturnType<Server['accept']> {
  return {
    message: (data) => handler.message(data),
    binary: () => handler.binary(),
    closed: (code) => handler.closed(code),
    drained: () => handler.drained(),
  };
}

const nameOf = (frame: string): string => (JSON.parse(frame) as [[string]])[0][0];

test('A publication reaches 1 000 sockets, and is made into bytes once.', async () => {
  const { server, listener } = await listening();
  const sockets = await Promise.all(
    Array.from({ length: MANY }, async (_, index) => {
      const socket = new WebSocket(listener.url, 'tautline.v1');
      await once(socket, 'open');
      const client = `subscriber-of-the-test-${String(index)}`;
      socket.send(
        JSON.stringify([
          ['hello', { client, n: 1, floor: [1] }],
          ['subscribe', 1, 'rooms/1'],
        ]),
      );
      await new Promise<void>((resolve) => {
        socket.on('message', (data) => {
          if ((data as Buffer).toString().includes('"subscribed"')) resolve();
        });
      });
      return socket;
    }),
  );
  const heard = sockets.map(async (socket) => String((await once(socket, 'message'))[0]));
  const write = vi.spyOn(Socket.prototype, 'write');
  await server.topic('room', { id: '1' }).publish({ text: 'hällo' });
  expect(new Set(await Promise.all(heard))).toEqual(new Set(['[["event","rooms/1",1,{"text":"hällo"}]]']));
  expect(write).toHaveBeenCalledTimes(MANY);
  expect(new Set(write.mock.calls.map(([data]) => data)).size).toBe(1);
  for (const socket of sockets) socket.terminate();
  await listener.close();
});

test('A client of 1 000 topics comes back with as few frames as may be, and no event lost.', async () => {
  const { server, listener, received, sent } = await listening();
  const proxy = await faultProxy({ to: listener.port });
  const connection = connect(`ws://127.0.0.1:${String(proxy.port)}/ws`, { WebSocket });
  const client = createClient(contract, connection);
  const events: string[] = [];
  const gaps: unknown[] = [];
  let whenHeard: () => void = () => undefined;
  const rooms = Array.from({ length: MANY }, (_, index) =>
    client.room({ id: String(index) }).subscribe({
      event: ({ text }) => {
        events.push(text);
        if (events.length % MANY === 0) whenHeard();
      },
      gap: (gap) => gaps.push(gap),
    }),
  );
  await Promise.all(rooms.map(({ ready }) => ready));
  const publishToAll = async (word: string): Promise<void> => {
    for (let index = 0; index < MANY; index++) {
      await server.topic('room', { id: String(index) }).publish({ text: `${word} ${String(index)}` });
    }
  };
  const all = (): Promise<void> => new Promise((resolve) => (whenHeard = resolve));
  let heard = all();
  await publishToAll('before');
  await heard;

  received.length = 0;
  sent.length = 0;
  heard = all();
  proxy.refuse();
  proxy.kill();
  await vi.waitFor(() => expect(server.stats().peers).toBe(0));
  await publishToAll('meanwhile');
  proxy.accept();
  connection.reconnect();
  await heard;
  expect(new Set(events.slice(MANY))).toEqual(new Set(rooms.map((_, index) => `meanwhile ${String(index)}`)));
  expect(events).toHaveLength(2 * MANY);
  expect(gaps).toEqual([]);

  const subscribes = received.filter((frame) => nameOf(frame) === 'subscribe');
  expect(subscribes.flatMap((frame) => JSON.parse(frame) as unknown[])).toHaveLength(MANY);
  expect(nameOf(received[0] ?? '')).toBe('hello');
  // Three frames of 16 KiB before the welcome, and one of at most 64 KiB behind it.
  const [early, late] = [subscribes.slice(0, 3), subscribes.slice(3)];
  for (const { length } of early) expect(length).toBeLessThanOrEqual(16 * 1024);
  expect(early.join('').length).toBeGreaterThan(46 * 1024);
  expect(late).toHaveLength(1);
  // The answers, and the events that were missed, are gathered too: nothing waits for anything in between.
  expect(received.length).toBeLessThanOrEqual(8);
  expect(sent.length).toBeLessThanOrEqual(8);

  await connection.close();
  await proxy.close();
  await listener.close();
});
