import { onlineManager, skipToken } from '@tanstack/query-core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createClient } from '../../src/index.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { bridgeOnline, queryUtils } from '../../src/tanstack-query/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';
import { answer, QueryWorld } from './world.ts';

const world = scripted();
const queries = new QueryWorld();

const RETRYABLE = { code: 'RATE_LIMITED', message: 'later' };
const FINAL = { code: 'INTERNAL', message: 'no' };

afterEach(() => onlineManager.setOnline(true));

async function start() {
  const q = queryUtils(world.start());
  return { q, socket: await world.welcomed() };
}

describe('keys', () => {
  test('name the prefix, the path, the kind and the input; those of a group begin all in it', () => {
    const q = queryUtils(world.start());
    expect(q.key()).toEqual(['tautline']);
    expect(q.get.key()).toEqual(['tautline', 'get']);
    expect(q.get.queryKey({ id: 1 })).toEqual(['tautline', 'get', { type: 'query', input: { id: 1 } }]);
    expect(q.ping.queryKey()).toEqual(['tautline', 'ping', { type: 'query' }]);
    expect(q.add.mutationKey()).toEqual(['tautline', 'add', { type: 'mutation' }]);
    expect(q.counts.stateKey()).toEqual(['tautline', 'counts', { type: 'state' }]);
    expect(q.get.queryOptions({ id: 1 }).queryKey).toEqual(q.get.queryKey({ id: 1 }));
  });

  test('differ for inputs that JSON does not tell apart', () => {
    const q = queryUtils(world.start());
    const inputs = [
      1n,
      '1',
      new Map([[1, 2]]),
      new Map(),
      new Set([1]),
      new Set(),
      NaN,
      null,
      /a/,
      {},
      new Date(0),
      [undefined],
    ];
    const keys = inputs.map((id) => JSON.stringify(q.get.queryKey({ id } as never)));
    expect(new Set(keys).size).toBe(inputs.length);
  });
});

