import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StopReconnecting } from '../../src/transport/stop-reconnecting.ts';
import type { LifecycleSignal } from '../../src/transport/lifecycle.ts';
import type { FakeWebSocket } from '../helpers/fake-web-socket.ts';
import type { Harness } from './transport-harness.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Connected, and then a successor that waits for its open. */
async function moving(options: Parameters<typeof harness>[0] = {}) {
  const bench = harness({ random: () => 0.5, ...options });
  const old = await bench.connect();
  const before = bench.transport.status;
  bench.transport.reconnect({ seamless: true });
  await bench.settle();
  return { bench, old, successor: bench.fake.last(), before };
}

/** Connected on a successor, and the one before not yet left. */
async function moved() {
  const { bench, old, successor } = await moving();
  bench.welcome();
  return { bench, old, successor, oldLink: bench.links[0]!, link: bench.links[1]! };
}

const socketTimers = ({ bench }: { bench: Harness }) => {
  bench.transport.close();
  return vi.getTimerCount();
};

describe('a move to another socket', () => {
  test('opens the successor beside the socket that serves, and changes no state before its welcome', async () => {
    const { bench, old, successor, before } = await moving();
    expect(successor).not.toBe(old);
    expect(old.closedWith).toBeUndefined();
    successor.open();
    expect(bench.transport.status).toBe(before);
    expect(bench.links[0]!.send('on the old one')).toBe(true);
    old.message('still served');
    expect(bench.words()).toEqual(['connecting', 'opened', 'connected', 'opened', 'frame']);
  });

  test('is connected anew with the welcome, while answers still come on the socket before', async () => {
    const { bench, old, successor } = await moved();
    expect(bench.words()).toEqual(['connecting', 'opened', 'connected', 'opened', 'connected']);
    old.message('an answer');
    successor.message('the first');
    expect(bench.words().slice(-2)).toEqual(['frame', 'frame']);
    expect(old.closedWith).toBeUndefined();
  });

  test('leaves the socket before when the layer above drops it, without another word', async () => {
    const { bench, old, oldLink } = await moved();
    const { status } = bench.transport;
    oldLink.drop(4000, 'moved');
    expect(old.closedWith).toEqual({ code: 4000, reason: 'moved' });
    expect(bench.words().slice(-1)).toEqual(['lost 4000']);
    expect(bench.transport.status).toBe(status);
  });

  test('bears the end of the socket before, whatever its code', async () => {
    const { bench, old, successor } = await moved();
    const { status } = bench.transport;
    old.end(4403);
    expect(bench.words().slice(-1)).toEqual(['lost 4403']);
    expect(bench.transport.status).toBe(status);
    expect(bench.fake.live()).toEqual([successor]);
    // The time that it had is over with it.
    expect(vi.getTimerCount()).toBe(1);
  });

  test('gives the socket before 30 s to answer', async () => {
    const { bench, old } = await moved();
    const alive = setInterval(() => bench.fake.last().message('alive'), 1_000);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(old.live).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    clearInterval(alive);
    expect(old.closedWith).toEqual({ code: 4000, reason: 'moved' });
    expect(bench.transport.status.state).toBe('connected');
  });

  test('lets the oldest of three go at once', async () => {
    const { bench, old, successor } = await moved();
    bench.transport.reconnect({ seamless: true });
    await bench.settle();
    bench.welcome();
    expect(old.closedWith?.code).toBe(4000);
    expect(bench.fake.live()).toEqual([successor, bench.fake.last()]);
    expect(bench.fake.last()).not.toBe(successor);
  });

  test('is one at a time', async () => {
    const { bench } = await moving();
    bench.transport.reconnect({ seamless: true });
    await bench.settle();
    expect(bench.fake.made).toHaveLength(2);
  });

  test('is an ordinary attempt where there is no connection to keep', async () => {
    const bench = harness();
    bench.transport.reconnect({ seamless: true });
    await bench.settle();
    expect(bench.transport.status.state).toBe('connecting');
    expect(bench.fake.live()).toHaveLength(1);
  });

  test('watches the socket before as long as it may answer: one that is dead is left', async () => {
    const bench = harness({ random: () => 0 });
    const old = await bench.connect();
    bench.links[0]!.leaving({ afterMs: 0, withinMs: 600_000 });
    await bench.settle();
    const successor = bench.welcome();
    const alive = setInterval(() => successor.message('alive'), 1_000);
    await vi.advanceTimersByTimeAsync(32_100);
    clearInterval(alive);
    expect(old.live).toBe(false);
    expect(bench.words().slice(-2)).toEqual(['frame', 'lost 4408']);
    expect(bench.transport.status.state).toBe('connected');
  });

  test('watches the successor from its welcome on', async () => {
    const { bench, old, successor } = await moved();
    old.end(1006);
    await vi.advanceTimersByTimeAsync(32_100);
    expect(bench.words().filter((word) => word === 'probe')).toHaveLength(1);
    expect(successor.live).toBe(false);
    expect(bench.transport.status).toMatchObject({ state: 'waiting', cause: { by: 'probe' } });
  });
});

