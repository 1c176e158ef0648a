import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Position } from '../../src/index.ts';
import { redisBroker, type RedisBrokerOptions } from '../../src/server/redis.ts';
import { CLIENTS, type TestClient } from './clients.ts';
import { RedisServer } from './redis-server.ts';

const redis = new RedisServer();
const topic = 'rooms/blue';

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

/** Waits for something that is told, without looking again and again. */
class Heard {
  readonly payloads: string[] = [];
  resets = 0;
  #changed: Array<() => void> = [];
  readonly listener = {
    event: ({ payload }: { payload: string }) => {
      this.payloads.push(payload);
      this.#tell();
    },
    reset: () => {
      this.resets++;
      this.#tell();
    },
  };

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

const numbers = (count: number, from = 1): string[] => Array.from({ length: count }, (_, index) => `${from + index}`);
/** It is subscribed no more, and does not know. */
const deafen = ({ client }: TestClient) =>
  (client as { unsubscribe(channel: string): Promise<unknown> }).unsubscribe(`tautline:${topic}`);
const clientsOf = (type: 'pubsub' | 'normal') => admin.sendCommand(['CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes']);

describe.each(Object.entries(CLIENTS))('On %s', (_name, connect) => {
  /** A server's broker, that has not yet subscribed. */
  async function brokerOf(options: Partial<RedisBrokerOptions> = {}) {
    const [commands, subscriber] = [await connect(redis.path), await connect(redis.path)];
    const broker = redisBroker({ commands: commands.client, subscriber: subscriber.client, ...options });
    onTestFinished(async () => {
      await broker.close();
      await Promise.all([commands.end(), subscriber.end()]);
    });
    const publish = async (...args: Parameters<typeof broker.publish>) => broker.publish(...args);
    const subscribe = async (name: string, listener: Heard['listener']) => broker.subscribe(name, listener);
    const connection = broker.connection!;
    const until = (isUp: boolean) =>
      new Promise<void>((resolve) => {
        const look = () => connection.isUp === isUp && resolve();
        connection.onChange(look);
        look();
      });
    return { broker: { publish, subscribe, connection, until, close: () => broker.close() }, subscriber };
  }

  async function node(options?: Partial<RedisBrokerOptions>) {
    const { broker, subscriber } = await brokerOf(options);
    const heard = new Heard();
    const feed = await broker.subscribe(topic, heard.listener);
    return Object.assign(heard, { broker, subscriber, feed });
  }

  test('nothing is missed while connections are killed ten times under load, and no gap is told', async () => {
    const [one, other] = [await node(), await node()];
    for (let round = 0; round < 10; round++) {
      const published = numbers(60, round * 60 + 1).map((payload) => one.broker.publish(topic, payload));
      await clientsOf('pubsub');
      await Promise.all(published);
    }
    await other.until(() => other.payloads.length === 600);
    await one.until(() => one.payloads.length === 600);
    expect([other.payloads, other.resets]).toEqual([numbers(600), 0]);
    expect(one.payloads).toEqual(numbers(600));
  });

  test('one publish while the line was cut is found when it is back, though nothing follows', async () => {
    const heard = await node({ checkMs: 1_000_000 });
    const { broker } = await brokerOf();
    await broker.publish(topic, '1');
    await heard.until(() => heard.payloads.length === 1);
    const published = [clientsOf('pubsub'), broker.publish(topic, '2')];
    await Promise.all(published);
    await heard.until(() => heard.payloads.length === 2);
    expect([heard.payloads, heard.resets]).toEqual([['1', '2'], 0]);
  });

  test('what a line that seems alive does not bring is found by comparing', async () => {
    const heard = await node({ checkMs: 20 });
    const { broker } = await brokerOf();
    await deafen(heard.subscriber);
    await broker.publish(topic, '1');
    await heard.until(() => heard.payloads.length === 1);
    expect(heard.resets).toBe(0);
  });

  test('a Redis that was emptied is told as one gap, and all goes on', async () => {
    const heard = await node({ checkMs: 20 });
    await heard.broker.publish(topic, '1');
    const [epoch] = heard.feed.head;
    await heard.until(() => heard.payloads.length === 1);
    await admin.flushAll();
    await heard.until(() => heard.resets === 1);
    expect(heard.feed.head).toEqual([expect.not.stringMatching(epoch), 0]);
    await heard.broker.publish(topic, '2');
    await heard.until(() => heard.payloads.length === 2);
    expect([heard.payloads, heard.resets]).toEqual([['1', '2'], 1]);
  });

  test('a Redis that dies and comes back empty is told as one gap, and what was asked meanwhile waits for it', async () => {
    const heard = await node();
    await heard.broker.publish(topic, '1');
    await heard.until(() => heard.payloads.length === 1);
    await redis.kill();
    const published = heard.broker.publish(topic, '2');
    published.catch(() => undefined);
    await redis.start();
    await published.catch(() => heard.broker.publish(topic, '2'));
    await heard.until(() => heard.resets === 1);
    await heard.broker.publish(topic, '3');
    await heard.until(() => heard.payloads.at(-1) === '3');
    expect(heard.resets).toBe(1);
  });

  test('a Redis that lost its last writes is found out by what follows: no event takes the place of another', async () => {
    const heard = await node({ checkMs: 1_000_000 });
    const keys = [`tautline:{${topic}}:head`, `tautline:{${topic}}:history`] as const;
    for (const payload of numbers(3)) await heard.broker.publish(topic, payload);
    const bytes = admin.withTypeMapping({ 36: Buffer });
    const stored = await Promise.all(keys.map((key) => bytes.dump(key)));
    for (const payload of numbers(2, 4)) await heard.broker.publish(topic, payload);
    await heard.until(() => heard.payloads.length === 5);
    const [epoch] = heard.feed.head;
    for (const [index, key] of keys.entries()) {
      await admin.restore(key, 600_000, stored[index] as unknown as string, { REPLACE: true });
    }
    const { broker } = await brokerOf();
    for (const payload of ['4 again', '5 again', '6']) await broker.publish(topic, payload);
    await heard.until(() => heard.resets === 1);
    await broker.publish(topic, '7');
    await heard.until(() => heard.payloads.at(-1) === '7');
    const [now, offset] = heard.feed.head;
    expect([now === epoch, heard.resets]).toEqual([false, 1]);
    expect(heard.payloads).toEqual([...numbers(5), ...['4 again', '5 again', '6', '7'].slice(-offset)]);
  });

  test('a frozen Redis holds nobody: what was asked fails, and all goes on when it is back', async () => {
    const heard = await node({ timeoutMs: 1_000, checkMs: 1_000_000 });
    await heard.broker.publish(topic, '1');
    await heard.until(() => heard.payloads.length === 1);
    redis.freeze();
    onTestFinished(() => redis.thaw());
    await expect(heard.broker.publish(topic, '2')).rejects.toThrow('redisBroker: Redis did not answer for 1000 ms');
    await expect(heard.broker.subscribe('rooms/red', new Heard().listener)).rejects.toThrow('did not answer');
    await expect(Promise.resolve(heard.feed.read([heard.feed.head[0], 0], 10))).rejects.toThrow('did not answer');
    redis.thaw();
    // It was sent, so it came to Redis: that is why nobody can say that it did not.
    await heard.until(() => heard.payloads.length === 2);
    await heard.broker.publish(topic, '3');
    await heard.until(() => heard.payloads.length === 3);
    expect([heard.payloads, heard.resets]).toEqual([numbers(3), 0]);
  });

  test('a Redis that is away is waited for, for a while; what was not sent is not done later', async () => {
    const heard = await node({ timeoutMs: 1_000 });
    await heard.broker.publish(topic, '1');
    await heard.until(() => heard.payloads.length === 1);
    await redis.kill();
    await expect(heard.broker.publish(topic, 'lost')).rejects.toThrow(/redisBroker: Redis|closed|Socket|Connection/);
    await expect(heard.broker.publish(topic, 'lost, too')).rejects.toThrow(
      'redisBroker: Redis is not connected for 1000 ms',
    );
    await redis.start();
    await heard.until(() => heard.resets === 1);
    await heard.broker.publish(topic, '2');
    await heard.until(() => heard.payloads.length === 2);
    expect(heard.payloads).toEqual(['1', '2']);
  });

  test('whether Redis is there is seen: killed, back, frozen, thawed, though nobody follows a topic', async () => {
    const { broker } = await brokerOf({ timeoutMs: 1_000, checkMs: 20 });
    const seen: boolean[] = [];
    const undo = broker.connection.onChange(() => seen.push(broker.connection.isUp));
    expect(broker.connection.isUp).toBe(true);
    await broker.connection.ready();
    await redis.kill();
    await broker.until(false);
    await expect(broker.connection.ready()).rejects.toMatchObject({ code: 'OFFLINE', outcome: 'not-sent' });
    await expect(broker.publish(topic, 'x')).rejects.toMatchObject({ code: 'OFFLINE', outcome: 'not-sent' });
    await redis.start();
    await broker.connection.ready().catch(() => broker.until(true));
    redis.freeze();
    onTestFinished(() => redis.thaw());
    await expect(broker.publish(topic, 'x')).rejects.toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
    expect(broker.connection.isUp).toBe(false);
    redis.thaw();
    await broker.until(true);
    expect(seen).toEqual([false, true, false, true]);
    undo();
    await redis.kill();
    await broker.until(false);
    await redis.start();
    await broker.until(true);
    expect(seen).toHaveLength(4);
  });

  test('history that was trimmed is one gap; what there is can be read', async () => {
    const heard = await node({ checkMs: 20, history: { size: 5 } });
    const { broker } = await brokerOf({ history: { size: 5 } });
    await broker.publish(topic, '1');
    await heard.until(() => heard.payloads.length === 1);
    await deafen(heard.subscriber);
    // All at once, so that no comparison comes between them.
    await Promise.all(numbers(10, 2).map((payload) => broker.publish(topic, payload)));
    await heard.until(() => heard.resets === 1 || heard.payloads.length === 11);
    const { feed } = heard;
    const [epoch] = feed.head;
    const at = (offset: number): Position => [epoch, offset];
    const read = async (offset: number, limit: number) =>
      (await feed.read(at(offset), limit))?.map(({ offset: its, payload }) => [its, payload]);
    expect(await feed.oldest?.()).toEqual(at(6));
    expect(await read(6, 10)).toEqual(numbers(5, 7).map((payload) => [Number(payload), payload]));
    expect(await read(8, 2)).toEqual([
      [9, '9'],
      [10, '10'],
    ]);
    expect(await read(11, 10)).toEqual([]);
    expect([await read(5, 10), await read(12, 10), await feed.read(['another', 7], 10)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a thousand topics come back with what each missed', async () => {
    const { broker } = await brokerOf({ checkMs: 1_000_000 });
    const names = numbers(1000).map((name) => `many/${name}`);
    const all = new Heard();
    await Promise.all(names.map((name) => broker.subscribe(name, all.listener)));
    const published = [clientsOf('pubsub'), ...names.map((name) => broker.publish(name, name))];
    await Promise.all(published);
    await all.until(() => all.payloads.length === 1000);
    expect([[...all.payloads].sort(), all.resets]).toEqual([[...names].sort(), 0]);
  });

  test('what several servers publish under one key takes effect once, as long as the history holds it', async () => {
    const [one, other] = [await node({ history: { size: 3 } }), await node({ history: { size: 3 } })];
    const keyed = async (payload: string, key: string, { broker } = one) => broker.publish(topic, payload, { key });
    const positions = await Promise.all(numbers(20).map((_, n) => keyed('x', 'k', [one, other][n % 2])));
    expect(new Set(positions.map(String)).size).toBe(1);
    expect((await keyed('y', 'other'))[1]).toBe(2);
    await one.broker.publish(topic, 'z');
    expect(await keyed('x again', 'k')).toEqual(positions[0]);
    await one.broker.publish(topic, 'pushes x out');
    expect((await keyed('another x', 'k'))[1]).toBe(5);
    await other.until(() => other.payloads.length === 5);
    expect(other.payloads).toEqual(['x', 'y', 'z', 'pushes x out', 'another x']);
    expect(await admin.hGetAll(`tautline:{${topic}}:keys`)).toEqual({ k: '5' });
  });

  test('a publication whose answer was lost is published again under its key, and is there once', async () => {
    const heard = await node({ timeoutMs: 1_000, checkMs: 1_000_000 });
    redis.freeze();
    onTestFinished(() => redis.thaw());
    await expect(heard.broker.publish(topic, '1', { key: 'k' })).rejects.toThrow('did not answer');
    redis.thaw();
    expect((await heard.broker.publish(topic, '1', { key: 'k' }))[1]).toBe(1);
    await heard.broker.publish(topic, '2');
    await heard.until(() => heard.payloads.length === 2);
    expect(heard.payloads).toEqual(['1', '2']);
  });

  test('close leaves no subscription and no listener behind', async () => {
    // Channels of its own: Redis may not have noticed yet that clients of the tests before are gone.
    const heard = await node({ prefix: 'alone:' });
    const channels = () => admin.sendCommand(['PUBSUB', 'CHANNELS', 'alone:*']);
    expect(await channels()).toEqual([`alone:${topic}`]);
    await heard.broker.close();
    const emitter = heard.subscriber.client as unknown as {
      subscribe(channel: string, listener: () => void): Promise<unknown>;
      listenerCount(event: string): number;
    };
    // What is asked on the same line after the unsubscribe comes after it.
    await emitter.subscribe('after', () => undefined);
    expect(await channels()).toEqual([]);
    const counts = ['ready', 'reconnecting', 'close', 'end', 'message'].map((name) => emitter.listenerCount(name));
    expect(counts).toEqual([0, 0, 0, 0, 0]);
  });
});

test('options that can not work are refused, and the error says what to give', async () => {
  const { client, end } = await CLIENTS['redis 6']!(redis.path);
  onTestFinished(end);
  const other = { ...({} as typeof client) };
  const make = (given: object) => () => redisBroker({ commands: client, subscriber: client, ...given });
  expect(make({})).toThrow('subscriber must be another client than commands: give commands.duplicate()');
  expect(make({ commands: other })).toThrow('commands must be a client of redis (5, 6) or ioredis (5, 6)');
  expect(make({ subscriber: undefined })).toThrow('subscriber must be a client of redis');
  expect(make({ prefix: '{x}' })).toThrow('prefix must be a text without braces');
  expect(make({ timeoutMs: 0 })).toThrow('redisBroker: timeoutMs is 0');
  expect(make({ history: { size: 'many' } })).toThrow('redisBroker: size must be a number');
});
