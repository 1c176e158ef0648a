import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, onTestFinished } from 'vitest';
import { redisCallStore } from '../../src/server/redis.ts';
import { describeCallStore } from '../helpers/describe-call-store.ts';
import { CLIENTS } from './clients.ts';
import { RedisServer } from './redis-server.ts';

const redis = new RedisServer();
const admin = createClient({ socket: { path: redis.path, reconnectStrategy: () => 10 } });
admin.on('error', () => undefined);

beforeAll(async () => {
  await redis.start();
  await admin.connect();
});
afterEach(async () => {
  await admin.flushAll();
});
afterAll(async () => {
  admin.destroy();
  await redis.remove();
});

const keyOf = (client: string) => `tautline:calls:{${client}}`;
const leases = () => admin.keys('tautline:calls:node:*');
const STATES: Readonly<Record<string, 'runs' | 'answered'>> = { r: 'runs', a: 'answered' };

describeCallStore({
  kinds: Object.keys(CLIENTS),
  storeOf: async (kind, bounds) => {
    const [commands, subscriber] = [await CLIENTS[kind]!(redis.path), await CLIENTS[kind]!(redis.path)];
    const store = redisCallStore({ commands: commands.client, subscriber: subscriber.client, ...bounds });
    onTestFinished(async () => {
      await store.close();
      await Promise.all([commands.end(), subscriber.end()]);
    });
    return store;
  },
  ask: () => admin.ping(),
  stateOf: async (client, id) => STATES[(await admin.hGet(keyOf(client), `${id}`))?.[0] ?? ''],
  ids: async (client) => (await admin.hKeys(keyOf(client))).map(Number).filter((id) => id > 0),
  bytes: async (client) => Number(await admin.hGet(keyOf(client), 'b')),
  memoryOf: async (client) => (await admin.hGet(keyOf(client), 'm')) ?? undefined,
  leftMs: (client) => admin.pTTL(keyOf(client)),
  tell: (client) => admin.publish(keyOf(client), '1'),
  isAwaited: async () => (await admin.pubSubChannels('*calls*')).length > 0,
  kill: async () => admin.del(await leases()),
  leases: async () => (await leases()).length,
  save: () => admin.sendCommand(['SAVE']),
  restart: async () => {
    await redis.kill();
    await redis.start();
    while (!admin.isReady) await new Promise((resolve) => admin.once('ready', resolve));
  },
  freeze: () => redis.freeze(),
  thaw: () => redis.thaw(),
});
