import { expect, test, vi } from 'vitest';
import { RedisConnection } from '../../../src/server/brokers/redis/redis-connection.ts';
import type { RedisPort } from '../../../src/server/brokers/redis/redis-port.ts';

/** A client of Redis that answers as the test says; the last argument is the mark of what is asked. */
function portOf(run: RedisPort['run']): RedisPort {
  const nothing = (): void => undefined;
  const asked = async (): Promise<void> => undefined;
  const listeners = { onMessage: nothing, onReady: nothing, onChange: nothing };
  return { isReady: true, isCluster: false, run, subscribe: asked, unsubscribe: asked, ...listeners, close: nothing };
}

const idle = portOf(async () => []);

test('an answer is that to what was asked; one to something else is a failure of unknown outcome', async () => {
  const marks: string[] = [];
  const connection = new RedisConnection(
    'redisCallStore',
    1000,
    portOf(async (_script, _keys, args) => {
      marks.push(args.at(-1)!);
      // From the second on it is one behind.
      return [marks[marks.length === 1 ? 0 : marks.length - 2], 'new'];
    }),
    idle,
  );
  expect(await connection.run('return 1', [], [])).toBe('new');
  await expect(connection.run('return 1', [], [])).rejects.toMatchObject({
    code: 'DISCONNECTED',
    outcome: 'unknown',
    message:
      'DISCONNECTED: redisCallStore: the client of Redis gave the answer to something else: it has to connect anew',
  });
  expect(connection.isUp).toBe(false);
});

test('an answer without a mark is none, and two connections that share a client do not take each other’s', async () => {
  const marks = new Set<string>();
  const shared = portOf(async (_script, _keys, args) => {
    marks.add(args.at(-1)!);
    return 'OK';
  });
  const connections = ['redisBroker', 'redisCallStore'].map((owner) => new RedisConnection(owner, 1000, shared, idle));
  for (const connection of connections) {
    await expect(connection.run('return 1', [], [])).rejects.toMatchObject({ code: 'DISCONNECTED' });
  }
  expect(marks.size).toBe(2);
});

test('who waits is let go when it is closed, and nothing is left of it', async () => {
  vi.useFakeTimers();
  let isReady = true;
  let asked = 0;
  const silent = portOf(() => {
    asked++;
    return new Promise(() => undefined);
  });
  const port = {
    ...silent,
    get isReady() {
      return isReady;
    },
  };
  const connection = new RedisConnection('redisBroker', 1000, port, idle);
  const sent = connection.run('return 1', [], []);
  isReady = false;
  const waits = [connection.run('return 1', [], []), connection.ready()];
  connection.close();
  const closed = { code: 'CLOSED', message: 'CLOSED: redisBroker is closed' };
  await expect(sent).rejects.toMatchObject({ ...closed, outcome: 'unknown' });
  for (const wait of waits) await expect(wait).rejects.toMatchObject({ ...closed, outcome: 'not-sent' });
  isReady = true;
  await expect(connection.run('return 1', [], [])).rejects.toMatchObject({ ...closed, outcome: 'not-sent' });
  expect(asked).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
