import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { redisBroker, redisPresenceStore } from '../../src/server/redis.ts';
import { clientName, Peer } from '../server/peer.ts';
import { HERE, start } from '../server/presence/fixture.ts';
import { CLIENTS } from './clients.ts';
import { RedisServer } from './redis-server.ts';

const redis = new RedisServer();
const admin = createClient({ socket: { path: redis.path, reconnectStrategy: () => 10 } });
admin.on('error', () => undefined);

beforeAll(async () => {
  await redis.start();
  await admin.connect();
});
afterEach(() => admin.flushAll());
afterAll(async () => {
  admin.destroy();
  await redis.remove();
});

/** A server whose presences and events go through Redis. */
async function node(kind: string, leaseMs?: number) {
  const [commands, subscriber] = [await CLIENTS[kind]!(redis.path), await CLIENTS[kind]!(redis.path)];
  const clients = { commands: commands.client, subscriber: subscriber.client };
  const presenceStore = redisPresenceStore({ ...clients, leaseMs });
  const { server } = start({ broker: redisBroker(clients), presenceStore });
  let isOver = false;
  const end = async () => {
    if (isOver) return;
    isOver = true;
    await Promise.all([commands.end(), subscriber.end()]);
  };
  onTestFinished(async () => {
    await server.close();
    presenceStore.close();
    await end();
  });
  const short = ({ id, info, connections }: any) => `${id} ${info.name} ${connections}`;
  const there = async () => (await server.topic('here', { roomId: '1' }).read()).state.map(short).sort();
  /** What somebody who looks on was told, in short. */
  const look = async () => {
    const peer = new Peer(server).hello(clientName(), 1, { token: 'onlooker' }).write(['subscribe', 1, HERE]);
    await expect.poll(() => peer.all('snapshot')).toHaveLength(1);
    return {
      events: () => peer.all('event').map(([, , , { type, member }]) => `${type} ${short(member)}`),
    };
  };
  /** Somebody's tab. */
  const enter = async (user: string, name = user, client = clientName(), n = 1) => {
    const peer = new Peer(server).hello(client, n, { token: user }).write(['publish', 1, HERE, [{ name }]]);
    await expect.poll(() => peer.answers(1)).toHaveLength(1);
    return Object.assign(peer, { client });
  };
  return { end, there, look, enter };
}

describe.each(Object.keys(CLIENTS))('with %s', (kind) => {
  test('somebody with tabs on two servers is there once, and has left with the last', async () => {
    const [one, other] = [await node(kind), await node(kind)];
    const eve = await one.look();
    const tabs = [await one.enter('ann', 'here')];
    await expect.poll(eve.events).toEqual(['joined ann here 1']);
    tabs.push(await other.enter('ann', 'there'));
    await expect.poll(eve.events).toEqual(['joined ann here 1', 'updated ann there 2']);
    expect(await other.there()).toEqual(['ann there 2']);
    for (const tab of tabs) tab.vanish(1000);
    await expect.poll(() => eve.events().at(-1)).toMatch(/^left ann/);
    expect(await other.there()).toEqual([]);
    await expect.poll(() => admin.keys('tautline:here:*')).toEqual(['tautline:here:leases']);
  });
});

test('a server that dies leaves no ghost', async () => {
  const [dead, alive] = [await node('redis 6', 1_000), await node('redis 6', 1_000)];
  const eve = await alive.look();
  await dead.enter('ann');
  await dead.enter('bob');
  await alive.enter('bob');
  await expect.poll(eve.events).toContain('updated bob bob 2');
  await dead.end();
  await expect.poll(eve.events).toContain('left ann ann 1');
  await expect.poll(() => eve.events().slice(3)).toContain('updated bob bob 1');
  expect(await alive.there()).toEqual(['bob bob 1']);
  await expect.poll(() => admin.zCard('tautline:here:leases')).toBe(1);
});

test('who left before Redis lost that is not there again for long', async () => {
  const [one, other] = [await node('redis 6', 3_000), await node('redis 5', 3_000)];
  const ann = await one.enter('ann');
  await other.enter('bob');
  await expect.poll(one.there).toEqual(['ann ann 1', 'bob bob 1']);
  await admin.sendCommand(['SAVE']);
  ann.vanish(1000);
  await expect.poll(one.there).toEqual(['bob bob 1']);
  await redis.kill();
  await redis.start();
  await expect.poll(other.there).toEqual(['bob bob 1']);
});

test('a Redis that was emptied has its people back by itself', async () => {
  const [one, other] = [await node('ioredis 6', 300), await node('ioredis 6', 300)];
  await one.enter('ann');
  await other.enter('bob');
  await expect.poll(one.there).toEqual(['ann ann 1', 'bob bob 1']);
  await admin.flushAll();
  await expect.poll(one.there).toEqual(['ann ann 1', 'bob bob 1']);
});
