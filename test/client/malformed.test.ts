import { expect, test } from 'vitest';
import { createClient, defineContract, stream } from '../../src/index.ts';
import { z } from 'zod';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

test('a malformed answer ends its call alone, which is cancelled', async () => {
  const client = world.start();
  const socket = await world.welcomed();
  const [ill, well] = [client.add({ by: 1 }).safe(), client.add({ by: 2 })];
  await settle();
  await socket.say(['error', 1, { code: 7 }], ['reply', 2, 2]);
  expect((await ill).error).toMatchObject({ code: 'BAD_OUTPUT', outcome: 'unknown', path: 'add' });
  expect(await well).toBe(2);
  await settle();
  expect(socket.all('cancel')).toEqual([['cancel', 1]]);
  expect(world.connection.status.state).toBe('connected');
});

test('a malformed item ends its stream alone, behind the items before it', async () => {
  const contract = defineContract({ count: stream({ output: z.number() }) });
  const client = createClient(contract, world.connect());
  const socket = await world.welcomed();
  const [ill, well] = [client.count(), client.count()];
  const reads = [ill.next(), ill.next().catch((error: unknown) => error), well.next()];
  await settle();
  await socket.say(['item', 1, 1, 10], ['item', 1, 'two', 20], ['item', 2, 1, 30]);
  expect(await Promise.all(reads)).toMatchObject([{ value: 10 }, { code: 'BAD_OUTPUT' }, { value: 30 }]);
  expect(socket.all('cancel')).toEqual([['cancel', 1]]);
  await well.return();
});

test('a malformed word on a subscription makes the connection anew: nothing else would end the wait', async () => {
  const client = world.start();
  const socket = await world.welcomed();
  const { ready } = client.news({ channel: 'a' }).subscribe(() => {});
  await settle();
  const [[, n]] = socket.all('subscribe') as [['subscribe', number, string]];
  await socket.say(['subscribed', n, 'news/a', 'nowhere', 'live']);
  expect(world.connection.status.state).toBe('waiting');
  expect(world.errors).toHaveLength(1);
  const next = await world.server.next();
  await next.welcome();
  const [[, again]] = next.all('subscribe') as [['subscribe', number, string]];
  await next.say(['subscribed', again, 'news/a', ['E', 1], 'live']);
  await ready;
});
