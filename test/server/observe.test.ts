import { afterEach, describe, expect, test, vi } from 'vitest';
import { memoryBroker, refuse } from '../../src/server/index.ts';
import type { ServerHappening, ServerOptions } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Context, Tree } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

type Own = Parameters<typeof start>[0];
type Options = Omit<Partial<ServerOptions<Tree, Context>>, 'handlers'>;

afterEach(() => {
  vi.useRealTimers();
});

/** A server with one welcomed peer, and what happened from then on. */
async function watched(own: Own = {}, options: Options = {}) {
  const happenings: ServerHappening[] = [];
  const fixture = start(own, { observe: (happening) => void happenings.push(happening), ...options });
  const client = clientName();
  const peer = new Peer(fixture.server).hello(client);
  await settle();
  happenings.length = 0;
  const all = <Type extends ServerHappening['type']>(type: Type) =>
    happenings.filter((happening): happening is Extract<ServerHappening, { type: Type }> => happening.type === type);
  return { ...fixture, peer, client, happenings, all };
}

describe('observe hears', () => {
  test('each frame with its bytes, in both directions', async () => {
    const { peer, happenings } = await watched();
    const frame = '[["call",1,"echo",null,"häß€😀"]]';
    peer.writeText(frame);
    await settle();
    const sent = peer.frames.at(-1)!;
    expect(happenings).toEqual([
      { type: 'received', bytes: Buffer.byteLength(frame) },
      { type: 'call', kind: 'query', path: 'echo', identity: 'ann', outcome: 'ok', durationMs: expect.any(Number) },
      { type: 'sent', bytes: Buffer.byteLength(sent) },
    ]);
  });

  test('sockets that open and close, by whom, with which code, and how long they lived', async () => {
    vi.useFakeTimers();
    const observe = vi.fn();
    const { server } = start({}, { observe });
    const [lost, left, rude] = [new Peer(server), new Peer(server), new Peer(server)];
    vi.advanceTimersByTime(300);
    lost.vanish(1006);
    left.vanish(1000);
    rude.writeText('rubbish');
    const closing = server.close();
    new Peer(server);
    await closing;
    const told = observe.mock.calls.map(([happening]) => happening).filter(({ type }) => /opened|closed/.test(type));
    expect(told).toEqual([
      { type: 'opened' },
      { type: 'opened' },
      { type: 'opened' },
      { type: 'closed', by: 'peer', code: undefined, openMs: 300 },
      { type: 'closed', by: 'peer', code: 1000, openMs: 300 },
      { type: 'closed', by: 'server', code: 4400, openMs: 300 },
      { type: 'opened' },
      { type: 'closed', by: 'server', code: 1012, openMs: 0 },
    ]);
  });

  test.each([
    ['ok', ['call', 1, 'orders.place', null, { item: 'x' }], 'mutation', 'orders.place'],
    ['BAD_INPUT', ['call', 1, 'orders.place', null, { item: 5 }], 'mutation', 'orders.place'],
    ['SOLD_OUT', ['call', 1, 'orders.place', null, { item: 'none' }], 'mutation', 'orders.place'],
    ['INTERNAL', ['call', 1, 'echo', null, 'x'], 'query', 'echo'],
    ['ok', ['open', 1, 'count', null, 0, 10, 3], 'stream', 'count'],
    ['ok', ['publish', 1, 'rooms/42', { text: 'x' }], 'publish', 'room'],
    ['FORBIDDEN', ['publish', 1, 'boards/1', 5], 'publish', 'board'],
  ])('a call that ends %s: %j', async (outcome, message, kind, path) => {
    const { peer, all } = await watched({
      echo: () => {
        throw new Error('x');
      },
      orders: {
        place: ({ input, fail }) => (input.item === 'none' ? fail('SOLD_OUT', { left: 0 }) : { number: 1 }),
        cancel: () => undefined,
      },
    });
    peer.write(message);
    await settle();
    expect(all('call')).toEqual([
      { type: 'call', kind, identity: 'ann', path, outcome, durationMs: expect.any(Number) },
    ]);
  });

  test('how long a call took, its turn included, and that it was cancelled or given up', async () => {
    vi.useFakeTimers();
    const gate = new Gate<never>();
    const happenings: ServerHappening[] = [];
    const fixture = start({ echo: () => gate.opened }, { observe: (happening) => void happenings.push(happening) });
    const peer = new Peer(fixture.server).hello(clientName());
    await vi.advanceTimersByTimeAsync(0);
    for (const id of [1, 2]) peer.write(['call', id, 'echo', null, 'x']);
    await vi.advanceTimersByTimeAsync(70);
    peer.write(['cancel', 1]);
    await vi.advanceTimersByTimeAsync(30);
    peer.vanish(1000);
    const call = { type: 'call', kind: 'query', path: 'echo', identity: 'ann', outcome: 'ABORTED' };
    expect(happenings.filter(({ type }) => type === 'call')).toEqual([
      { ...call, durationMs: 70 },
      { ...call, durationMs: 100 },
    ]);
  });

  test('a call that is sent again once', async () => {
    const gate = new Gate<string>();
    const { server, peer, client, all } = await watched({ echo: () => gate.opened });
    peer.write(['call', 1, 'echo', null, 'x']);
    const next = new Peer(server).hello(client, 2).write(['call', 1, 'echo', null, 'x']);
    await settle();
    gate.open('done');
    await settle();
    expect(next.answers(1)).toHaveLength(1);
    expect(all('call')).toHaveLength(1);
  });

  test('publications of both sides, beginnings of subscriptions, and the events that were handed out', async () => {
    const { server, peer, client, happenings } = await watched({}, { broker: memoryBroker({ history: { size: 2 } }) });
    const others = [new Peer(server).hello(clientName()), new Peer(server).hello(clientName())];
    for (const each of [peer, ...others]) each.write(['subscribe', 1, 'rooms/1']);
    await settle();
    await server.topic('room', { roomId: '1' }).publish({ text: 'a' });
    peer.write(['publish', 0, 'rooms/1', { text: 'b' }]);
    await settle();
    const [, , , [epoch]] = peer.all('subscribed')[0]!;
    const late = new Peer(server).hello(client, 2);
    late.write(['subscribe', 2, 'rooms/1', [epoch, 0]], ['subscribe', 3, 'rooms/1', ['other', 0]]);
    await settle();
    const path = 'room';
    const begun = (continuity: string) => ({ type: 'subscribed', path, continuity });
    expect(happenings.filter(({ type }) => /subscribed|published|events/.test(type))).toEqual([
      ...['live', 'live', 'live'].map(begun),
      { type: 'events', path, count: 3 },
      { type: 'published', path, by: 'server' },
      { type: 'events', path, count: 3 },
      { type: 'published', path, by: 'client' },
      { type: 'events', path, count: 2 },
      begun('resumed'),
      begun('gap'),
      { type: 'events', path, count: 2 },
    ]);
  });

  test('what is refused, by code', async () => {
    const gate = new Gate<string>();
    const { peer, all } = await watched(
      { echo: () => gate.opened, room: { authorize: () => false } },
      { limits: { calls: 8, subscriptions: 5, messageBurst: 400, messagesPerSecond: 1 } },
    );
    peer.write(['call', 1, 'nothing'], ['call', 2, ''], ['publish', 3, 'nowhere', 5]);
    peer.write(['open', 4, 'nothing', null, 0, 1], ['open', 5, 'count', null, 3, 9, 5]);
    peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'nowhere'], ['subscribe', 3, '']);
    for (let id = 11; id <= 19; id++) peer.write(['call', id, 'echo', null, 'x']);
    await settle();
    peer.write(...Array.from({ length: 400 }, () => ['pong', 0]));
    // These wait.
    peer.write(...Array.from({ length: 141 }, (_, n) => ['call', 100 + n, 'nothing']));
    peer.write(['call', 20, 'echo', null, 'x'], ['subscribe', 4, 'rooms/2'], ['auth', 21, 'ann']);
    await settle();
    expect(all('refused').map(({ code }) => code)).toEqual([
      ...['NOT_FOUND', 'NOT_FOUND', 'BAD_REQUEST', 'NOT_FOUND', 'UNKNOWN_OUTCOME'],
      ...['FORBIDDEN', 'NOT_FOUND', 'BAD_REQUEST'],
      ...['RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED'],
    ]);
  });

  test('that credentials were refused', async () => {
    const authenticate = vi
      .fn<() => { identity: string; context: Context }>()
      .mockReturnValueOnce({ identity: 'ann', context: { user: 'ann' } })
      .mockImplementation(() => {
        refuse();
      });
    const { peer, all } = await watched({}, { authenticate });
    peer.write(['auth', 1, 'bad']);
    await settle();
    expect(all('refused')).toEqual([{ type: 'refused', code: 'UNAUTHENTICATED' }]);
  });
});

