import { MutationObserver } from '@tanstack/query-core';
import { describe, expect, test, vi } from 'vitest';
import * as CloseCode from '../../src/protocol/close-code.ts';
import { attachTopics, queryUtils } from '../../src/tanstack-query/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { answer, QueryWorld } from './world.ts';

const world = scripted({ auth: () => 'alice' });
const queries = new QueryWorld();

const live = (n: number, state: object) => [
  ['subscribed', n, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], state],
];

describe('another user', () => {
  test('sees no answer of the former one: what is shown is emptied before setAuth returns, and asked for again', async () => {
    const q = queryUtils(world.start());
    const socket = await world.welcomed();
    const shown = queries.show(q.get.queryOptions({ id: 1 }));
    const left = queries.show(q.get.queryOptions({ id: 2 }));
    await settle();
    await answer(socket, { name: 'Alice' }, { name: 'left' });
    left.leave();
    queries.client.setQueryData(['mine'], 'kept');

    world.connection.setAuth(() => 'bob');
    expect([shown.status, shown.data]).toEqual(['pending', undefined]);
    expect(queries.client.getQueryCache().findAll({ queryKey: q.key() })).toHaveLength(1);
    expect(queries.client.getQueryData(['mine'])).toBe('kept');
    const second = await world.server.socket();
    await second.welcome({ identity: 'I2' });
    await answer(second, { name: 'Bob' });
    expect(shown.history).toEqual([{ name: 'Alice' }, { name: 'Bob' }]);
    expect(second.all('call')).toHaveLength(1);
  });

  test('also where the server finds that a token belongs to somebody else', async () => {
    const q = queryUtils(world.start());
    const socket = await world.welcomed();
    const shown = queries.show(q.get.queryOptions({ id: 1 }));
    await settle();
    await answer(socket, { name: 'Alice' });
    await socket.close(CloseCode.GOING_AWAY);
    await (await world.server.next()).close(CloseCode.OTHER_IDENTITY);
    expect([shown.status, shown.data]).toEqual(['pending', undefined]);
  });

  test('an answer, a try again and a stream that are under way put nothing into the cache', async () => {
    const q = queryUtils(world.start());
    const socket = await world.welcomed();
    const [waiting, failed] = [1, 2].map((id) => queries.show(q.get.queryOptions({ id })));
    await settle();
    await socket.say(['error', 2, { code: 'RATE_LIMITED', message: 'later' }]);
    world.connection.setAuth(null);
    await answer(socket, { name: 'Alice' }, { name: 'Alice' });
    await vi.advanceTimersByTimeAsync(3_000);
    expect([waiting!.history, failed!.history]).toEqual([[], []]);
  });

  test('sees no result of the former one’s mutations', async () => {
    const q = queryUtils(world.start());
    const socket = await world.welcomed();
    queries.show(q.ping.queryOptions());
    await settle();
    const added = new MutationObserver(queries.client, q.add.mutationOptions());
    added.subscribe(() => {});
    const adding = added.mutate({ by: 1 });
    await settle();
    await answer(socket, undefined, 41);
    expect(await adding).toBe(41);
    expect(added.getCurrentResult().data).toBe(41);
    world.connection.setAuth(() => 'bob');
    expect(added.getCurrentResult()).toMatchObject({ status: 'idle', data: undefined });
    expect(queries.client.getMutationCache().findAll({ mutationKey: q.key() })).toEqual([]);
  });

  test('gets his own state of a topic, also of one that was refused to the former one', async () => {
    const client = world.start();
    const q = queryUtils(client);
    attachTopics(queries.client, client);
    const socket = await world.welcomed();
    const shown = queries.show(q.counts.stateOptions());
    await settle();
    await socket.say(...live(1, { alice: 1 }));
    world.connection.setAuth(() => 'bob');
    expect([shown.status, shown.data]).toEqual(['pending', undefined]);
    const second = await world.server.socket();
    await second.welcome({ identity: 'I2' });
    const refused = () => [
      'unsubscribed',
      second.all('subscribe').at(-1)![1],
      'counts',
      { code: 'FORBIDDEN', message: '' },
    ];
    await second.say(refused());
    await settle();
    expect(shown.error).toMatchObject({ code: 'FORBIDDEN' });
    world.connection.setAuth(() => 'carol');
    const third = await world.server.socket();
    await third.welcome({ identity: 'I3' });
    await third.say(...live(third.all('subscribe').at(-1)![1], { carol: 3 }));
    await settle();
    expect(shown.history).toEqual([{ alice: 1 }, { carol: 3 }]);
    expect(shown.status).toBe('success');
  });

  test('a live query goes on with his events', async () => {
    const client = world.start();
    const q = queryUtils(client);
    attachTopics(queries.client, client);
    const socket = await world.welcomed();
    const shown = queries.show(
      q.get.queryOptions(
        { id: 1 },
        { live: { topic: client.news({ channel: 'a' }), event: (user, { text }) => ({ name: user.name + text }) } },
      ),
    );
    await settle();
    await socket.say(['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: '' }]);
    await answer(socket, { name: 'Alice' });
    world.connection.setAuth(() => 'bob');
    const second = await world.server.socket();
    await second.welcome({ identity: 'I2' });
    await second.say(['subscribed', second.all('subscribe')[0]![1], 'news/a', ['E', 0], 'live']);
    await answer(second, { name: 'Bob' });
    await second.say(['event', 'news/a', 1, { text: '!' }]);
    await settle();
    expect(shown.history).toEqual([{ name: 'Alice' }, { name: 'Bob' }, { name: 'Bob!' }]);
  });
});

describe('two clients of one QueryClient', () => {
  test('with prefixes of their own are emptied by their own users', async () => {
    const [one, other] = [queryUtils(world.start(), { prefix: 'one' }), world.connection];
    const socket = await world.welcomed();
    const two = queryUtils(world.start(), { prefix: 'two' });
    const second = await world.welcomed();
    const shown = [one, two].map((q) => queries.show(q.get.queryOptions({ id: 1 })));
    await settle();
    await answer(socket, { name: 'Alice' });
    await answer(second, { name: 'Ada' });
    other.setAuth(null);
    expect(shown.map(({ data }) => data)).toEqual([undefined, { name: 'Ada' }]);
    await other.close();
  });

  test('under one prefix are told apart: the second one gets an error, and never the first one’s answer by asking', async () => {
    const client = world.start();
    await world.welcomed();
    attachTopics(queries.client, client)();
    const first = world.connection;
    const another = world.start();
    expect(() => attachTopics(queries.client, another)).toThrow(/give queryUtils and attachTopics \{ prefix \}/);
    const shown = queries.show(queryUtils(another).get.queryOptions({ id: 1 }));
    await settle();
    expect(shown.error).toBeInstanceOf(TypeError);
    await first.close();
    expect(attachTopics(queries.client, another)()).toBeUndefined();
  });

  test('where the first one is closed, the second one takes over, without its answers', async () => {
    const one = queryUtils(world.start());
    const first = world.connection;
    const socket = await world.welcomed();
    queries.show(one.get.queryOptions({ id: 2 })).leave();
    const old = queries.show(one.get.queryOptions({ id: 1 }, { staleTime: Infinity }));
    await settle();
    await answer(socket, { name: 'Alice' });
    old.leave();
    await first.close();
    const two = queryUtils(world.start());
    const second = await world.welcomed();
    const stale = queries.show(two.get.queryOptions({ id: 1 }));
    await settle();
    expect([stale.status, stale.data]).toEqual(['pending', undefined]);
    await answer(second, { name: 'Bob' });
    expect(stale.data).toEqual({ name: 'Bob' });
    expect(second.all('call')).toHaveLength(1);
    expect(queries.client.getQueryCache().findAll({ queryKey: two.key() })).toHaveLength(1);
  });
});
