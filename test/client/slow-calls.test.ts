import { describe, expect, test, vi } from 'vitest';
import { createClient, defineContract, mutation, query, stream } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted({ random: () => 0 });

describe('slow calls', () => {
  const procedure = { report: query(), other: query(), quick: query(), save: mutation(), pay: mutation() };
  const many = (count: number, call: () => { safe(): unknown }): void => {
    for (let made = 0; made < count; made++) void call().safe();
  };
  const called = async (
    socket: Awaited<ReturnType<typeof world.server.socket>>,
  ): Promise<Readonly<Record<string, number>>> => {
    await settle();
    const counts: Record<string, number> = {};
    for (const [, , path] of socket.all('call')) counts[path] = (counts[path] ?? 0) + 1;
    return counts;
  };

  test('leave an eighth of the slots to what others ask', async () => {
    world.start();
    const client = createClient(defineContract(procedure), world.connection);
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 256 } });
    many(300, client.report);
    many(40, client.other);
    many(10, client.quick);
    expect(await called(socket)).toEqual({ report: 224, other: 16, quick: 10 });
    // What is quick goes on, whatever waits.
    await socket.say(
      ...socket.all('call').flatMap(([, id, path]) => (path === 'quick' ? [['reply', id] as const] : [])),
    );
    many(10, client.quick);
    expect(await called(socket)).toEqual({ report: 224, other: 16, quick: 20 });
    // So does what waited behind its own kind.
    await socket.say(
      ...socket.all('call').flatMap(([, id, path]) => (path === 'other' ? [['reply', id] as const] : [])),
    );
    expect(await called(socket)).toEqual({ report: 224, other: 32, quick: 20 });
  });

  test('that act keep their order with all that acts, and hold up no query', async () => {
    world.start();
    const client = createClient(defineContract(procedure), world.connection);
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 256 } });
    many(230, client.save);
    many(1, client.pay);
    many(5, client.quick);
    expect(await called(socket)).toEqual({ save: 224, quick: 5 });
    const [, first] = socket.all('call')[0]!;
    await socket.say(['reply', first]);
    for (let id = first + 1; id < first + 20; id++) await socket.say(['reply', id]);
    expect(await called(socket)).toEqual({ save: 230, quick: 5, pay: 1 });
    expect(socket.all('call').at(-1)![2]).toBe('pay');
  });

  test('that act and wait for their kind are not overtaken by a stream that was opened after them', async () => {
    world.start();
    const contract = defineContract({ ...procedure, feed: stream() });
    const client = createClient(contract, world.connection);
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 256 } });
    many(230, client.save);
    const feed = client.feed()[Symbol.asyncIterator]();
    void feed.next();
    expect(await called(socket)).toEqual({ save: 224 });
    expect(socket.all('open')).toEqual([]);
    for (const [, id] of socket.all('call').slice(0, 20)) await socket.say(['reply', id]);
    expect(await called(socket)).toEqual({ save: 230 });
    expect(socket.all('open').map(([, , path]) => path)).toEqual(['feed']);
    await feed.return?.();
  });

  test('take all slots of a small window', async () => {
    world.start();
    const client = createClient(defineContract(procedure), world.connection);
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 100 } });
    many(120, client.report);
    expect(await called(socket)).toEqual({ report: 100 });
  });

  test('that wait for their kind go to the next socket, in their turn', async () => {
    world.start();
    const client = createClient(defineContract(procedure), world.connection);
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 256 } });
    many(256, client.report);
    expect(await called(socket)).toEqual({ report: 224 });
    await socket.close(1006);
    await vi.advanceTimersByTimeAsync(10_000);
    const next = await world.server.socket();
    await next.welcome({ limits: { calls: 1024 } });
    expect(await called(next)).toEqual({ report: 256 });
  });
});
