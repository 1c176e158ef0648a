import { afterEach, describe, expect, test, vi } from 'vitest';
import { defineContract } from '../../src/contract/contract.ts';
import { mutation, query } from '../../src/contract/procedure.ts';
import type { AnySchema } from '../../src/contract/schema.ts';
import { Deadlines } from '../../src/primitives/deadlines.ts';
import { createServer } from '../../src/server/index.ts';
import type { Broker, Feed } from '../../src/server/index.ts';
import { limitTime } from '../../src/server/app/time-limit.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

/** What a hostile client could make run at once is twice its limit, whatever it gives up meanwhile. */
const limits = { calls: 8, subscriptions: 5 };
const never = () => new Gate<never>().opened;
const action = (answer: unknown, wanted: 'subscribe' | 'publish') =>
  vi.fn((asked: { action: string }) => (asked.action === wanted ? answer : true) as boolean);

afterEach(() => {
  vi.useRealTimers();
});

describe('publishes at work', () => {
  test('are 2 × limits.calls of a client: of those without an answer the others are dropped', async () => {
    const gate = new Gate<boolean>();
    const authorize = action(gate.opened, 'publish');
    const { server } = start({ room: { authorize, publish: () => undefined } }, { limits });
    const peer = new Peer(server).hello(clientName());
    for (let room = 0; room < 100; room++) peer.write(['publish', 0, `rooms/${room}`, { text: 'x' }]);
    expect(authorize).toHaveBeenCalledTimes(16);
    expect(server.stats().calls).toBe(16);
    gate.open(true);
    await settle();
    expect(server.stats().calls).toBe(0);
    peer.write(['publish', 0, 'rooms/1', { text: 'x' }]);
    expect(authorize).toHaveBeenCalledTimes(17);
  });

  test('count until they have ended, also after they were cancelled, whether they run or wait', async () => {
    const gate = new Gate();
    const publish = vi.fn(() => gate.opened);
    const { server } = start({ room: { authorize: () => true, publish } }, { limits });
    const peer = new Peer(server).hello(clientName());
    for (let id = 1; id <= 100; id++) {
      peer.write(['publish', id, `rooms/${id % 4}`, { text: 'x' }]);
      await settle();
      peer.write(['cancel', id]);
    }
    expect(publish).toHaveBeenCalledTimes(4);
    expect(server.stats().calls).toBe(16);
    expect([16, 17, 100].map((id) => peer.answers(id)[0]?.[2].code)).toEqual([
      'ABORTED',
      'RATE_LIMITED',
      'RATE_LIMITED',
    ]);
    gate.open();
    await settle();
    expect(server.stats().calls).toBe(0);
    // What was cancelled while it waited was never begun.
    expect(publish).toHaveBeenCalledTimes(4);
  });

  test('that were settled before their turn ask nothing of the app', async () => {
    const first = new Gate<boolean>();
    const authorize = vi.fn(() => first.opened);
    const { server } = start({ room: { authorize, publish: never } }, { limits });
    const peer = new Peer(server).hello(clientName());
    for (const id of [1, 2]) peer.write(['publish', id, 'rooms/1', { text: 'x' }]);
    peer.write(['cancel', 2], ['cancel', 1]);
    await settle();
    expect(authorize).toHaveBeenCalledTimes(1);
  });
});

