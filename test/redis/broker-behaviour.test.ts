import { afterAll, beforeAll, describe, test } from 'vitest';
import { redisBroker } from '../../src/server/redis.ts';
import { describeBroker } from '../../src/testing/broker.ts';
import { CLIENTS } from './clients.ts';
import { RedisServer } from './redis-server.ts';

const redis = new RedisServer();
beforeAll(() => redis.start());
afterAll(() => redis.remove());

for (const [name, connect] of Object.entries(CLIENTS)) {
  describeBroker({ describe, test }, `The Redis broker, on ${name}`, async ({ history }) => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => connect(redis.path)));
    const broker = (at: number) =>
      redisBroker({ commands: clients[at]!.client, subscriber: clients[at + 1]!.client, history });
    return {
      one: broker(0),
      other: broker(2),
      end: async () => {
        await Promise.all(clients.map(({ end }) => end()));
      },
    };
  });
}
