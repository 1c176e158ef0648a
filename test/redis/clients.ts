import { once } from 'node:events';
import * as current from '@redis/client';
import { Redis as CurrentIo } from 'ioredis';
import { Redis as FormerIo } from 'ioredis-5';
import * as former from 'redis-client-5';
import type { RedisClient } from '../../src/server/redis.ts';

/** A client of one of the packages, and how to end it. */
export interface TestClient {
  readonly client: RedisClient;
  readonly end: () => Promise<void>;
}

/** Clients by the package that they are of. Each has come to Redis, and comes back by itself at once. */
export const CLIENTS: Readonly<Record<string, (path: string) => Promise<TestClient>>> = {
  'redis 6': (path) => nodeRedis(current, path),
  'redis 5': (path) => nodeRedis(former as unknown as typeof current, path),
  'ioredis 6': (path) => ioRedis(CurrentIo, path),
  'ioredis 5': (path) => ioRedis(FormerIo as unknown as typeof CurrentIo, path),
};

async function nodeRedis({ createClient }: typeof current, path: string): Promise<TestClient> {
  const client = createClient({ socket: { path, reconnectStrategy: () => 10 } });
  client.on('error', () => undefined);
  await client.connect();
  return { client, end: async () => client.destroy() };
}

async function ioRedis(Redis: typeof CurrentIo, path: string): Promise<TestClient> {
  const client = new Redis({ path, retryStrategy: () => 10, maxRetriesPerRequest: null, lazyConnect: true });
  client.on('error', () => undefined);
  await client.connect();
  return {
    client,
    // Behind what it subscribes again by itself: a client that ends before that rejects it, and nobody catches that.
    end: async () => {
      if (client.status !== 'ready') await once(client, 'ready');
      await client.quit();
    },
  };
}