describe('schemas at work', () => {
  function slow() {
    const gate = new Gate();
    const check = vi.fn(async (value: unknown) => (await gate.opened, { value }));
    const run = vi.fn();
    const types = undefined as { input: string; output: string } | undefined;
    const input = { '~standard': { version: 1 as const, vendor: 'test', validate: check, types } } as AnySchema;
    const contract = defineContract({
      save: mutation({ input }),
      read: query({ input }),
      make: query({ output: input }),
    });
    const server = createServer(contract, {
      limits,
      handlers: { save: run, read: run, make: () => 'x' },
    });
    return {
      gate,
      check,
      run,
      server,
      peer: new Peer(server).hello(clientName()),
    };
  }

  test.each(['read', 'make'])('of %s count like the handler, also after the call was cancelled', async (path) => {
    const { gate, check, run, server, peer } = slow();
    await settle();
    for (let id = 1; id <= 100; id++) peer.write(['call', id, path, null, 'x'], ['cancel', id]);
    expect(check).toHaveBeenCalledTimes(16);
    expect(server.stats().calls).toBe(16);
    gate.open();
    await settle();
    expect(server.stats().calls).toBe(0);
    expect(run).not.toHaveBeenCalled();
  });

  test('of mutations too, and those that wait for their turn count', async () => {
    const { gate, check, server, peer } = slow();
    await settle();
    peer.write(['call', 1, 'save', null, 'x']);
    for (let id = 2; id <= 100; id++) peer.write(['call', id, 'save', null, 'x'], ['cancel', id]);
    expect(server.stats().calls).toBe(16);
    gate.open();
    await settle();
    expect(server.stats().calls).toBe(0);
    expect(check).toHaveBeenCalledTimes(1);
  });
});

describe('subscriptions that are being opened', () => {
  /** Subscribes and gives up, again and again. */
  function churn(peer: Peer, nameOf: (n: number) => string, times = 100): void {
    for (let n = 1; n <= times; n++) peer.write(['subscribe', n, nameOf(n)], ['unsubscribe', nameOf(n)]);
  }

  test('make 2 × limits.subscriptions questions to authorize; above it the last of each topic waits', async () => {
    const gate = new Gate<boolean>();
    const authorize = action(gate.opened, 'subscribe');
    const { server } = start({ room: { authorize } }, { limits });
    const client = clientName();
    const peer = new Peer(server).hello(client);
    churn(peer, () => 'rooms/1');
    await settle();
    expect(authorize).toHaveBeenCalledTimes(10);
    // A client that comes back while the app is slow has done nothing wrong.
    const next = new Peer(server).hello(client, 2).write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'rooms/2']);
    next.write(['unsubscribe', 'rooms/2']);
    expect(authorize).toHaveBeenCalledTimes(10);
    gate.open(true);
    await settle();
    expect(authorize).toHaveBeenCalledTimes(11);
    expect(next.all('subscribed').map(([, n]) => n)).toEqual([1]);
    expect([...peer.all('unsubscribed'), ...next.all('unsubscribed')]).toEqual([]);
  });

  test('that wait are asked for once, with the credentials in force then, however the app answers', async () => {
    const gate = new Gate<boolean>();
    let isSlow = true;
    const authorize = vi.fn(() => (isSlow ? gate.opened : true) as boolean);
    const { server } = start({ room: { authorize } }, { limits: { calls: 8, subscriptions: 2000 } });
    const peer = new Peer(server).hello(clientName(), 1, { token: 'ann' });
    churn(peer, () => 'rooms/1', 4000);
    isSlow = false;
    peer.write(...Array.from({ length: 1999 }, (_, n) => ['subscribe', 5000 + n, `rooms/${n + 2}`]));
    peer.write(['auth', 1, 'ann']);
    await settle();
    expect(authorize).toHaveBeenCalledTimes(4000);
    gate.open(true);
    await settle();
    expect(peer.all('unsubscribed')).toEqual([]);
    expect(peer.all('subscribed')).toHaveLength(1999);
    expect(authorize.mock.calls.length).toBe(4000 + 1999);
  });

  test('share one snapshot of a topic, also when nobody waits for it for a moment', async () => {
    const gate = new Gate<{ sum: number }>();
    const snapshot = vi.fn(() => gate.opened);
    const { server } = start({ board: { authorize: () => true, snapshot } });
    const peer = new Peer(server).hello(clientName());
    churn(peer, () => 'boards/1');
    peer.write(['subscribe', 200, 'boards/1']);
    await settle();
    expect(snapshot).toHaveBeenCalledTimes(1);
    gate.open({ sum: 5 });
    await settle();
    expect(peer.received.slice(1)).toEqual([
      ['subscribed', 200, 'boards/1', [expect.any(String), 0], 'live'],
      ['snapshot', 'boards/1', [expect.any(String), 0], { sum: 5 }],
    ]);
  });

  test('of different topics make 2 × limits.subscriptions snapshots', async () => {
    const gate = new Gate<{ sum: number }>();
    const snapshot = vi.fn(() => gate.opened);
    const { server } = start({ board: { authorize: () => true, snapshot } }, { limits });
    const peer = new Peer(server).hello(clientName());
    churn(peer, (n) => `boards/${n}`);
    expect(snapshot).toHaveBeenCalledTimes(10);
    gate.open({ sum: 5 });
    await settle();
    churn(peer, (n) => `boards/${n}`);
    expect(snapshot).toHaveBeenCalledTimes(20);
  });

  test.each(['comes', 'fails'])('share the feed of a broker that is slow, and leave it when it %s', async (how) => {
    const gate = new Gate<Feed>();
    const close = vi.fn();
    const subscribe = vi.fn(() => gate.opened);
    const broker: Broker = {
      publish: () => ['e', 1],
      subscribe,
      close: () => undefined,
    };
    const { server } = start({}, { broker, limits });
    const peer = new Peer(server).hello(clientName());
    await settle();
    churn(peer, () => 'rooms/1');
    expect(subscribe).toHaveBeenCalledTimes(1);
    churn(peer, (n) => `rooms/${n}`);
    expect(subscribe).toHaveBeenCalledTimes(10);
    if (how === 'comes') gate.open({ head: ['e', 0], read: () => [], close });
    else gate.fail(new Error('x'));
    await settle();
    expect(close).toHaveBeenCalledTimes(how === 'comes' ? 10 : 0);
    peer.write(['subscribe', 300, 'rooms/1']);
    expect(subscribe).toHaveBeenCalledTimes(11);
  });
});

