import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { mutation, query } from '../../src/contract/procedure.ts';
import { topic } from '../../src/contract/topic.ts';
import { createServer, DEFAULT_LIMITS, memoryBroker } from '../../src/server/index.ts';
import type { Broker } from '../../src/server/index.ts';
import { contract, handlers, start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const make =
  (own: object, options: object = {}) =>
  () =>
    createServer(contract, { handlers: { ...handlers(), ...own } as never, ...options });

afterEach(() => {
  vi.useRealTimers();
});

describe('creating a server', () => {
  test.each([
    [{ echo: undefined }, 'handlers.echo must be a function, not missing'],
    [{ echo: 5 }, 'handlers.echo must be a function, not number'],
    [{ orders: { place: () => undefined } }, 'handlers.orders.cancel must be a function, not missing'],
    [{ room: {} }, 'handlers.room.authorize must be a function, not missing'],
    [{ board: { authorize: () => true } }, 'handlers.board.snapshot must be a function, not missing'],
    [{ room: { authorize: () => true, publish: 1 } }, 'handlers.room.publish must be a function, not number'],
  ])('names the handler that is missing: %j', (own, message) => {
    expect(make(own)).toThrow(new TypeError(message));
  });

  test('finds no handler in the prototype of an object', () => {
    const inherited = Object.create(handlers()) as never;
    expect(() => createServer(contract, { handlers: inherited })).toThrow(
      'handlers.echo must be a function, not missing',
    );
  });

  test.each([
    [{ limits: { calls: 7 } }, 'limits.calls is 7: give a whole number from 8'],
    [{ limits: { calls: 1025 } }, 'limits.calls is 1025: give a whole number from 8 to 1024'],
    [
      { limits: { calls: 500, answers: 579 } },
      'limits.answers is 579: give at least limits.calls + limits.streams + 64, 580',
    ],
    [{ limits: { streams: 0 } }, 'limits.streams is 0: give a whole number from 1'],
    [{ limits: { calls: 256, streams: 833 } }, 'limits.calls and limits.streams are 1089 together: give at most 1088'],
    [{ limits: { streams: 1081 } }, 'limits.calls and limits.streams are 1089 together: give at most 1088'],
    [{ limits: { items: 1.5 } }, 'limits.items is 1.5: give a whole number from 1'],
    [{ authenticate: 'ann' }, 'authenticate is "ann": give a function, or leave it off'],
    [{ onError: null }, 'onError is null: give a function, or leave it off'],
    [{ broker: { publish() {}, close() {} } }, 'broker has no method subscribe: give a Broker'],
    [{ broker: null }, 'broker has no method publish: give a Broker'],
    [{ limits: { frameBytes: 1000 } }, 'limits.frameBytes is 1000: give a whole number from 16384'],
    [{ heartbeatMs: NaN }, 'heartbeatMs is NaN: give a whole number from 1 to 2147483647'],
    [{ windowMs: 2 ** 31 }, 'windowMs is 2147483648'],
    [{ helloTimeoutMs: '5' }, 'helloTimeoutMs must be a number, not string: leave it off for 10000'],
  ])('checks its options: %j', (options, message) => {
    expect(make({}, options)).toThrow(message);
  });

  test('the highest calls go with the default of answers', () => {
    expect(make({}, { limits: { calls: 1024, streams: 64 } })().limits.calls).toBe(1024);
    expect(make({}, { limits: { streams: 100 } })().limits.calls).toBe(988);
  });

  test('every socket is told how many streams and items it may have', async () => {
    const peer = new Peer(make({})()).hello(clientName());
    const other = new Peer(make({}, { limits: { streams: 3, items: 5 } })()).hello(clientName());
    await settle();
    expect([peer, other].map(({ welcome }) => [welcome.limits.streams, welcome.limits.items])).toEqual([
      [16, 256],
      [3, 5],
    ]);
  });

  test('undefined erases no default', () => {
    const server = make({}, { limits: { calls: undefined }, heartbeatMs: undefined })();
    expect(server.limits.calls).toBe(DEFAULT_LIMITS.calls);
  });

  test('without authenticate everyone is anonymous, without a context', async () => {
    const echo = vi.fn(() => 'x');
    const { server } = start({ echo }, { authenticate: undefined as never });
    const peer = new Peer(server).hello(clientName(), 1, { token: 'x' }).write(['call', 1, 'echo', null, 'x']);
    await settle();
    expect(peer.answers(1)).toHaveLength(1);
    expect(echo).toHaveBeenCalledWith(expect.objectContaining({ context: undefined }));
  });

  test('types of inputs, outputs, contexts and failures come from the contract, with no annotation in a handler', () => {
    const typed = defineContract({
      add: query({ input: z.object({ a: z.number() }), output: z.number(), errors: { TOO_BIG: z.string() } }),
      games: { board: topic('games/{id}', { event: z.number() }) },
    });
    const server = createServer(typed, {
      authenticate: () => ({ identity: 'ann', context: { admin: true } }),
      handlers: {
        add: ({ input, context, fail }) => {
          const sum: number = input.a + Number(context.admin satisfies boolean);
          // @ts-expect-error -- not declared
          if (sum > 100) fail('NOPE', 'x');
          return sum > 10 ? fail('TOO_BIG', 'ten') : sum;
        },
        games: { board: { authorize: ({ params, context }) => context.admin && params.id !== '' } },
      },
    });
    expect(server.topic('games.board', { id: '1' }).name).toBe('games/1');
    // @ts-expect-error -- no such parameter
    expect(() => server.topic('games.board', { wrong: '1' })).toThrow();
    // @ts-expect-error -- no topic
    expect(() => server.topic('add', {})).toThrow();
    const rules = { authorize: () => true };
    // @ts-expect-error -- the output is a number
    createServer(typed, { handlers: { add: () => 'x', games: { board: rules } } });
    // @ts-expect-error -- authorize is required
    expect(() => createServer(typed, { handlers: { add: () => 1, games: { board: {} } } })).toThrow();
  });
});

describe('closing a server', () => {
  test('says goaway, closes every socket with 1012, lets nobody in, aborts what runs, and forgets everyone', async () => {
    const place = vi.fn((_: { signal: AbortSignal }) => new Gate<never>().opened);
    const { server } = start({ orders: { place, cancel: () => undefined } });
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, { item: 'x' }]);
    const waiting = new Peer(server);
    await settle();
    await server.close();
    expect(peer.all('goaway')).toEqual([['goaway', { reason: 'the server is closing', afterMs: 500, withinMs: 5 }]]);
    expect([peer, waiting].map(({ closedWith }) => closedWith?.code)).toEqual([1012, 1012]);
    expect(place.mock.calls[0]?.[0].signal.aborted).toBe(true);
    expect(server.stats()).toMatchObject({ peers: 0, clients: 0, subscriptions: 0 });
    expect(new Peer(server).hello(clientName()).closedWith?.code).toBe(1012);
  });

  test('gives clients their time, and waits no longer than they need', async () => {
    vi.useFakeTimers();
    const gate = new Gate<string>();
    const { server } = start({ echo: () => gate.opened });
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'echo', null, 'x']);
    await vi.advanceTimersByTimeAsync(0);
    const closed = vi.fn();
    void server.close({ withinMs: 5000 }).then(closed);
    await vi.advanceTimersByTimeAsync(1000);
    gate.open('done');
    await vi.advanceTimersByTimeAsync(1000);
    expect(peer.answers(1)).toEqual([['reply', 1, 'done']]);
    expect(peer.closedWith).toBeUndefined();
    expect(closed).not.toHaveBeenCalled();
    peer.vanish(1000);
    await vi.advanceTimersByTimeAsync(0);
    expect(closed).toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('closes who is still there when the time is over', async () => {
    vi.useFakeTimers();
    const { server } = start();
    const peer = new Peer(server).hello(clientName());
    const closed = server.close({ withinMs: 5000 });
    await vi.advanceTimersByTimeAsync(4999);
    expect(peer.closedWith).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.closedWith?.code).toBe(1012);
    await closed;
  });

  test.each([
    [NaN, RangeError],
    [Infinity, RangeError],
    [-1, RangeError],
    ['5', TypeError],
  ])('rejects a time of %j, and closes nothing', async (withinMs, kind) => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName());
    const closing = server.close({ withinMs: withinMs as number });
    await expect(closing).rejects.toThrow(kind);
    await expect(closing).rejects.toThrow('close: withinMs');
    expect(peer.closedWith).toBeUndefined();
    await server.close({ withinMs: undefined });
    expect(peer.closedWith?.code).toBe(1012);
  });

  test('lets go of a feed that a running snapshot keeps', async () => {
    const close = vi.fn();
    const broker: Broker = {
      publish: () => ['e', 1],
      subscribe: () => ({ head: ['e', 0], read: () => [], close }),
      close() {},
    };
    const { server } = start(
      { board: { authorize: () => true, snapshot: () => new Gate<never>().opened } },
      { broker },
    );
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1'], ['unsubscribe', 'boards/1']);
    await settle();
    expect(close).not.toHaveBeenCalled();
    await server.close();
    expect(close).toHaveBeenCalledTimes(1);
    expect(peer.closedWith?.code).toBe(1012);
  });

  test('leaves a broker that it was given open', async () => {
    const broker = memoryBroker();
    const { server } = start({}, { broker });
    const [epoch] = await server.topic('room', { roomId: '1' }).publish({ text: 'a' });
    await server.close();
    const next = start({}, { broker }).server;
    expect(await next.topic('room', { roomId: '1' }).publish({ text: 'b' })).toEqual([epoch, 2]);
  });
});

