import { once } from 'node:events';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, topic, type Connection } from '../../src/index.ts';
import { createServer, type AuthenticateArgs } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { redisBroker, redisCallStore } from '../../src/server/redis.ts';
import { Gate } from '../server/peer.ts';
import { CLIENTS } from './clients.ts';
import { RedisServer } from './redis-server.ts';

const contract = defineContract({
  pay: mutation({ input: z.string(), output: z.string() }),
  room: topic('rooms/{roomId}', { event: z.string() }),
});
const redis = new RedisServer();

beforeAll(() => redis.start());
afterAll(() => redis.remove());

/** A server on a port of its own; what it publishes goes through Redis. */
async function start(
  pay: (input: string) => string | Promise<string> = (input) => input,
  onPeer?: () => void,
  onError?: () => void,
) {
  const [commands, subscriber] = [await CLIENTS['redis 6']!(redis.path), await CLIENTS['ioredis 6']!(redis.path)];
  const clients = { commands: commands.client, subscriber: subscriber.client };
  const callStore = redisCallStore(clients);
  const server = createServer(contract, {
    broker: redisBroker(clients),
    callStore,
    onPeer,
    onError,
    authenticate: ({ token = 'nobody' }: AuthenticateArgs) => ({ identity: token, context: undefined }),
    handlers: { pay: ({ input }) => pay(input), room: { authorize: () => true } },
  });
  const listener = await listen(server);
  onTestFinished(async () => {
    await listener.close();
    await callStore.close();
    await Promise.all([commands.end(), subscriber.end()]);
  });
  return {
    url: listener.url,
    server,
    publish: (event: string) => server.topic('room', { roomId: 'a' }).publish(event),
  };
}

async function until(connection: Connection, state: string): Promise<void> {
  while (connection.status.state !== state) {
    const changed = new EventTarget();
    const undo = connection.on('status', () => changed.dispatchEvent(new Event('status')));
    await once(changed, 'status');
    undo();
  }
}

test('a client hears what any server publishes, and goes on at another server with what it missed on the way', async () => {
  const servers = [await start(), await start()] as const;
  let at = 0;
  const connection = connect(() => servers[at]!.url);
  onTestFinished(() => connection.close());
  const client = createClient(contract, connection);
  const told: string[] = [];
  const heard = new EventTarget();
  const room = client.room({ roomId: 'a' });
  const hears = async (event: string): Promise<void> => {
    while (told.at(-1) !== event) await once(heard, 'event');
  };
  const subscription = room.subscribe({
    event: (event) => {
      told.push(event);
      heard.dispatchEvent(new Event('event'));
    },
    gap: () => told.push('(gap)'),
  });
  await subscription.ready;
  await servers[0].publish('1');
  await servers[1].publish('2');
  await hears('2');
  at = 1;
  connection.suspend();
  await until(connection, 'suspended');
  // Nobody follows the topic at the other server yet.
  await servers[0].publish('3');
  await servers[1].publish('4');
  connection.reconnect();
  await hears('4');
  await servers[0].publish('5');
  await hears('5');
  expect(told).toEqual(['1', '2', '3', '4', '5']);
});

test('who is disconnected on one server is on the other, and stays away', async () => {
  const servers = [await start(), await start()] as const;
  const connections = ['ann', 'bob'].map((user) => connect(servers[1].url, { auth: () => user, lazy: false }));
  onTestFinished(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
  });
  const [ann, bob] = connections as [Connection, Connection];
  await Promise.all([until(ann, 'connected'), until(bob, 'connected')]);
  servers[0].server.disconnect('ann', { reason: 'banned' });
  await until(ann, 'closed');
  expect(ann.status).toMatchObject({ cause: { code: 4403, reason: 'banned' } });
  expect(bob.status.state).toBe('connected');
});

test('who is disconnected while Redis is away goes when it is back', async () => {
  const startOne = () => start(undefined, undefined, () => undefined);
  const servers = [await startOne(), await startOne()] as const;
  const connections = ['ann', 'bob'].map((user) => connect(servers[1].url, { auth: () => user, lazy: false }));
  onTestFinished(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
  });
  const [ann, bob] = connections as [Connection, Connection];
  await Promise.all([until(ann, 'connected'), until(bob, 'connected')]);
  await redis.kill();
  servers[0].server.disconnect('ann', { reason: 'banned' });
  await redis.start();
  await until(ann, 'closed');
  expect(ann.status).toMatchObject({ cause: { code: 4403, reason: 'banned' } });
  expect(bob.status.state).toBe('connected');
});

test('a call that was under way when its client came to another server is done once, and answered there', async () => {
  const gate = new Gate();
  const begun = new Gate();
  const paid: string[] = [];
  const pay = async (input: string): Promise<string> => {
    paid.push(input);
    begun.open();
    await gate.opened;
    return `paid ${input}`;
  };
  const servers = [await start(pay), await start(pay)] as const;
  let at = 0;
  const connection = connect(() => servers[at]!.url);
  onTestFinished(() => connection.close());
  const client = createClient(contract, connection);
  const called = client.pay('tea');
  await begun.opened;
  at = 1;
  connection.suspend();
  await until(connection, 'suspended');
  connection.reconnect();
  await until(connection, 'connected');
  expect(servers[1].server.stats().peers).toBe(1);
  gate.open();
  expect(await called).toBe('paid tea');
  expect(await client.pay('cake')).toBe('paid cake');
  expect(paid).toEqual(['tea', 'cake']);
});

test('a server that goes loses no call: what it runs is answered where its client has moved to', async () => {
  const [gate, begun, arrived] = [new Gate(), new Gate(), new Gate()];
  const paid: string[] = [];
  const pay = async (input: string): Promise<string> => {
    paid.push(input);
    begun.open();
    await gate.opened;
    return `paid ${input}`;
  };
  const [going, staying] = [await start(pay), await start(pay, () => arrived.open())];
  let at = going;
  const connection = connect(() => at.url, { random: () => 0 });
  onTestFinished(() => connection.close());
  const client = createClient(contract, connection);
  const called = client.pay('tea');
  await begun.opened;
  at = staying;
  const closing = going.server.close({ withinMs: 20_000 });
  await arrived.opened;
  const next = client.pay('cake');
  gate.open();
  expect(await Promise.all([called, next])).toEqual(['paid tea', 'paid cake']);
  await closing;
  expect(paid).toEqual(['tea', 'cake']);
});
