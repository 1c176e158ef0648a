import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { memoryBroker, type Broker, type FeedListener } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { join, room, settle } from './joining.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A broker of one process that says that others have it, too. */
function sharedBroker(): Broker {
  const inner = memoryBroker();
  return {
    isShared: true,
    publish: (...args) => inner.publish(...args),
    subscribe: (...args) => inner.subscribe(...args),
    close: () => inner.close(),
  };
}

const isCommand = (topic: string): boolean => topic === '$commands';

/** Servers that share a broker. */
function servers(broker: Broker = sharedBroker(), own: Parameters<typeof start>[0] = {}) {
  return [start(own, { broker }), start(own, { broker })] as const;
}

test('who is disconnected on one server is on all, for good; who comes back to the first stays', async () => {
  const [one, other] = servers();
  await settle();
  const [here, there, else_] = [
    await join(one.server, 'ann'),
    await join(other.server, 'ann'),
    await join(other.server, 'bob'),
  ];
  one.server.disconnect('ann', { code: 4401, reason: 'the token was revoked' });
  const again = await join(one.server, 'ann');
  await settle();
  expect([here, there, else_, again].map(({ closedWith }) => closedWith?.code)).toEqual([
    4401,
    4401,
    undefined,
    undefined,
  ]);
  expect(there.closedWith?.reason).toBe('the token was revoked');
});

test('a client between two sockets is forgotten on the other server, too: what ran for it is aborted', async () => {
  const signals: AbortSignal[] = [];
  const [one, other] = servers(sharedBroker(), {
    echo: ({ signal }) => (signals.push(signal), new Promise(() => undefined)),
  });
  await settle();
  const peer = await join(other.server, 'ann');
  peer.write(['call', 1, 'echo', null, 'x']);
  await settle();
  peer.vanish();
  one.server.disconnect('ann');
  await settle();
  expect([signals.map(({ aborted }) => aborted), other.server.stats().clients]).toEqual([[true], 0]);
});

test('a subscription that is revoked, or no longer authorised, ends on all servers', async () => {
  let may = true;
  const [one, other] = servers(sharedBroker(), { room: { authorize: () => may, publish: () => undefined } });
  await settle();
  const [ann, bob] = [await join(other.server, 'ann'), await join(other.server, 'bob')];
  for (const peer of [ann, bob]) peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  one.server.topic('room', room).revoke('ann');
  await settle();
  expect([ann.all('unsubscribed').length, bob.all('unsubscribed').length]).toEqual([1, 0]);
  may = false;
  one.server.reauthorize();
  await settle();
  expect(bob.all('unsubscribed')).toHaveLength(1);
  await one.server.topic('room', room).publish({ text: 'x' });
  await settle();
  expect([...ann.all('event'), ...bob.all('event')]).toEqual([]);
});

test('what can not be told is reported, and done here all the same; bad arguments are refused and told to nobody', async () => {
  const inner = sharedBroker();
  const publish = vi.fn(() => Promise.reject(new Error('the broker is away')));
  const [one] = servers({ ...inner, publish: (...args) => (isCommand(args[0]) ? publish() : inner.publish(...args)) });
  const peer = await join(one.server, 'ann');
  one.server.disconnect('ann');
  await settle();
  expect(peer.closedWith?.code).toBe(4403);
  expect(one.errors).toEqual([{ error: new Error('the broker is away'), info: { during: 'broker' } }]);
  expect(() => one.server.disconnect('ann', { code: 1000 })).toThrow(RangeError);
  expect(() => one.server.reauthorize(5 as never)).toThrow(TypeError);
  expect(publish).toHaveBeenCalledTimes(1);
});

test('a broker that can not be followed is asked again, and what it may have lost is made up for by asking authorize', async () => {
  const inner = sharedBroker();
  const listeners: FeedListener[] = [];
  let fails = true;
  const asked = vi.fn(() => true);
  const broker: Broker = {
    ...inner,
    subscribe: (name, listener) => {
      if (!isCommand(name)) return inner.subscribe(name, listener);
      if (fails) throw new Error('away');
      listeners.push(listener);
      return inner.subscribe(name, listener);
    },
  };
  const [one, other] = servers(broker, { room: { authorize: asked, publish: () => undefined } });
  const peer = await join(other.server, 'ann');
  peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  fails = false;
  await vi.advanceTimersByTimeAsync(2000);
  expect([listeners.length, asked.mock.calls.length]).toEqual([2, 2]);
  one.server.disconnect('ann');
  await settle();
  expect(peer.closedWith?.code).toBe(4403);
  listeners[1]!.reset();
  listeners[1]!.event({ offset: 9, payload: 'no JSON' });
  expect(other.errors.map(({ error }) => String(error))).toEqual([
    'Error: away',
    'Error: what other servers told to end may be lost: all clients are authenticated and authorized again',
    'Error: what other servers told to end may be lost: all clients are authenticated and authorized again',
    expect.stringContaining('SyntaxError'),
  ]);
});

test('a server that is closed follows no more', async () => {
  const inner = sharedBroker();
  let open = 0;
  const broker: Broker = {
    ...inner,
    subscribe: async (...args) => {
      const feed = await inner.subscribe(...args);
      open++;
      return { ...feed, head: feed.head, read: feed.read, close: () => (open--, feed.close()) };
    },
  };
  const { server } = start({}, { broker });
  const late = start({}, { broker });
  await settle();
  await server.close();
  // The other server's: what is told to end, and who is looked for.
  expect(open).toBe(2);
  // Before the broker has answered.
  const early = start({}, { broker });
  await Promise.all([early.server.close(), late.server.close()]);
  await settle();
  expect(open).toBe(0);
});