describe('stats', () => {
  test('count the calls of a procedure of any name', async () => {
    const odd = defineContract({ hasOwnProperty: query() });
    const server = createServer(odd, { handlers: { hasOwnProperty: () => new Gate<never>().opened } });
    new Peer(server)
      .hello(clientName())
      .write(['call', 1, 'hasOwnProperty', null], ['call', 2, 'hasOwnProperty', null]);
    await settle();
    expect({ ...server.stats().callsByPath }).toEqual({ hasOwnProperty: 2 });
  });

  test('count peers, clients, calls, streams, subscriptions, bytes and refusals', async () => {
    const { server } = start({ echo: () => new Gate<never>().opened });
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'echo', null, 'x'], ['subscribe', 1, 'rooms/1'], ['open', 2, 'count', null, 0, 0, 5]);
    new Peer(server).hello(clientName()).vanish();
    new Peer(server).writeText('rubbish');
    await settle();
    peer.bufferedAmount = 5;
    expect(server.stats()).toEqual({
      peers: 1,
      clients: 2,
      calls: 2,
      streams: 1,
      callsByPath: { echo: 1, count: 1 },
      subscriptions: 1,
      buffered: { total: 5, max: 5 },
      brokerAwayMs: 0,
      callStoreAwayMs: 0,
      refused: 1,
    });
  });

  test('a socket that throws is dropped, and nobody else notices', async () => {
    const { server, errors } = start();
    const bad = new Peer(server).hello(clientName());
    await settle();
    bad.send = () => {
      throw new Error('broken pipe');
    };
    bad.close = () => {
      throw new Error('broken pipe');
    };
    const good = new Peer(server).hello(clientName());
    for (const peer of [bad, good]) peer.write(['subscribe', 1, 'rooms/1']);
    await settle();
    await server.topic('room', { roomId: '1' }).publish({ text: 'a' });
    await settle();
    expect(good.all('event')).toHaveLength(1);
    expect(server.stats().peers).toBe(1);
    expect(errors.map(({ info }) => info.during)).toEqual(['session', 'session']);
  });
});

test.each([
  [
    'two topics that fill to one name',
    () =>
      defineContract({
        secret: topic('rooms/{id}', { event: z.string() }),
        open: topic('rooms/{name}', { event: z.string() }),
      }),
  ],
  ['two procedures of one path', () => defineContract({ 'a.b': mutation(), a: { b: query() } })],
])('%s are no contract for a server, in production either: the rules of one would hold for the other', (_, make) => {
  expect(() => createServer(make() as never, { handlers: {} })).toThrow(TypeError);
});
