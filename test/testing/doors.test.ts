import { setupServer } from 'msw/node';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, topic } from '../../src/index.ts';
import type { Connection, ConnectOptions } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { faultProxy } from '../../src/testing/faults.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { mockServer } from '../../src/testing/msw.ts';

/* One story of an app behind each door: what it sees of faults is the same as with real sockets. */

const contract = defineContract({
  send: mutation({ input: z.string(), output: z.number() }),
  room: topic('room', { event: z.string(), snapshot: z.array(z.string()) }),
});

/** What stands for the server, and its faults. */
interface Door extends AsyncDisposable {
  connect(options: ConnectOptions): Connection;
  cut(): void;
  refuse(): void;
  accept(): void;
}

/** Handlers of a chat, and what was said there; `publish` is the door's. */
function chat(publish: (text: string) => Promise<unknown>) {
  const said: string[] = [];
  const handlers = {
    send: async ({ input }: { input: string }) => {
      const count = said.push(input);
      await publish(input);
      return count;
    },
    room: { authorize: () => true, snapshot: () => [...said] },
  };
  return { said, handlers };
}

const msw = setupServer();
beforeAll(() => msw.listen({ onUnhandledFrame: 'bypass' }));
afterAll(() => msw.close());

const doors: Readonly<Record<string, () => Promise<{ readonly door: Door; readonly said: string[] }>>> = {
  'sockets in memory': async () => {
    const { said, handlers } = chat((text) => pair.topic('room').publish(text));
    const pair = connectedPair(contract, handlers, { connect: { lazy: true } });
    return { said, door: { ...pair, connect: (options) => pair.connect({ lazy: false, ...options }).connection } };
  },
  msw: async () => {
    const { said, handlers } = chat((text) => mock.topic('room').publish(text));
    const mock = mockServer(contract, { url: 'ws://doors.test/ws', handlers });
    msw.use(...mock.handlers);
    const door: Door = {
      ...mock,
      connect: (options) => connect('ws://doors.test/ws', { lazy: false, ...options }),
      [Symbol.asyncDispose]: async () => {
        await mock.close();
        msw.resetHandlers();
      },
    };
    return { said, door };
  },
  'a real server behind bad lines': async () => {
    const { said, handlers } = chat((text) => server.topic('room').publish(text));
    const server = createServer(contract, { handlers });
    const listener = await listen(server);
    const proxy = await faultProxy({ to: listener.url });
    const door: Door = {
      connect: (options) => connect(proxy.url, { ...options, WebSocket }),
      cut: () => proxy.kill(),
      refuse: () => proxy.refuse(),
      accept: () => proxy.accept(),
      [Symbol.asyncDispose]: async () => {
        await proxy.close();
        await listener.close();
      },
    };
    return { said, door };
  },
};

test.each(Object.entries(doors))('behind %s: join, send, cut, queue, back', async (_name, open) => {
  const { door, said } = await open();
  onTestFinished(() => door[Symbol.asyncDispose]());
  await using connection = door.connect({ reconnect: { firstMs: 10, sharedFirstMs: 10, capMs: 10, stableAfterMs: 1 } });
  const client = createClient(contract, connection);
  const seen: string[] = [];
  connection.on('status', (status) => {
    seen.push(status.state === 'waiting' ? `waiting: ${status.cause.code}, ${status.cause.by}` : status.state);
  });
  const waiting = (opened: boolean) =>
    new Promise<void>((resolve) => {
      connection.on('status', (status) => status.state === 'waiting' && status.cause.opened === opened && resolve());
    });
  const [lost, attemptFailed] = [waiting(true), waiting(false)];
  const room: string[] = [];
  let heardAll!: () => void;
  const all = new Promise<void>((heard) => (heardAll = heard));
  const subscription = client.room().subscribe({
    snapshot: (texts) => room.push(...texts.map((text) => `${text} (snapshot)`)),
    event: (text) => room.push(text) === 3 && heardAll(),
    gap: () => room.push('gap'),
  });
  await subscription.ready;
  expect(await client.send('one')).toBe(1);
  door.refuse();
  door.cut();
  await lost;
  const queued = [client.send('two'), client.send('three')];
  await attemptFailed;
  expect(connection.stats().queued.messages).toBe(2);
  door.accept();
  connection.wake();
  expect(await Promise.all(queued)).toEqual([2, 3]);
  await all;
  expect([said, room]).toEqual([
    ['one', 'two', 'three'],
    ['one', 'two', 'three'],
  ]);
  // It may have tried more than once.
  const kinds = seen.filter((state, at) => seen.indexOf(state) === at);
  expect(kinds).toEqual(['connected', 'waiting: 1006, peer', 'connecting']);
  expect(seen.at(-1)).toBe('connected');
});