describe('a successor that fails', () => {
  const ways: ReadonlyArray<readonly [string, (world: Awaited<ReturnType<typeof moving>>) => void | Promise<unknown>]> =
    [
      ['refused', ({ successor }) => successor.end(1006)],
      ['closed for good before its welcome', ({ successor }) => (successor.open(), successor.end(4403))],
      ['dropped by the layer above', ({ bench, successor }) => (successor.open(), bench.links[1]!.drop(4400, 'no'))],
      ['without an answer', () => vi.advanceTimersByTimeAsync(10_000)],
      [
        'through a computer that slept',
        () => (vi.setSystemTime(Date.now() + 3e6), vi.advanceTimersByTimeAsync(10_001)),
      ],
    ];

  test.each(ways)('leaves the connection as it is: %s', async (_, fail) => {
    const world = await moving();
    const { bench, old, before } = world;
    await fail(world);
    expect(bench.transport.status).toBe(before);
    expect(bench.words().filter((word) => word === 'move failed')).toHaveLength(1);
    expect(bench.fake.live()).toEqual([old]);
    expect(bench.links[0]!.send('on it goes')).toBe(true);
    expect(vi.getTimerCount()).toBe(1);
    expect(socketTimers(world)).toBe(0);
  });

  test.each([
    ['rejects', new Error('no token')],
    ['wants no more attempts', new StopReconnecting('logged out')],
  ])('leaves the connection as it is: the credentials function %s', async (_, error) => {
    const auth = vi.fn(() => Promise.resolve('first'));
    const bench = harness({ auth });
    await bench.connect();
    const before = bench.transport.status;
    auth.mockRejectedValue(error);
    bench.transport.reconnect({ seamless: true });
    await bench.settle();
    expect(bench.transport.status).toBe(before);
    expect(bench.words().slice(-1)).toEqual(['move failed']);
  });

  test('can be followed by another move', async () => {
    const { bench, successor } = await moving();
    successor.end(1006);
    bench.transport.reconnect({ seamless: true });
    await bench.settle();
    bench.welcome();
    expect(bench.words().slice(-1)).toEqual(['connected']);
  });
});