describe('an authorize that never answers', () => {
  test('of a subscription is given up after 30 s, and heard no more', async () => {
    vi.useFakeTimers();
    const gate = new Gate<boolean>();
    const { server, errors } = start({
      room: { authorize: () => gate.opened },
    });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(peer.all('unsubscribed')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.all('unsubscribed')[0]?.[3].code).toBe('INTERNAL');
    expect(errors).toEqual([
      {
        error: new Error('authorize of room took longer than 30000 ms'),
        info: { during: 'authorize', path: 'room' },
      },
    ]);
    gate.open(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.all('subscribed')).toEqual([]);
  });

  test('of a publish is given up after 30 s, and what it says later has no effect', async () => {
    vi.useFakeTimers();
    const gate = new Gate<boolean>();
    const publish = vi.fn();
    const { server } = start({
      room: { authorize: () => gate.opened, publish },
    });
    const peer = new Peer(server).hello(clientName()).write(['publish', 1, 'rooms/1', { text: 'x' }]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(peer.answers(1)[0]?.[2].code).toBe('INTERNAL');
    gate.fail(new Error('late'));
    await vi.advanceTimersByTimeAsync(1);
    expect(publish).not.toHaveBeenCalled();
    expect(server.stats().calls).toBe(0);
  });
});

test('an answer in time leaves no deadline, one at once never makes one', async () => {
  const deadlines = new Deadlines({ now: () => performance.now() });
  const gate = new Gate<number>();
  expect(limitTime(deadlines, 'it', () => 5)).toBe(5);
  expect(deadlines.size).toBe(0);
  const answer = limitTime(deadlines, 'it', () => gate.opened);
  expect(deadlines.size).toBe(1);
  gate.open(7);
  expect(await answer).toBe(7);
  await settle();
  expect(deadlines.size).toBe(0);
});

describe('a floor', () => {
  const floor = (exceptions: number) => [5000, ...Array.from({ length: exceptions }, (_, index) => index + 1)];

  test('of more than 1088 exceptions closes with 4400, as a message and in hello', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName(), 1, { floor: floor(1088) }).write(['floor', ...floor(1088)]);
    await settle();
    expect(peer.closedWith).toBeUndefined();
    peer.write(['floor', ...floor(1089)]);
    expect(peer.closedWith).toEqual({
      code: 4400,
      reason: 'a floor with more than 1088 exceptions',
    });
    const other = new Peer(server).hello(clientName(), 1, {
      floor: floor(1089),
    });
    expect(other.closedWith?.code).toBe(4400);
  });
});
