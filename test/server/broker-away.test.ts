import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { memoryBroker, type Broker, type ServerHappening } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { join, settle } from './joining.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A broker that the test takes away and gives back; who waits for it gives up after 5 s. */
function awayBroker() {
  const inner = memoryBroker();
  const listeners = new Set<() => void>();
  let isUp = true;
  const broker: Broker = {
    publish: (...args) => inner.publish(...args),
    subscribe: (...args) => inner.subscribe(...args),
    close: () => inner.close(),
    connection: {
      get isUp() {
        return isUp;
      },
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      ready: () =>
        new Promise((resolve, reject) => {
          listeners.add(() => isUp && resolve());
          setTimeout(() => reject(new Error('away')), 5000);
        }),
    },
  };
  const set = (up: boolean): void => {
    isUp = up;
    for (const listener of listeners) listener();
  };
  return { broker, set, listeners };
}

test('a broker that is away is seen: by observe, stats and health', async () => {
  const { broker, set, listeners } = awayBroker();
  const seen: ServerHappening[] = [];
  const observe = (happening: ServerHappening) => {
    if (happening.type === 'broker') seen.push(happening);
  };
  const { server } = start({}, { broker, observe });
  expect(server.health()).toEqual({ state: 'ready', brokerAwayMs: 0, callStoreAwayMs: 0 });
  set(false);
  expect(server.health()).toEqual({ state: 'degraded', brokerAwayMs: 1, callStoreAwayMs: 0 });
  vi.advanceTimersByTime(3000);
  set(false);
  expect([server.health().brokerAwayMs, server.stats().brokerAwayMs]).toEqual([3000, 3000]);
  set(true);
  expect([server.health(), server.stats().brokerAwayMs]).toEqual([
    { state: 'ready', brokerAwayMs: 0, callStoreAwayMs: 0 },
    0,
  ]);
  expect(seen).toEqual([
    { type: 'broker', state: 'away', awayMs: 0 },
    { type: 'broker', state: 'back', awayMs: 3000 },
  ]);
  const closing = server.close();
  expect(server.health()).toEqual({ state: 'closing', brokerAwayMs: 0, callStoreAwayMs: 0 });
  await closing;
  expect(listeners.size).toBe(0);
});

test('a call store that is away is seen, too', () => {
  const { broker, set } = awayBroker();
  const never = async (): Promise<never> => new Promise(() => undefined);
  const methods = { open: never, claim: never, answer: never, floor: never, leave: never, forget: never };
  const { connection } = broker;
  const callStore = { ...methods, connection, watch: () => () => undefined, close: () => undefined };
  const observe = vi.fn();
  const { server } = start({}, { callStore, observe });
  set(false);
  expect(server.health()).toEqual({ state: 'degraded', brokerAwayMs: 0, callStoreAwayMs: 1 });
  expect(observe.mock.calls).toEqual([[{ type: 'callStore', state: 'away', awayMs: 0 }]]);
});

test('a server that begins without its broker says so', () => {
  const { broker, set } = awayBroker();
  set(false);
  const observe = vi.fn();
  const { server } = start({}, { broker, observe });
  expect(server.health().state).toBe('degraded');
  expect(observe).toHaveBeenCalledWith({ type: 'broker', state: 'away', awayMs: 0 });
  expect(start().server.health()).toEqual({ state: 'ready', brokerAwayMs: 0, callStoreAwayMs: 0 });
});

const publishes = (...ids: number[]) => ids.map((id) => ['publish', id, 'rooms/1', { text: `${id}` }]);

test('what a client publishes waits for a broker that is away, in its order', async () => {
  const { broker, set } = awayBroker();
  const publish = vi.fn();
  const { server } = start({ room: { authorize: () => true, publish } }, { broker });
  const peer = await join(server, 'ann');
  set(false);
  peer.write(...publishes(1, 2));
  await vi.advanceTimersByTimeAsync(4999);
  expect([publish.mock.calls.length, peer.answers(1), peer.all('published')]).toEqual([0, [], []]);
  set(true);
  peer.write(...publishes(3));
  await settle();
  expect(publish.mock.calls.map(([{ event }]) => event.text)).toEqual(['1', '2', '3']);
  expect(peer.received.filter(([name]) => name === 'error')).toEqual([]);
});

test('one that has waited for too long is refused: the app was not asked, and nothing is done later', async () => {
  const { broker, set } = awayBroker();
  const publish = vi.fn();
  const { server, errors } = start({ room: { authorize: () => true, publish } }, { broker });
  const peer = await join(server, 'ann');
  set(false);
  peer.write(...publishes(1), ['call', 2, 'echo', null, 'x']);
  await settle();
  expect(peer.answers(2)).toEqual([['reply', 2, 'x']]);
  await vi.advanceTimersByTimeAsync(5000);
  const message = 'the server has lost its broker for a while, and published nothing';
  expect(peer.answers(1)).toEqual([['error', 1, { code: 'RATE_LIMITED', message, retryAfterMs: 1000 }]]);
  set(true);
  await settle();
  expect([publish.mock.calls, errors]).toEqual([[], []]);
});

test('one that is cancelled meanwhile is not begun', async () => {
  const { broker, set } = awayBroker();
  const publish = vi.fn();
  const { server } = start({ room: { authorize: () => true, publish } }, { broker });
  const peer = await join(server, 'ann');
  set(false);
  peer.write(...publishes(1), ['cancel', 1]);
  set(true);
  await settle();
  expect([publish.mock.calls, peer.answers(1)[0]?.[2].code]).toEqual([[], 'ABORTED']);
});
