import { afterAll, beforeAll, expect, test } from 'vitest';
import { killChildren } from '../bench/child-process.ts';
import { restartAll } from '../bench/servers/restart.ts';
import { RedisServer } from '../redis/redis-server.ts';

const redis = new RedisServer();

beforeAll(() => redis.start());
afterAll(async () => {
  await killChildren();
  await redis.remove();
});

test('two servers behind HAProxy that are started anew, one after the other, under load: nobody notices', async () => {
  const { balancer, rounds, end } = await restartAll({
    redis: redis.path,
    clients: 20,
    queryEveryMs: 100,
    tickEveryMs: 500,
    // It ends when nobody is left. They move at once.
    withinMs: 60_000,
    moveAtOnce: true,
    rounds: 1,
    beforeMs: 0,
    execArgv: [`--import=${new URL('../../examples/from-source.ts', import.meta.url).href}`],
  });
  expect(balancer).toBe('HAProxy');
  expect(rounds[0]!.during).toMatchObject({ failed: 0, away: 0 });
  expect(end).toMatchObject({ lost: 0, doubled: 0, gaps: 0 });
  expect(Math.min(rounds[0]!.during.calls, rounds[0]!.during.events, end.published)).toBeGreaterThan(0);
});
