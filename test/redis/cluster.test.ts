import * as current from '@redis/client';
import { Cluster as CurrentIo } from 'ioredis';
import { Cluster as FormerIo } from 'ioredis-5';
import * as former from 'redis-client-5';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CallStore } from '../../src/server/index.ts';
import { redisBroker, redisCallStore, redisPresenceStore } from '../../src/server/redis.ts';
import { describeBroker } from '../../src/testing/broker.ts';
import { clientName } from '../server/peer.ts';
import type { TestClient } from './clients.ts';
import { RedisCluster } from './redis-cluster.ts';

const cluster = new RedisCluster();

beforeAll(() => cluster.start(), 60_000);
afterAll(() => cluster.remove());

const nodes = () => cluster.ports.map((port) => ({ host: '127.0.0.1', port }));

async function nodeRedis({ createCluster }: typeof current): Promise<TestClient> {
  const client = createCluster({ rootNodes: nodes().map((socket) => ({ socket })) });
  client.on('error', () => undefined);
  await client.connect();
  return { client, end: async () => client.destroy() };
}

async function ioRedis(Cluster: typeof CurrentIo): Promise<TestClient> {
  const client = new Cluster(nodes(), { lazyConnect: true });
  client.on('error', () => undefined);
  await client.connect();
  return { client, end: async () => client.disconnect() };
}

/** Clients of a whole cluster, by the package that they are of. */
const CLIENTS: Readonly<Record<string, () => Promise<TestClient>>> = {
  'redis 6': () => nodeRedis(current),
  'redis 5': () => nodeRedis(former as unknown as typeof current),
  'ioredis 6': () => ioRedis(CurrentIo),
  'ioredis 5': () => ioRedis(FormerIo as unknown as typeof CurrentIo),
};

async function clientsOf(kind: string) {
  const [commands, subscriber] = await Promise.all([CLIENTS[kind]!(), CLIENTS[kind]!()]);
  return {
    clients: { commands: commands.client, subscriber: subscriber.client },
    end: async () => {
      await Promise.all([commands.end(), subscriber.end()]);
    },
  };
}

/** Not the test with ten thousand topics: here each is compared by a question of its own. */
const few = {
  describe,
  test: (name: string, body: () => Promise<void>) => name.startsWith('ten thousand') || test(name, body),
};

for (const kind of Object.keys(CLIENTS)) {
  describeBroker(few, `On a cluster, the broker on ${kind}`, async ({ history }) => {
    const [one, other] = [await clientsOf(kind), await clientsOf(kind)];
    return {
      one: redisBroker({ ...one.clients, history }),
      other: redisBroker({ ...other.clients, history }),
      end: async () => {
        await Promise.all([one.end(), other.end()]);
      },
    };
  });
}

describe.each(Object.keys(CLIENTS))('On a cluster, with %s', (kind) => {
  /** Of two servers. */
  async function two<Store extends { close(): unknown }>(
    make: (clients: Awaited<ReturnType<typeof clientsOf>>['clients']) => Store,
  ): Promise<[Store, Store]> {
    const make1 = async (): Promise<Store> => {
      const { clients, end } = await clientsOf(kind);
      const store = make(clients);
      onTestFinished(async () => {
        await store.close();
        await end();
      });
      return store;
    };
    return [await make1(), await make1()];
  }

  test('many clients’ calls are claimed by one server each, and answered by the other', async () => {
    const [one, other] = await two<CallStore>((clients) => redisCallStore(clients));
    for (const client of Array.from({ length: 12 }, clientName)) {
      const opened = await one.open({ client, identity: 'ann', n: 1 });
      const memory = opened.refused === undefined ? opened.memory : '';
      const request = { client, memory, id: 1, key: 'mutation pay', idempotent: false };
      const claim = await one.claim(request);
      const told = new Promise<void>((resolve) => onTestFinished(other.watch(client, resolve)));
      expect((await other.claim(request)).kind).toBe('running');
      await told;
      await one.answer({ ...request, token: claim.kind === 'new' ? claim.token : '', message: 'm' });
      expect(await other.claim(request)).toEqual({ kind: 'answered', message: 'm' });
      await other.floor({ client, memory }, 2, []);
      expect((await one.claim(request)).kind).toBe('unknown');
      await one.leave({ client, memory }, 1, 1_000);
      await one.forget({ client, memory }, 1);
    }
  });

  test('who is in many rooms is known to both servers, and who is whose', async () => {
    const [one, other] = await two((clients) => redisPresenceStore(clients));
    const server = clientName();
    const rooms = Array.from({ length: 12 }, (_, room) => `rooms/${kind}/${room}`);
    expect(await one.renew(server)).toBe(false);
    expect(await one.renew(server)).toBe(true);
    for (const room of rooms) {
      await one.hold(server, room, 'ann');
      expect(await one.replace(room, 'ann', '', 'here')).toBe('here');
      expect(await other.replace(room, 'ann', '', 'there')).toBe('here');
      expect(await other.members(room)).toEqual([['ann', 'here']]);
    }
    expect((await other.held(server)).map(([room]) => room).sort()).toEqual(rooms.sort());
    for (const room of rooms) await other.release(server, room, 'ann');
    expect(await one.held(server)).toEqual([]);
    expect(await other.lapsed()).toEqual([]);
    await one.forget(server);
    expect(await one.renew(server)).toBe(false);
  });
});