describe('a query', () => {
  test('is called, once for all who show it; what gives nothing is null', async () => {
    const { q, socket } = await start();
    const shown = [queries.show(q.get.queryOptions({ id: 1 })), queries.show(q.get.queryOptions({ id: 1 }))];
    const nothing = queries.show(q.ping.queryOptions());
    await settle();
    expect(socket.all('call')).toHaveLength(2);
    await answer(socket, { name: 'Ada' }, undefined);
    expect(shown.map(({ data }) => data)).toEqual([{ name: 'Ada' }, { name: 'Ada' }]);
    expect([nothing.status, nothing.data]).toEqual(['success', null]);
    expect(queries.client.getQueryData(q.get.queryKey({ id: 1 }))?.name).toBe('Ada');
  });

  test('is not called with a skipToken', async () => {
    const { q, socket } = await start();
    expect(queries.show(q.get.queryOptions(skipToken)).fetchStatus).toBe('idle');
    await settle();
    expect(socket.all('call')).toEqual([]);
  });

  test('is cancelled at the server when nobody shows it any more', async () => {
    const { q, socket } = await start();
    const shown = queries.show(q.get.queryOptions({ id: 1 }));
    await settle();
    shown.leave();
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
  });

  test('is tried again where the error says that it may succeed, twice; and else not', async () => {
    const { q, socket } = await start();
    const final = queries.show(q.get.queryOptions({ id: 1 }));
    await settle();
    await socket.say(['error', 1, FINAL]);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(final.status).toBe('error');
    expect(socket.all('call')).toHaveLength(1);
    const again = queries.show(q.get.queryOptions({ id: 2 }));
    await settle();
    for (const id of [2, 3, 4]) {
      expect(again.status).toBe('pending');
      await socket.say(['error', id, RETRYABLE]);
      await vi.advanceTimersByTimeAsync(2_001);
    }
    expect(again.status).toBe('error');
    expect(socket.all('call')).toHaveLength(4);
  });

  test('waits as long as the server says', async () => {
    const { q, socket } = await start();
    queries.show(q.get.queryOptions({ id: 1 }));
    await settle();
    await socket.say(['error', 1, { ...RETRYABLE, retryAfterMs: 7_000 }]);
    await vi.advanceTimersByTimeAsync(6_999);
    expect(socket.all('call')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await settle();
    expect(socket.all('call')).toHaveLength(2);
  });

  test('takes a time limit and headers for its calls, and what TanStack Query has', async () => {
    const { q, socket } = await start();
    const options = q.get.queryOptions(
      { id: 1 },
      { call: { headers: { a: 'b' } }, retry: false, select: (user) => user.name },
    );
    expect(options).not.toHaveProperty('call');
    const shown = queries.show(options);
    await settle();
    expect(socket.all('call')[0]![3]).toMatchObject({ a: 'b' });
    await answer(socket, { name: 'Ada' });
    expect(shown.data).toBe('Ada');
  });
});

describe('a mutation', () => {
  test('goes out while the browser says that it is offline, for the socket lives; a query, too', async () => {
    const { q, socket } = await start();
    onlineManager.setOnline(false);
    queries.show(q.get.queryOptions({ id: 1 }));
    const added = queries.mutate(q.add.mutationOptions(), { by: 2 });
    await settle();
    expect(socket.all('call').map(([, , path]) => path)).toEqual(['get', 'add']);
    await answer(socket, { name: 'Ada' }, 3);
    expect(added.getCurrentResult()).toMatchObject({ status: 'success', data: 3, isPaused: false });
  });

  test('is tried again where it has not happened, and not where it may have', async () => {
    const { q, socket } = await start();
    const added = queries.mutate(q.add.mutationOptions(), { by: 2 });
    await settle();
    await socket.say(['error', 1, RETRYABLE]);
    await vi.advanceTimersByTimeAsync(1_001);
    await socket.say(['error', 2, { code: 'TIMEOUT', message: 'late' }]);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(added.getCurrentResult()).toMatchObject({ status: 'error', error: { retryable: true, outcome: 'unknown' } });
    expect(socket.all('call')).toHaveLength(2);
  });
});

describe('a stream', () => {
  const open = async () => {
    const q = queryUtils(createClient(streaming, world.connect()));
    return { q, socket: await world.welcomed() };
  };

  test('is a success from its start, grows with each item, and is fetching until it ends', async () => {
    const { q, socket } = await open();
    const options = { reducer: (sum: number, item: number) => sum + item, initialValue: 0 };
    const shown = queries.show(q.count.streamedOptions({ to: 3 }, options));
    await settle();
    expect([shown.status, shown.data, shown.fetchStatus]).toEqual(['success', 0, 'fetching']);
    await socket.say(['item', 1, 1, 10]);
    await settle();
    await socket.say(['item', 1, 2, 20], ['done', 1]);
    await settle();
    expect([shown.data, shown.fetchStatus]).toEqual([30, 'idle']);
    expect(shown.history.slice(0, 2)).toEqual([0, 10]);
  });

  test('without a reducer is an array', async () => {
    const { q, socket } = await open();
    const shown = queries.show(q.count.streamedOptions({ to: 3 }));
    await settle();
    await socket.say(['item', 1, 1, 10], ['item', 1, 2, 20], ['done', 1]);
    await settle();
    expect(shown.data).toEqual([10, 20]);
  });

  test('that is left ends at the server, and no half of it stays', async () => {
    const { q, socket } = await open();
    const shown = queries.show(q.count.streamedOptions({ to: 3 }));
    await settle();
    await socket.say(['item', 1, 1, 10]);
    await settle();
    expect(shown.data).toEqual([10]);
    shown.leave();
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
    expect(queries.client.getQueryData(q.count.queryKey({ to: 3 }))).toBeUndefined();
    queries.show(q.count.streamedOptions({ to: 3 }));
    await settle();
    expect(socket.all('open')).toHaveLength(2);
  });

  test('that fails keeps what came, with its error', async () => {
    const { q, socket } = await open();
    const shown = queries.show(q.count.streamedOptions({ to: 3 }));
    await settle();
    await socket.say(['item', 1, 1, 10], ['error', 1, FINAL]);
    await settle();
    expect(shown).toMatchObject({ status: 'error', data: [10], error: { code: 'INTERNAL' }, fetchStatus: 'idle' });
  });
});

test('stateOptions of a topic without a state fail with what the topic lacks, and subscribe to nothing', async () => {
  const { q } = await start();
  const options = (q.news as unknown as Pick<typeof q.counts, 'stateOptions'>).stateOptions({ channel: 'a' } as never);
  await expect(queries.client.query(options)).rejects.toThrow(
    DEVELOPMENT ? "topic 'news/{channel}' has no state" : 'news/{channel}',
  );
  await settle();
  expect(world.connection.stats().subscriptions).toBe(0);
});

test('bridgeOnline: TanStack Query is offline while the connection is not up', async () => {
  await start();
  const stop = bridgeOnline(onlineManager, world.connection);
  expect(onlineManager.isOnline()).toBe(true);
  await world.server.sockets[0]!.cut();
  expect(onlineManager.isOnline()).toBe(false);
  stop();
  expect(onlineManager.isOnline()).toBe(true);
});
