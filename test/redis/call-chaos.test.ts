import { createClient as createRedis } from '@redis/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, isTautlineError, mutation } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { redisCallStore } from '../../src/server/redis.ts';
import { CLIENTS } from './clients.ts';
import { RedisServer } from './redis-server.ts';

const contract = defineContract({ pay: mutation({ input: z.string(), output: z.string() }) });
const redis = new RedisServer();
const admin = createRedis({ socket: { path: redis.path, reconnectStrategy: () => 10 } });
admin.on('error', () => undefined);

beforeAll(async () => {
  await redis.start();
  await admin.connect();
});
afterAll(async () => {
  admin.destroy();
  await redis.remove();
});

/** Random, and the same in each run. */
function* randoms(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state * 48_271) % 2_147_483_647;
    yield state / 2_147_483_647;
  }
}

async function start(kind: string, ran: Map<string, number>) {
  const [commands, subscriber] = [await CLIENTS[kind]!(redis.path), await CLIENTS[kind]!(redis.path)];
  const callStore = redisCallStore({ commands: commands.client, subscriber: subscriber.client, timeoutMs: 2000 });
  const server = createServer(contract, {
    callStore,
    onError: () => undefined,
    handlers: {
      pay: async ({ input }) => {
        ran.set(input, (ran.get(input) ?? 0) + 1);
        // As long as a step in Redis takes: some are under way whenever something happens.
        if (admin.isReady) await admin.ping().catch(() => undefined);
        return input;
      },
    },
  });
  const listener = await listen(server);
  onTestFinished(async () => {
    await listener.close();
    await callStore.close();
    await Promise.all([commands.end(), subscriber.end()]);
  });
  return listener.url;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
  'nothing runs twice, and what is said is true, whatever happens on the way: world %i',
  async (seed) => {
    const ran = new Map<string, number>();
    const urls = await Promise.all(Object.keys(CLIENTS).map((kind) => start(kind, ran)));
    const random = randoms(seed);
    const pick = (count: number): number => Math.floor(random.next().value * count);
    const outcomes = new Map<string, string>();
    const users = Array.from({ length: 4 }, (_, user) => {
      const connection = connect(() => urls[pick(urls.length)]!);
      // By itself it would come back often for a while, and then seldom.
      connection.on('status', ({ state }) => state === 'waiting' && queueMicrotask(() => connection.reconnect()));
      onTestFinished(() => connection.close());
      return { user, connection, client: createClient(contract, connection), calls: [] as Promise<void>[] };
    });
    const pay = ({ client, calls }: (typeof users)[number], name: string): void => {
      const told = client.pay(name).then(
        () => 'done',
        (error: unknown) => (isTautlineError(error) ? error.outcome : String(error)),
      );
      calls.push(told.then((outcome) => void outcomes.set(name, outcome)));
    };
    for (let step = 0; step < 150; step++) {
      const one = users[pick(users.length)]!;
      for (let call = 0; call <= pick(4); call++) pay(one, `${one.user}:${step}:${call}`);
      const what = pick(12);
      if (what < 5) one.connection.reconnect({ seamless: what < 2 });
      else if (what === 5) await admin.del(await admin.keys('tautline:calls:node:*')).catch(() => undefined);
      else if (what === 6) await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
      else if (what === 7) await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes']);
      else if (what === 8) await admin.sendCommand(['SAVE']);
      else if (what === 9 && step % 3 === 0) {
        await redis.kill();
        await redis.start();
      }
      await admin.ping();
    }
    await Promise.all(users.flatMap(({ calls }) => calls));
    const twice = [...ran].filter(([, times]) => times > 1);
    const untrue = [...outcomes].filter(([name, outcome]) =>
      outcome === 'done' ? ran.get(name) !== 1 : outcome === 'unknown' ? false : ran.has(name),
    );
    expect([twice, untrue]).toEqual([[], []]);
    expect(outcomes.size).toBeGreaterThan(150);
    const done = [...outcomes.values()].filter((outcome) => outcome === 'done').length;
    expect(done).toBeGreaterThan(outcomes.size / 2);
  },
);
