import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { events, join, room, settle } from './joining.ts';
import { clientName, Gate, Peer } from './peer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('expiresAt', () => {
  const limited = (leftMs: Record<string, number | undefined>) =>
    start(
      {},
      {
        authenticate: ({ token = '' }) => ({
          identity: token.split(' ')[0]!,
          context: { user: token },
          expiresAt: leftMs[token] === undefined ? undefined : Date.now() + leftMs[token],
        }),
        heartbeatMs: 2 ** 31 - 1,
      },
    );

  test('closes with 4401 when it passes: nothing of then is run or delivered', async () => {
    const { server } = limited({ ann: 60_000 });
    const [ann, bob] = [await join(server, 'ann'), await join(server, 'bob')];
    for (const peer of [ann, bob]) peer.write(['subscribe', 1, 'rooms/1']);
    await vi.advanceTimersByTimeAsync(59_999);
    await server.topic('room', room).publish({ text: 'before' });
    await vi.advanceTimersByTimeAsync(1);
    await server.topic('room', room).publish({ text: 'after' });
    await settle();
    expect([events(ann), events(bob)]).toEqual([['before'], ['before', 'after']]);
    expect([ann.closedWith, bob.closedWith]).toEqual([
      { code: 4401, reason: 'the credentials have expired' },
      undefined,
    ]);
  });

  test('runs no call that comes when it has passed, though no timer has run yet', async () => {
    const place = vi.fn(() => ({ number: 1 }));
    const { server } = start(
      { orders: { place, cancel: () => undefined } },
      {
        authenticate: () => ({ identity: 'ann', context: { user: 'ann' }, expiresAt: Date.now() + 10_000 }),
      },
    );
    const ann = await join(server, 'ann');
    vi.setSystemTime(Date.now() + 10_000);
    ann.write(['call', 1, 'orders.place', null, { item: 'x' }]);
    await settle();
    expect([place.mock.calls.length, ann.closedWith?.code]).toEqual([0, 4401]);
  });

  test('that has passed already closes at once; fresh credentials put it off, also for ever', async () => {
    const { server } = limited({ 'ann old': -1, ann: 10_000, 'ann fresh': 21 * 86_400_000, 'ann ever': undefined });
    expect((await join(server, 'ann old')).closedWith?.code).toBe(4401);
    const ann = await join(server, 'ann');
    ann.write(['auth', 1, 'ann fresh']);
    await vi.advanceTimersByTimeAsync(20 * 86_400_000);
    expect(ann.closedWith).toBeUndefined();
    ann.write(['auth', 2, 'ann ever']);
    await vi.advanceTimersByTimeAsync(20 * 86_400_000);
    expect(ann.closedWith).toBeUndefined();
    ann.write(['auth', 3, 'ann']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ann.closedWith?.code).toBe(4401);
    await server.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that has passed already lets nobody in: no peer is told of, nothing that was sent is read', async () => {
    const onPeer = vi.fn();
    const echo = vi.fn(() => 'x');
    const authenticate = () => ({ identity: 'ann', context: { user: 'ann' }, expiresAt: Date.now() });
    const { server } = start({ echo }, { authenticate: async () => Promise.resolve(authenticate()), onPeer });
    const ann = new Peer(server).hello(clientName(), 1).write(['call', 1, 'echo', null, 'x']);
    await settle();
    expect(ann.closedWith).toEqual({ code: 4401, reason: 'the credentials have expired' });
    expect([ann.received, onPeer.mock.calls, echo.mock.calls]).toEqual([[], [], []]);
    expect(server.stats()).toMatchObject({ peers: 0, clients: 0 });
  });

  test('of fresh credentials is of no matter to a socket that went while they were verified', async () => {
    const gate = new Gate();
    const { server } = start(
      {},
      {
        authenticate: async ({ token }) => {
          if (token === 'fresh') await gate.opened;
          return { identity: 'ann', context: { user: 'ann' }, expiresAt: Date.now() + 86_400_000 };
        },
      },
    );
    const ann = await join(server, 'ann');
    ann.write(['auth', 1, 'fresh']);
    await settle();
    ann.vanish();
    gate.open();
    await vi.advanceTimersByTimeAsync(120_000);
    expect([server.stats().clients, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('follows a wall clock that is set', async () => {
    const { server } = limited({ ann: 600_000 });
    const ann = await join(server, 'ann');
    vi.setSystemTime(Date.now() + 590_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ann.closedWith?.code).toBe(4401);
  });

  test.each([new Date(), '5', Number.NaN])(
    'that is %s is the server’s fault, and says what to give',
    async (expiresAt) => {
      const { server, errors } = start(
        {},
        {
          authenticate: () => ({ identity: 'ann', context: { user: 'ann' }, expiresAt: expiresAt as number }),
        },
      );
      expect((await join(server, 'ann')).closedWith?.code).toBe(1011);
      expect(String(errors[0]!.error)).toContain('authenticate must give expiresAt in ms since the epoch');
    },
  );
});

describe('who is there', () => {
  test('is told by peers, of everybody or of one identity', async () => {
    const { server } = start();
    const ann = await join(server, 'ann');
    await join(server, 'bob');
    ann.write(['subscribe', 1, 'rooms/1']);
    await settle();
    const annThere = {
      identity: 'ann', client: ann.name, context: { user: 'ann' }, request: { url: '/ws?ann' }, subscriptions: 1,
    }; // prettier-ignore
    expect(server.peers({ identity: 'ann' })).toEqual([annThere]);
    expect(server.peers().map(({ identity }) => identity)).toEqual(['ann', 'bob']);
    ann.vanish();
    expect(server.peers({ identity: 'ann' })).toEqual([]);
  });

  test('is told by onPeer once for each client, until it is gone for good', async () => {
    const seen: { identity: string; url: string | undefined; signal: AbortSignal }[] = [];
    const { server } = start(
      {},
      {
        onPeer: ({ identity, request, signal }) => void seen.push({ identity, url: request.url, signal }),
      },
    );
    const ann = await join(server, 'ann');
    ann.vanish();
    const again = await join(server, 'ann', ann.name, 2);
    await join(server, 'bob');
    await join(server, 'cleo');
    expect(seen.map(({ identity, url }) => [identity, url])).toEqual([
      ['ann', '/ws?ann'], ['bob', '/ws?bob'], ['cleo', '/ws?cleo'],
    ]); // prettier-ignore
    const gone = () => seen.map(({ signal }) => signal.aborted);
    again.vanish();
    server.disconnect('bob');
    expect(gone()).toEqual([false, true, false]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(gone()).toEqual([true, true, false]);
    await server.close();
    expect(gone()).toEqual([true, true, true]);
  });

  test('and what onPeer throws, or rejects with, goes to onError', async () => {
    let times = 0;
    const { server, errors } = start(
      {},
      {
        onPeer: () => {
          if (times++ === 0) throw new Error('thrown');
          return Promise.reject(new Error('rejected'));
        },
      },
    );
    await join(server, 'ann');
    await join(server, 'bob');
    expect(errors.map(({ error, info }) => [String(error), info.during])).toEqual([
      ['Error: thrown', 'peer'], ['Error: rejected', 'peer'],
    ]); // prettier-ignore
  });
});
