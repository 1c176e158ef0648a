import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StopReconnecting } from '../../src/transport/stop-reconnecting.ts';
import type { TransportOptions } from '../../src/transport/transport-options.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets attempts fail until the next one is waited for. */
async function failTimes(bench: ReturnType<typeof harness>, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    if (bench.transport.status.state === 'waiting') await vi.advanceTimersToNextTimerAsync();
    bench.fake.last().end(1006);
  }
}

describe('unreachable', () => {
  test('is said after five failures without any open, while it waits and while it tries', async () => {
    const bench = harness();
    await bench.dial();
    await failTimes(bench, 4);
    expect(bench.transport.status).not.toHaveProperty('unreachable');
    await failTimes(bench, 1);
    expect(bench.transport.status).toMatchObject({ state: 'waiting', attempt: 6, unreachable: true });
    await vi.advanceTimersToNextTimerAsync();
    expect(bench.transport.status).toEqual({ state: 'connecting', attempt: 6, unreachable: true });
    bench.welcome();
    expect(bench.transport.status.state).toBe('connected');
  });

  test('is never said again once a socket has opened, welcomed or not', async () => {
    const bench = harness();
    (await bench.dial()).open();
    await failTimes(bench, 7);
    expect(bench.transport.status).toMatchObject({ state: 'waiting', attempt: 8 });
    expect(bench.transport.status).not.toHaveProperty('unreachable');
  });

  test('nor when the socket that opened was left by the app', async () => {
    const bench = harness();
    await bench.connect();
    bench.transport.suspend('by hand');
    bench.transport.wake();
    await bench.settle();
    // The attempt of a wake does not count.
    await failTimes(bench, 6);
    expect(bench.transport.status).toMatchObject({ attempt: 6 });
    expect(bench.transport.status).not.toHaveProperty('unreachable');
  });

  test('a fresh series begins without it', async () => {
    const bench = harness();
    await bench.dial();
    await failTimes(bench, 5);
    bench.transport.reconnect();
    expect(bench.transport.status).toEqual({ state: 'connecting', attempt: 1 });
  });
});

describe('StopReconnecting', () => {
  const stop = new StopReconnecting('the session is over');
  test.each([
    [
      'thrown by url',
      {
        url: () => {
          throw stop;
        },
      },
    ],
    ['rejected by auth', { auth: () => Promise.reject(stop) }],
  ] as ReadonlyArray<readonly [string, Partial<TransportOptions>]>)(
    '%s ends it, with its cause',
    async (_, options) => {
      const bench = harness(options);
      bench.transport.connect();
      await bench.settle();
      expect(bench.transport.status).toEqual({
        state: 'closed',
        cause: { code: 1006, reason: '', opened: false, by: 'provider', error: stop },
      });
      expect(vi.getTimerCount()).toBe(0);
      expect(bench.fake.made).toEqual([]);
    },
  );

  test('of an attempt that is over changes nothing', async () => {
    let reject = (_error: unknown) => {};
    const bench = harness({ auth: () => new Promise((_, fail) => (reject = fail)) });
    bench.transport.connect();
    bench.transport.suspend('by hand');
    reject(stop);
    await bench.settle();
    expect(bench.transport.status.state).toBe('suspended');
  });
});

