import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createServer, DEFAULT_LIMITS } from '../../src/server/index.ts';
import { contract, handlers, start } from './fixture.ts';
import { clientName, Gate, Peer } from './peer.ts';

/** 5 + 8 + 16 streams + 112, the least burst, may wait; some more are refused before the socket is closed. */
const HELD = 141;
const limits = { calls: 8, subscriptions: 5, messageBurst: 200, messagesPerSecond: 10 };
const limited = { code: 'RATE_LIMITED', message: 'more than 10 messages a second', retryAfterMs: expect.any(Number) };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets what waits for no timer happen. */
const settle = () => vi.advanceTimersByTimeAsync(0);

async function welcome(own: Parameters<typeof start>[0] = {}) {
  const { server } = start(own, { limits });
  const client = clientName();
  const peer = new Peer(server).hello(client);
  await settle();
  return { server, client, peer };
}

/** So many messages that ask for nothing. */
function spend(peer: Peer, messages: number): void {
  peer.write(...Array.from({ length: messages }, () => ['pong', 0]));
}

/** So many that wait. */
function wait(peer: Peer, messages: number): void {
  peer.write(...Array.from({ length: messages }, (_, n) => ['subscribe', 1_000 + n, 'nowhere']));
}

describe('above its message rate a socket', () => {
  test('waits: what keeps its order is carried out in order when its time has come, and nothing of it is refused', async () => {
    const ran: unknown[] = [];
    const { peer, server } = await welcome({
      orders: { place: ({ input }) => (ran.push(input.item), { number: 1 }), cancel: () => undefined },
      room: { authorize: () => (ran.push('authorize'), true), publish: ({ event }) => void ran.push(event.text) },
      echo: ({ input }) => (ran.push(input), input),
    });
    spend(peer, 200);
    peer.write(['call', 1, 'orders.place', null, { item: 'first' }], ['publish', 2, 'rooms/1', { text: 'second' }]);
    peer.write(['subscribe', 1, 'rooms/1'], ['unsubscribe', 'rooms/1'], ['call', 3, 'echo', null, 'last']);
    await vi.advanceTimersByTimeAsync(199);
    expect([ran, server.stats().calls]).toEqual([[], 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ran).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(400);
    // The publish asks, too.
    expect(ran).toEqual(['first', 'authorize', 'second', 'authorize', 'last']);
    expect([1, 2, 3].map((id) => peer.answers(id)[0]?.[0])).toEqual(['reply', 'reply', 'reply']);
    expect(server.stats().subscriptions).toBe(0);
    expect(peer.all('error')).toEqual([]);
  });

  test('does not overtake what waits, with messages that are within the rate again', async () => {
    const ran: unknown[] = [];
    const { peer } = await welcome({ echo: ({ input }) => (ran.push(input), input) });
    spend(peer, 200);
    for (const [index, text] of ['a', 'b', 'c'].entries()) {
      peer.write(['call', index + 1, 'echo', null, text]);
      await vi.advanceTimersByTimeAsync(60);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ran).toEqual(['a', 'b', 'c']);
  });

  test('can take back what waits, which then never runs', async () => {
    const place = vi.fn(() => ({ number: 1 }));
    const { peer } = await welcome({ orders: { place, cancel: () => undefined } });
    spend(peer, 200);
    peer.write(['call', 1, 'orders.place', null, { item: 'x' }], ['call', 2, 'orders.place', null, { item: 'x' }]);
    peer.write(['cancel', 1]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(peer.answers(1)[0]?.[2].code).toBe('ABORTED');
    expect(place).toHaveBeenCalledOnce();
  });

  test('leaves no timer behind when it ends, and nothing of what waited runs: it may be sent again', async () => {
    const place = vi.fn(() => ({ number: 1 }));
    const { server, client, peer } = await welcome({ orders: { place, cancel: () => undefined } });
    spend(peer, 200);
    peer.write(['call', 1, 'orders.place', null, { item: 'x' }]);
    const next = new Peer(server).hello(client, 2);
    next.write(['call', 1, 'orders.place', null, { item: 'x' }]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(place).toHaveBeenCalledOnce();
    await server.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('shares its rate with the next socket of its client', async () => {
    const { server, client, peer } = await welcome();
    spend(peer, 200);
    peer.vanish();
    const next = new Peer(server).hello(client, 2).write(['call', 1, 'echo', null, 'x']);
    await vi.advanceTimersByTimeAsync(199);
    expect(next.answers(1)).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(next.answers(1)).toEqual([['reply', 1, 'x']]);
  });

  test('is answered RATE_LIMITED where more waits than its client may have under way, and nothing of it is done', async () => {
    const place = vi.fn(() => ({ number: 1 }));
    const publish = vi.fn();
    const { peer } = await welcome({
      orders: { place, cancel: () => undefined },
      room: { authorize: () => true, publish },
    });
    spend(peer, 200);
    wait(peer, HELD);
    peer.write(['call', 1, 'orders.place', null, { item: 'x' }], ['publish', 2, 'rooms/1', { text: 'x' }]);
    peer.write(['publish', 0, 'rooms/1', { text: 'x' }], ['auth', 3, 'ann'], ['open', 4, 'echo', null, 0, 1]);
    peer.write(['subscribe', 1, 'rooms/1']);
    await settle();
    expect([1, 2, 3, 4].map((id) => peer.answers(id))).toEqual([1, 2, 3, 4].map((id) => [['error', id, limited]]));
    expect(peer.all('unsubscribed')).toEqual([['unsubscribed', 1, 'rooms/1', limited]]);
    // 142 above, at 10 a second.
    expect(peer.answers(1)[0]?.[2].retryAfterMs).toBe(14_300);
    expect(place).not.toHaveBeenCalled();
    expect(publish).not.toHaveBeenCalled();
  });

  test('is answered RATE_LIMITED where what waits is too long', async () => {
    const { peer } = await welcome();
    spend(peer, 200);
    for (let id = 1; id <= 6; id++) peer.write(['call', id, 'echo', null, 'x'.repeat(900_000)]);
    await settle();
    expect(peer.all('error').map(([, id]) => id)).toEqual([5, 6]);
  });

  test('is served again when the time is over, under the same ids', async () => {
    const { peer } = await welcome();
    spend(peer, 200);
    wait(peer, HELD);
    peer.write(['call', 1, 'orders.place', null, { item: 'x' }]);
    await vi.advanceTimersByTimeAsync(14_300);
    peer.write(['call', 1, 'orders.place', null, { item: 'x' }]);
    await settle();
    expect(peer.answers(1).map(([name]) => name)).toEqual(['error', 'reply']);
  });

  test('can still end what it began, and is answered its pings', async () => {
    const aborted = vi.fn();
    const echo = ({ signal }: { signal: AbortSignal }) => (
      signal.addEventListener('abort', aborted),
      new Gate<never>().opened
    );
    const { peer, server } = await welcome({ echo });
    peer.write(['call', 1, 'echo', null, 'x'], ['subscribe', 1, 'rooms/1']);
    spend(peer, 200);
    peer.write(['cancel', 1], ['unsubscribe', 'rooms/1'], ['ping', 7]);
    await settle();
    expect(aborted).toHaveBeenCalled();
    expect(server.stats().subscriptions).toBe(0);
    expect(peer.all('pong')).toEqual([['pong', 7]]);
  });

  test('loses the earlier subscription of a topic when a new one is refused', async () => {
    const { peer, server } = await welcome();
    peer.write(['subscribe', 1, 'rooms/1']);
    spend(peer, 200);
    wait(peer, HELD);
    peer.write(['subscribe', 2, 'rooms/1']);
    await server.topic('room', { roomId: '1' }).publish({ text: 'x' });
    await settle();
    expect(peer.all('event')).toEqual([]);
    expect(server.stats().subscriptions).toBe(0);
  });

  test('is never told of a call that runs, or ran, that nothing was done', async () => {
    const gate = new Gate<{ number: number }>();
    const { peer } = await welcome({ orders: { place: () => gate.opened, cancel: () => undefined } });
    peer.write(['call', 1, 'orders.cancel', null, 'x'], ['call', 2, 'orders.place', null, { item: 'x' }]);
    await settle();
    spend(peer, 200);
    peer.write(['call', 1, 'orders.cancel', null, 'x'], ['call', 2, 'orders.place', null, { item: 'x' }]);
    gate.open({ number: 5 });
    await settle();
    expect(peer.answers(1)).toEqual([
      ['reply', 1],
      ['reply', 1],
    ]);
    expect(peer.answers(2)).toEqual([['reply', 2, { number: 5 }]]);
  });
});

describe('a socket that goes on above its rate is closed with 4429', () => {
  const flood = 2 * limits.messageBurst;

  test.each([
    ['pings', (n: number) => ['ping', n]],
    ['floors', () => ['floor', 1]],
    ['calls', (n: number) => ['call', n, 'echo', null, 'x']],
    ['malformed calls', (n: number) => ['call', n, '']],
    ['lossy publishes', () => ['publish', 0, 'rooms/1', { text: 'x' }]],
    ['unsubscribes', () => ['unsubscribe', 'rooms/1']],
  ])('by %s', async (_, message) => {
    const { peer, server } = await welcome();
    for (let n = 1; n <= flood; n++) peer.write(message(n));
    expect(peer.closedWith).toBeUndefined();
    peer.write(...Array.from({ length: 5 }, (_unused, n) => message(flood + 1 + n)));
    expect(peer.closedWith).toEqual({ code: 4429, reason: 'more than 10 messages a second' });
    expect(server.stats()).toMatchObject({ peers: 0, refused: 1 });
  });

  test('by frames of messages that nobody knows', async () => {
    const { peer } = await welcome();
    for (let n = 0; n < flood; n++) peer.write(['future', n]);
    expect(peer.closedWith).toBeUndefined();
    peer.write(['future', 0]);
    expect(peer.closedWith?.code).toBe(4429);
  });

  test('by many of them in one frame', async () => {
    const { peer } = await welcome();
    peer.write(...Array.from({ length: flood }, (_, n) => ['future', n]));
    expect(peer.closedWith).toBeUndefined();
    peer.write(['ping', 1], ['future', 0]);
    expect(peer.closedWith?.code).toBe(4429);
  });

  test('but not when it keeps to its rate', async () => {
    const { peer } = await welcome();
    for (let second = 0; second < 100; second++) {
      for (let n = 1; n <= 10; n++) peer.write(['call', 10 * second + n, 'echo', null, 'x']);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(peer.all('reply')).toHaveLength(1000);
  });
});

test('the least burst holds the whole reconnect of a client at its limits', async () => {
  const least = { ...limits, messageBurst: HELD, messagesPerSecond: 100 };
  const { server } = start({ echo: () => new Gate<never>().opened }, { limits: least });
  const client = clientName();
  const peer = new Peer(server).hello(client);
  await settle();
  const topics = Array.from({ length: 5 }, (_, n) => ['subscribe', n + 1, `rooms/${n}`]);
  const calls = Array.from({ length: 8 }, (_, n) => ['call', n + 1, 'echo', null, 'x']);
  peer.write(...topics, ...calls);
  await settle();
  const next = new Peer(server).hello(client, 2);
  next.write(...topics, ...calls.slice(0, 3));
  await settle();
  next.write(...calls.slice(3), ['floor', 1], ['ping', 1]);
  await settle();
  expect(next.all('subscribed')).toHaveLength(5);
  expect(next.all('error')).toEqual([]);
  expect(server.stats()).toMatchObject({ subscriptions: 5, calls: 8 });
});

test('the default burst holds a reconnect at the default limits, and a full queue of a client behind it', async () => {
  const { server } = start({ echo: ({ input }) => input });
  const peer = new Peer(server).hello(clientName());
  await settle();
  const { subscriptions, calls } = DEFAULT_LIMITS;
  for (let n = 1; n <= subscriptions; n++) peer.write(['subscribe', n, `rooms/${n}`]);
  for (let id = 1; id <= calls + 10_000; id++) peer.write(['call', id, 'echo', null, 'x']);
  await settle();
  expect([peer.all('subscribed').length, peer.all('reply').length]).toEqual([subscriptions, calls + 10_000]);
});

describe('the burst', () => {
  const make = (given: object) => () => createServer(contract, { handlers: handlers(), limits: given });

  test('grows with the limits that a reconnect needs', async () => {
    const { server } = start({}, { limits: { subscriptions: 20_000 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.write(...Array.from({ length: 20_000 }, (_, n) => ['subscribe', n + 1, `rooms/${n}`]));
    await settle();
    expect(peer.all('unsubscribed')).toEqual([]);
    expect(server.stats().subscriptions).toBe(20_000);
  });

  test('that is too small for a reconnect is refused, with the least that would do', () => {
    expect(make({ messageBurst: 2151 })).toThrow(
      new RangeError(
        'limits.messageBurst is 2151: give at least limits.subscriptions + limits.calls + limits.streams + 112, 2152, or a client could not reconnect',
      ),
    );
    expect(make({ messageBurst: 2152 })).not.toThrow();
    expect(make({ messagesPerSecond: 0 })).toThrow('limits.messagesPerSecond is 0: give a whole number from 1');
  });
});

test('what says that items were taken is not counted, or a fast reader of a long stream would be refused; its repetition is', async () => {
  const { peer } = await welcome();
  peer.write(['open', 1, 'count', null, 0, 1, 1000]);
  await settle();
  for (let taken = 1; taken <= 400; taken++) {
    peer.write(['more', 1, taken, taken + 1]);
    await settle();
  }
  expect(peer.stream(1)).toHaveLength(401);
  peer.write(['call', 2, 'echo', null, 'x']);
  await settle();
  expect(peer.answers(2)).toEqual([['reply', 2, 'x']]);
  // Neither what was said before, nor what speaks of items that were not sent, nor of no stream.
  for (let time = 0; time < 67; time++) peer.write(['more', 1, 400, 401], ['more', 2, 1, 2], ['more', 3, 9, 9]);
  peer.write(['call', 3, 'echo', null, 'x']);
  await settle();
  expect(peer.answers(3)).toEqual([]);
});