describe('the socket that serves ends during a move', () => {
  test('the successor goes on in the place of an attempt', async () => {
    const { bench, old, successor } = await moving();
    old.end(1006);
    expect(bench.transport.status.state).toBe('connecting');
    expect(bench.words().slice(-2)).toEqual(['lost 1006', 'connecting']);
    bench.welcome();
    expect(bench.fake.live()).toEqual([successor]);
    expect(bench.fake.made).toHaveLength(2);
    expect(bench.transport.status.state).toBe('connected');
  });

  test('by anything but a takeover: also a successor that has said hello is an attempt until its welcome', async () => {
    const { bench, old, successor } = await moving();
    successor.open();
    old.end(1006);
    expect(bench.words().slice(-2)).toEqual(['lost 1006', 'connecting']);
    bench.links[1]!.welcomed({ heartbeatMs: 20_000, resumed: true });
    expect(bench.words().slice(-1)).toEqual(['connected']);
  });

  test('a successor that then fails is a failed attempt', async () => {
    const { bench, old, successor } = await moving();
    old.end(1006);
    successor.end(1006);
    expect(bench.transport.status.state).toBe('waiting');
    expect(bench.words()).not.toContain('move failed');
  });

  test('for good: the successor ends with it', async () => {
    const { bench, old, successor } = await moving();
    old.end(4403);
    expect(bench.transport.status.state).toBe('closed');
    expect(successor.live).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('because its successor said hello: the connection stands until that is welcomed', async () => {
    const { bench, old, successor, before } = await moving();
    successor.open();
    old.end(4409);
    expect(bench.transport.status).toBe(before);
    expect(bench.words().slice(-1)).toEqual(['opened']);
    bench.links[1]!.welcomed({ heartbeatMs: 20_000, resumed: true });
    expect(bench.words().slice(-2)).toEqual(['connected', 'lost 4409']);
    expect(bench.fake.live()).toEqual([successor]);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('because its successor said hello, and that fails too: lost', async () => {
    const { bench, old, successor } = await moving();
    successor.open();
    old.end(4409);
    successor.end(1006);
    expect(bench.transport.status).toMatchObject({ state: 'waiting', cause: { code: 4409 } });
    expect(bench.words().slice(-4)).toEqual(['lost 1006', 'move failed', 'lost 4409', 'waiting']);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('because another client of its name said hello: lost, for the successor has not', async () => {
    const { bench, old } = await moving();
    old.end(4409);
    expect(bench.words().slice(-2)).toEqual(['lost 4409', 'connecting']);
  });
});

describe('what ends a connection ends all sockets of a move', () => {
  type World = { bench: Harness; old: FakeWebSocket; tell: (signal: LifecycleSignal) => void };
  const ends: ReadonlyArray<readonly [string, number, (world: World) => void]> = [
    ['close', 0, ({ bench }) => bench.transport.close()],
    ['suspend', 0, ({ bench }) => bench.transport.suspend('by the app')],
    ['an ordinary reconnect', 1, ({ bench }) => bench.transport.reconnect()],
    ['a return from a freeze', 1, ({ tell }) => tell('restored')],
  ];

  test.each(ends)('%s', async (_, left, end) => {
    let tell: World['tell'] = () => {};
    const lifecycle = { hidden: () => false, listen: (listener: World['tell']) => ((tell = listener), () => {}) };
    const { bench, old, successor } = await moving({ lifecycle });
    bench.welcome();
    bench.transport.reconnect({ seamless: true });
    await bench.settle();
    const third = bench.fake.last();
    third.open();
    expect(bench.fake.live()).toEqual([old, successor, third]);
    end({ bench, old, tell: (signal) => tell(signal) });
    await vi.advanceTimersByTimeAsync(50);
    expect([old.live, successor.live, third.live]).toEqual([false, false, false]);
    expect(bench.words().filter((word) => word.startsWith('lost'))).toHaveLength(3);
    expect(bench.fake.live()).toHaveLength(left);
    bench.transport.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a server that says that it will go', () => {
  test('is left at a random moment of its window', async () => {
    const bench = harness({ random: () => 0.25 });
    await bench.connect();
    bench.links[0]!.leaving({ afterMs: 1_000, withinMs: 8_000 });
    await vi.advanceTimersByTimeAsync(2_999);
    expect(bench.fake.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.fake.made).toHaveLength(2);
    bench.welcome();
    expect(bench.transport.status.state).toBe('connected');
  });

  test('may answer until its window ends', async () => {
    const bench = harness({ random: () => 0 });
    const old = await bench.connect();
    bench.links[0]!.leaving({ afterMs: 1_000, withinMs: 4_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    bench.welcome();
    await vi.advanceTimersByTimeAsync(3_999);
    expect(old.live).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(old.live).toBe(false);
  });

  /** Moves to a successor that ends with this code; gives when the next one is dialled, for the least and the most draws. */
  async function nextAfter(code: number, reason = '', spreadMs?: number) {
    const times: Array<number | undefined> = [];
    for (const random of [0, 1]) {
      let draw = 0;
      const bench = harness({ random: () => draw });
      const old = await bench.connect();
      const alive = setInterval(() => old.message('alive'), 1_000);
      bench.links[0]!.spreadMs = spreadMs;
      bench.links[0]!.leaving({ afterMs: 0, withinMs: 20_000 });
      await bench.settle();
      draw = random;
      bench.fake.last().open();
      bench.fake.last().end(code, reason);
      const from = Date.now();
      expect(bench.transport.status.state).toBe('connected');
      while (bench.fake.made.length < 3 && Date.now() < from + 60_000) await vi.advanceTimersByTimeAsync(100);
      times.push(bench.fake.made.length < 3 ? undefined : Date.now() - from);
      clearInterval(alive);
      bench.transport.close();
      expect(vi.getTimerCount()).toBe(0);
    }
    return times;
  }

  test.each([1012, 1006])('is left for another that is found later in its window: %i', async (code) => {
    // Turned away by the server that goes, or nobody was there yet.
    expect(await nextAfter(code)).toEqual([1_000, 3_000]);
    expect(await nextAfter(code, 'retry-after=3200')).toEqual([3_200, 5_200]);
    // As many as there are need more time.
    expect(await nextAfter(code, '', 9_000)).toEqual([1_000, 10_000]);
  });

  test.each([
    [1012, 'retry-after=20000'],
    [1013, ''],
    [4400, ''],
    [4403, ''],
  ])('is asked no more behind its window, nor where that is of no use: %i %s', async (code, reason) => {
    expect(await nextAfter(code, reason)).toEqual([undefined, undefined]);
  });

  test('twice: what it said last counts', async () => {
    const bench = harness({ random: () => 0 });
    await bench.connect();
    bench.links[0]!.leaving({ afterMs: 1_000, withinMs: 1_000 });
    bench.links[0]!.leaving({ afterMs: 5_000, withinMs: 1_000 });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(bench.fake.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.fake.made).toHaveLength(2);
  });

  test('on a socket that was left already moves nobody', async () => {
    const { bench, oldLink } = await moved();
    oldLink.leaving({ afterMs: 0, withinMs: 100 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bench.fake.made).toHaveLength(2);
  });
});
