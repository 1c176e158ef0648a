import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LifecycleSignal } from '../../src/transport/lifecycle.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a transport that nobody needs', () => {
  test('connected -> idle: the socket is closed with 1000, no timer and no listener is left', async () => {
    const leave = vi.fn();
    const { transport, connect, told, words } = harness({ lifecycle: { hidden: () => false, listen: () => leave } });
    const socket = await connect();
    transport.rest();
    expect(transport.status).toEqual({ state: 'idle' });
    expect(socket.closedWith).toEqual({ code: 1000, reason: 'idle' });
    expect(words().slice(-2)).toEqual(['lost 1000', 'idle']);
    expect(told.at(-2)).toEqual(['lost', { code: 1000, reason: 'idle', opened: true, by: 'app' }]);
    expect(vi.getTimerCount()).toBe(0);
    expect(leave).toHaveBeenCalledOnce();
  });

  test('idle -> connecting: connect comes back at once, with a first attempt', async () => {
    const { transport, connect, fake, welcome, settle } = harness();
    await connect();
    await vi.advanceTimersByTimeAsync(10_000);
    transport.rest();
    transport.connect();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 1 });
    await settle();
    welcome();
    expect(transport.status.state).toBe('connected');
    expect(fake.live()).toHaveLength(1);
  });

  test('connecting -> idle: whom it waits for is told to stop, and the socket given up', async () => {
    const signals: AbortSignal[] = [];
    const auth = vi.fn(({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise<string>(() => {}) : 'T';
    });
    const { transport, fake, settle, words } = harness({ auth });
    transport.connect();
    await settle();
    transport.rest();
    expect(signals[0]!.aborted).toBe(true);
    expect(fake.made).toEqual([]);
    transport.connect();
    await settle();
    transport.rest();
    expect(fake.live()).toEqual([]);
    expect(words()).toEqual(['connecting', 'idle', 'connecting', 'idle']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('waiting -> idle -> waiting: what was to be waited for is waited for, the failures stay counted', async () => {
    const { transport, dial, fake } = harness({ random: () => 0.5 });
    (await dial()).end(1006);
    expect(transport.status).toMatchObject({ state: 'waiting', attempt: 2, retryAt: 1_002_600 });
    await vi.advanceTimersByTimeAsync(600);
    transport.rest();
    expect(transport.status).toEqual({ state: 'idle' });
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    transport.connect();
    expect(transport.status).toMatchObject({ state: 'waiting', attempt: 2, retryAt: 1_002_600 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(transport.status).toEqual({ state: 'connecting', attempt: 2 });
    expect(fake.made).toHaveLength(2);
  });

  test('a delay that has passed while it rested is not waited for again', async () => {
    const { transport, dial } = harness({ random: () => 0.5 });
    (await dial()).end(1006);
    transport.rest();
    await vi.advanceTimersByTimeAsync(2_600);
    transport.connect();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 2 });
  });

  test('failures are forgotten by a stable connection alone', async () => {
    const { transport, dial, welcome } = harness();
    (await dial()).end(1006);
    await vi.advanceTimersByTimeAsync(100);
    welcome();
    transport.rest();
    transport.connect();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 2 });
    await vi.advanceTimersByTimeAsync(0);
    welcome();
    await vi.advanceTimersByTimeAsync(10_000);
    transport.rest();
    transport.connect();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 1 });
  });

  test('rest and use in turns make at most ten connections a minute', async () => {
    const { transport, connect, welcome, fake, settle } = harness();
    await connect();
    while (fake.made.length < 10) {
      transport.rest();
      transport.connect();
      await settle();
      welcome();
    }
    transport.rest();
    transport.connect();
    expect(transport.status).toMatchObject({ state: 'waiting', retryAt: 1_060_100, cause: { code: 1000, by: 'app' } });
    await vi.advanceTimersByTimeAsync(60_100);
    expect(fake.made).toHaveLength(11);
  });

  test('reconnect does not wait: the app asked for it', async () => {
    const { transport, dial } = harness();
    (await dial()).end(1013);
    transport.rest();
    transport.reconnect();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 1 });
  });

  test('signals of the host, wake and suspend do nothing to it, and rest nothing to one that is suspended or closed', async () => {
    const listeners = new Set<(signal: LifecycleSignal) => void>();
    const lifecycle = {
      hidden: () => false,
      listen: (tell: (signal: LifecycleSignal) => void) => {
        listeners.add(tell);
        return () => listeners.delete(tell);
      },
    };
    const { transport, connect, words } = harness({ lifecycle, suspendAfterHiddenMs: 0 });
    await connect();
    transport.rest();
    expect(listeners.size).toBe(0);
    transport.wake();
    transport.suspend('by the app');
    transport.rest();
    expect(words().at(-1)).toBe('idle');
    transport.connect();
    transport.suspend('by the app');
    transport.rest();
    expect(transport.status.state).toBe('suspended');
    transport.close();
    transport.rest();
    expect(transport.status.state).toBe('closed');
  });

  test('on a move all sockets are closed', async () => {
    const { transport, connect, fake, settle } = harness();
    await connect();
    transport.reconnect({ seamless: true });
    await settle();
    expect(fake.live()).toHaveLength(2);
    transport.rest();
    expect(fake.live()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(['lost', 'status'])('connect from inside of “%s” is the last word', async (moment) => {
    let rests = 0;
    const { transport, connect, welcome, settle } = harness({}, ([what], line) => {
      if (what === moment && line.status.state === 'idle' && rests++ === 0) line.connect();
    });
    await connect();
    transport.rest();
    expect(transport.status.state).toBe('connecting');
    await settle();
    welcome();
    expect(transport.status.state).toBe('connected');
    expect(rests).toBe(1);
  });
});