test('nothing that a user typed or that proves who it is gets into a happening', async () => {
  const { server, peer, happenings } = await watched({ room: { authorize: () => true, publish: () => undefined } });
  new Peer(server).hello(clientName(), 1, { token: 'secret-token' });
  peer.write(['call', 1, 'echo', null, 'secret-input'], ['subscribe', 1, 'rooms/secret-room']);
  peer.write(['publish', 2, 'rooms/secret-room', { text: 'secret-event' }], ['call', 3, 'secret-path']);
  await settle();
  expect(happenings.length).toBeGreaterThan(5);
  expect(JSON.stringify(happenings)).not.toContain('secret');
});

const failing = {
  throws: () => {
    throw new Error('metrics');
  },
  rejects: (() => Promise.reject(new Error('metrics'))) as () => unknown,
};

test.each(['throws', 'rejects'] as const)('an observe that %s is reported, and nobody notices', async (how) => {
  const { server, errors } = start({}, { observe: failing[how] });
  const peer = new Peer(server).hello(clientName());
  peer.write(['call', 1, 'echo', null, 'x'], ['subscribe', 1, 'rooms/1']);
  await settle();
  await server.topic('room', { roomId: '1' }).publish({ text: 'a' });
  await settle();
  expect(peer.received.map(([name]) => name)).toEqual(['welcome', 'reply', 'subscribed', 'event']);
  expect(errors.length).toBeGreaterThan(5);
  expect(errors.every(({ error, info }) => error.message === 'metrics' && info.during === 'observe')).toBe(true);
  await server.close();
  expect(server.stats().peers).toBe(0);
});

test('an observe that closes the server in the middle of things leaves nothing open', async () => {
  for (const at of ['opened', 'received', 'sent', 'call', 'subscribed', 'events', 'published', 'refused'] as const) {
    const fixture = start({}, { observe: ({ type }) => void (type === at && fixture.server.close()) });
    const peer = new Peer(fixture.server).hello(clientName());
    peer.write(['call', 1, 'echo', null, 'x'], ['call', 2, 'nothing'], ['subscribe', 1, 'rooms/1']);
    await settle();
    await fixture.server.topic('room', { roomId: '1' }).publish({ text: 'a' });
    await settle();
    expect([at, peer.closedWith?.code]).toEqual([at, 1012]);
    expect(fixture.server.stats()).toMatchObject({ peers: 0, clients: 0, calls: 0, subscriptions: 0 });
    expect(fixture.errors).toEqual([]);
  }
});