describe('rules of the app, on a line', () => {
  test('a rule that closes the transport has the last word', async () => {
    const bench: ReturnType<typeof harness> = harness({
      reconnect: {
        onClose: () => {
          bench.transport.close(3000, 'enough');
          return 'retry';
        },
      },
    });
    (await bench.connect()).end(1006);
    expect(bench.words()).toEqual(['connecting', 'opened', 'connected', 'lost 3000', 'closed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a rule that throws is reported', async () => {
    const error = new Error('from the rule');
    const onClose = () => {
      throw error;
    };
    const bench = harness({ reconnect: { onClose } });
    (await bench.connect()).end(1006);
    expect(bench.transport.status.state).toBe('waiting');
    expect(bench.errors).toEqual([error]);
  });

  test('a delay of 0 does not spin: ten attempts a minute', async () => {
    const fake = fakeWebSockets((socket) => queueMicrotask(() => socket.end(1006)));
    const { transport } = harness({ reconnect: { onClose: { 1006: { delayMs: 0 } } } }, undefined, fake);
    transport.connect();
    await vi.advanceTimersByTimeAsync(59_000);
    expect(fake.made).toHaveLength(10);
  });
});

describe('a server that said that it will go', () => {
  const retryIn = (bench: ReturnType<typeof harness>) => {
    const { status } = bench.transport;
    return status.state === 'waiting' ? status.retryAt - Date.now() : undefined;
  };

  test.each([
    [0, 0, 2_000],
    [0.5, 0, 4_000],
    // Half a second later that much less is left until the window begins.
    [0, 500, 1_500],
    // Once it has begun, or is over, it is as wide as it was: those who are still there are lost at one moment.
    [0, 3_000, 0],
    [0.5, 60_000, 2_000],
  ])('with random %d, lost after %i ms: the next attempt after %i ms', async (random, afterMs, delayMs) => {
    const bench = harness({ random: () => random });
    const socket = await bench.connect();
    bench.links[0]!.leaving({ afterMs: 2_000, withinMs: 4_000 });
    const alive = setInterval(() => socket.message('alive'), 1_000);
    await vi.advanceTimersByTimeAsync(afterMs);
    clearInterval(alive);
    // A server that goes takes no new sockets.
    if (bench.fake.last() !== socket) bench.fake.last().end(1012);
    socket.end(1012);
    expect(retryIn(bench)).toBe(delayMs);
  });

  test('is not taken at a word that makes no sense: at most a day, never all clients at once', async () => {
    const far = harness();
    const socket = await far.connect();
    far.links[0]!.leaving({ afterMs: 1e300, withinMs: 0 });
    socket.end(1012);
    expect(retryIn(far)).toBe(86_400_000);
    const narrow = harness({ random: () => 0.5 });
    const other = await narrow.connect();
    narrow.links[0]!.leaving({ afterMs: 0, withinMs: 0 });
    other.end(1012);
    expect(retryIn(narrow)).toBe(50);
  });
});

describe('a server that takes 3 s to refuse (423)', () => {
  test('one socket at a time, at most ten a minute, and it goes on', async () => {
    const starts: number[] = [];
    const fake = fakeWebSockets((socket) => {
      starts.push(Date.now());
      setTimeout(() => socket.live && socket.end(1006), 3_000);
    });
    const { transport } = harness({ reconnect: { sharedFirstMs: 1, capMs: 1 } }, undefined, fake);
    transport.connect();
    await vi.advanceTimersByTimeAsync(180_000);
    expect(fake.mostLive).toBe(1);
    expect(starts.length).toBeGreaterThan(20);
    expect(starts.every((at, n) => n < 10 || at - starts[n - 10]! > 60_000)).toBe(true);
    expect(transport.status).toMatchObject({ unreachable: true });
    transport.close();
  });

  test('wakes while one hangs make no second socket beside it, and one in two seconds in its place', async () => {
    const { dial, transport, fake } = harness();
    await dial();
    for (let n = 0; n < 99; n++) {
      transport.wake();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(fake.mostLive).toBe(1);
    expect(fake.made.length).toBeLessThanOrEqual(5);
    transport.close();
  });
});

describe('a wake signal while an attempt hangs', () => {
  test('gives it two seconds; then another begins at once, and none of it counts', async () => {
    const { dial, transport, fake } = harness({ random: () => 0.9 });
    const socket = await dial();
    await vi.advanceTimersByTimeAsync(1_000);
    transport.wake();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(fake.live()).toEqual([socket]);
    await vi.advanceTimersByTimeAsync(1);
    expect(fake.made).toHaveLength(2);
    expect(socket.live).toBe(false);
    expect(transport.status).toEqual({ state: 'connecting', attempt: 1 });
    // The one in its place has all of its time.
    await vi.advanceTimersByTimeAsync(9_999);
    expect(fake.live()).toHaveLength(1);
    transport.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('leaves one alone that is only slow', async () => {
    const bench = harness();
    await bench.dial();
    bench.transport.wake();
    await vi.advanceTimersByTimeAsync(1_900);
    bench.welcome();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(bench.fake.made).toHaveLength(1);
    expect(bench.transport.status.state).toBe('connected');
  });

  test('asks a provider that hangs again', async () => {
    const url = vi.fn(() => new Promise<string>(() => {}));
    const { transport } = harness({ url });
    transport.connect();
    transport.wake();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(url).toHaveBeenCalledTimes(2);
    transport.close();
  });

  test('gives no more time than an attempt has', async () => {
    const { dial, transport, fake } = harness({ connectTimeoutMs: 500 });
    await dial();
    await vi.advanceTimersByTimeAsync(400);
    transport.wake();
    await vi.advanceTimersByTimeAsync(500);
    expect(fake.made).toHaveLength(2);
    transport.close();
  });

  test('makes at most one attempt a second, however quickly they are refused', async () => {
    const starts: number[] = [];
    const fake = fakeWebSockets((socket) => {
      starts.push(Date.now());
      setTimeout(() => socket.live && socket.end(1006), 10);
    });
    const { transport } = harness({ random: () => 0.9 }, undefined, fake);
    transport.connect();
    for (let n = 0; n < 1_000; n++) {
      transport.wake();
      await vi.advanceTimersByTimeAsync(10);
    }
    transport.close();
    expect(starts.length).toBeGreaterThan(8);
    expect(starts.length).toBeLessThanOrEqual(12);
  });
});

describe('a page that slept, or whose clock was set, in an attempt', () => {
  const sleep = () => vi.setSystemTime(Date.now() + 3_600_000);

  test('the attempt that ran out in its sleep does not count, the next one comes at once', async () => {
    const { dial, transport, fake, words } = harness({ random: () => 0.9 });
    const socket = await dial();
    sleep();
    await vi.advanceTimersByTimeAsync(10_001);
    expect(words()).toEqual(['connecting', 'waiting', 'connecting']);
    expect(transport.status).toEqual({ state: 'connecting', attempt: 1 });
    expect(socket.live).toBe(false);
    expect(fake.live()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(9_998);
    expect(fake.made).toHaveLength(2);
  });

  test('what came in its sleep is handled before it is given up', async () => {
    const bench = harness();
    await bench.dial();
    sleep();
    // Its task is queued behind the timer's.
    setTimeout(() => bench.welcome(), 10_000);
    await vi.advanceTimersByTimeAsync(10_001);
    expect(bench.transport.status.state).toBe('connected');
    expect(bench.fake.made).toHaveLength(1);
  });

  test('a wait whose timer is hours late leads to one attempt', async () => {
    const { dial, transport, fake } = harness();
    (await dial()).end(1006);
    sleep();
    transport.wake();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(fake.made).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(1);
  });

  test.each([-3_600_000, -1])('a clock that goes back by %i ms changes neither wait nor limit', async (ms) => {
    const { dial, transport, fake } = harness();
    (await dial()).end(1006);
    vi.setSystemTime(Date.now() + ms);
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.made).toHaveLength(2);
    vi.setSystemTime(Date.now() + ms);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(transport.status.state).toBe('connecting');
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { by: 'timeout' } });
  });
});
