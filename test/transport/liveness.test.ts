import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets a watchdog that fires at the end of this time take its macrotask of patience. */
const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms + 1);
const probes = (bench: ReturnType<typeof harness>) => bench.words().filter((word) => word === 'probe').length;

describe('silence', () => {
  test('nothing heard for interval and grace: one probe; nothing for the probe time either: given up', async () => {
    const bench = harness();
    const socket = await bench.connect(20_000);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(probes(bench)).toBe(0);
    await elapse(1);
    expect(probes(bench)).toBe(1);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(bench.transport.status.state).toBe('connected');
    await elapse(1);
    expect(bench.told.slice(-2)).toEqual([
      ['lost', { code: 4408, reason: 'no sign of life', opened: true, by: 'probe' }],
      ['status', bench.transport.status],
    ]);
    expect(bench.transport.status).toMatchObject({ state: 'waiting', attempt: 1 });
    expect(socket.closedWith?.code).toBe(4408);
  });

  test.each(['in', new ArrayBuffer(1)])('any frame is life: before the probe, and as its answer', async (data) => {
    const bench = harness();
    const socket = await bench.connect(20_000);
    await vi.advanceTimersByTimeAsync(29_000);
    socket.message(data);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(probes(bench)).toBe(0);
    await elapse(1_000);
    expect(probes(bench)).toBe(1);
    socket.message(data);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(probes(bench)).toBe(1);
    expect(bench.transport.status.state).toBe('connected');
  });

  test('said nothing for the interval and a tenth: says something, and what was said begins it anew', async () => {
    const bench = harness();
    const socket = await bench.connect(20_000);
    const silences = () => bench.words().filter((word) => word === 'silent').length;
    // The peer talks all the time, which says nothing of what it hears.
    const talk = async (ms: number) => {
      for (let past = 0; past < ms; past += 1_000) {
        await vi.advanceTimersByTimeAsync(1_000);
        socket.message('event');
      }
    };
    await talk(21_000);
    expect(silences()).toBe(0);
    await talk(1_000);
    expect(silences()).toBe(1);
    await talk(12_000);
    bench.links[0]!.send('call');
    await talk(21_000);
    expect(silences()).toBe(1);
    await talk(90_000);
    expect([silences(), probes(bench)]).toEqual([6, 0]);
  });

  test('the option is stronger than the server’s hint', async () => {
    const bench = harness({ heartbeat: { intervalMs: 1_000, timeoutMs: 500, probeMs: 100 } });
    await bench.connect(60_000);
    await elapse(1_500);
    expect(probes(bench)).toBe(1);
    await elapse(100);
    expect(bench.transport.status.state).toBe('waiting');
  });

  test.each([
    [NaN, 35_000],
    [0, 35_000],
    [-5, 35_000],
    [1, 11_000],
    [Infinity, 3_610_000],
    [1e300, 3_610_000],
  ])('a hint of %d ms is not followed into nonsense', async (hint, quietMs) => {
    const bench = harness();
    await bench.connect(hint);
    await vi.advanceTimersByTimeAsync(quietMs - 1);
    expect(probes(bench)).toBe(0);
    await elapse(1);
    expect(probes(bench)).toBe(1);
  });

  test('heartbeat: false watches nothing and probes nothing', async () => {
    const bench = harness({ heartbeat: false });
    await bench.connect();
    bench.transport.wake();
    expect(vi.getTimerCount()).toBe(0);
    expect(probes(bench)).toBe(0);
  });
});

describe('a page that slept', () => {
  test('frames that wait behind a late watchdog are handled first', async () => {
    const bench = harness();
    const socket = await bench.connect(20_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    // Queued by the engine while the page was frozen: its task comes right after the timer's.
    setTimeout(() => socket.message('queued'), 30_000);
    await vi.advanceTimersByTimeAsync(30_001);
    expect(probes(bench)).toBe(0);
    expect(bench.transport.status.state).toBe('connected');
  });

  test('a probe whose time ran out while the page slept is followed by one more, then by the end', async () => {
    const bench = harness();
    await bench.connect(20_000);
    await elapse(30_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    await elapse(2_000);
    expect(probes(bench)).toBe(2);
    expect(bench.transport.status.state).toBe('connected');
    vi.setSystemTime(Date.now() + 3_600_000);
    await elapse(2_000);
    expect(bench.transport.status.state).toBe('waiting');
  });

  test('the answer to a probe that is already there when its timer fires saves the connection', async () => {
    const bench = harness();
    const socket = await bench.connect(20_000);
    await elapse(30_000);
    setTimeout(() => socket.message('pong'), 2_000);
    await vi.advanceTimersByTimeAsync(2_100);
    expect(bench.transport.status.state).toBe('connected');
  });

  test('a clock that goes back neither ends the watch nor the connection', async () => {
    const bench = harness();
    const socket = await bench.connect(20_000);
    vi.setSystemTime(Date.now() - 3_600_000);
    await elapse(60_000);
    expect(probes(bench)).toBe(1);
    socket.message('pong');
    await vi.advanceTimersByTimeAsync(29_000);
    expect(bench.transport.status.state).toBe('connected');
  });
});

describe('wake', () => {
  test('connected: probes at once, a second wake does not probe again', async () => {
    const bench = harness();
    const socket = await bench.connect();
    bench.transport.wake();
    bench.transport.wake();
    expect(probes(bench)).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    socket.message('pong');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(bench.transport.status.state).toBe('connected');
    expect(vi.getTimerCount()).toBe(1);
  });

  test('connected to a dead link: given up after the probe time', async () => {
    const bench = harness();
    await bench.connect();
    bench.transport.wake();
    await elapse(2_000);
    expect(bench.transport.status).toMatchObject({ state: 'waiting', cause: { by: 'probe' } });
  });

  test('waiting: tries at once and leaves the count alone', async () => {
    const { dial, transport, fake, settle } = harness({ random: () => 0.9 });
    (await dial()).end(1006);
    transport.wake();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 2 });
    await settle();
    expect(fake.live()).toHaveLength(1);
    fake.last().end(1006);
    expect(transport.status).toMatchObject({ state: 'waiting', attempt: 2 });
  });

  test('waiting: signals within a second of such an attempt bring the next one forward to its end', async () => {
    const { dial, transport, fake } = harness({ random: () => 0.9 });
    (await dial()).end(1006);
    transport.wake();
    await vi.advanceTimersByTimeAsync(400);
    fake.last().end(1006);
    transport.wake();
    transport.wake();
    expect(transport.status).toMatchObject({ state: 'waiting', attempt: 2, retryAt: 1_001_000 });
    await vi.advanceTimersByTimeAsync(599);
    expect(fake.made).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(fake.made).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(1);
    fake.last().end(1006);
    expect(transport.status).toMatchObject({ state: 'waiting', attempt: 2 });
  });

  test('a signal never puts an attempt off', async () => {
    const { dial, transport, fake } = harness();
    (await dial()).end(1006);
    transport.wake();
    await vi.advanceTimersByTimeAsync(10);
    fake.last().end(1006);
    const { status } = transport;
    transport.wake();
    expect(transport.status).toBe(status);
    expect(status).toMatchObject({ state: 'waiting', retryAt: 1_000_110 });
  });

  test('connecting: nothing', async () => {
    const { dial, transport, words } = harness();
    await dial();
    transport.wake();
    expect(words()).toEqual(['connecting']);
  });
});

describe('a probe behind much that was written', () => {
  test('is waited for as long as that takes on a slow line', async () => {
    const bench = harness();
    await bench.connect();
    bench.unanswered = 500_000;
    bench.transport.wake();
    await vi.advanceTimersByTimeAsync(11_999);
    expect(bench.transport.status.state).toBe('connected');
    await elapse(1);
    expect(bench.transport.status).toMatchObject({ state: 'waiting', cause: { by: 'probe' } });
  });

  test('is waited for while the buffer falls', async () => {
    const bench = harness();
    const socket = await bench.connect();
    socket.bufferedAmount = 3;
    bench.transport.wake();
    for (const buffered of [2, 1, 0]) {
      socket.bufferedAmount = buffered;
      await elapse(2_000);
      expect(bench.transport.status.state).toBe('connected');
    }
    await elapse(2_000);
    expect(bench.words()).toContain('lost 4408');
  });

  test('is waited for as ever where the layer above can’t tell how much it is', async () => {
    const bench = harness();
    await bench.connect();
    const fault = new Error('no idea');
    Object.defineProperty(bench, 'unanswered', {
      get() {
        throw fault;
      },
    });
    bench.transport.wake();
    await elapse(2_000);
    expect(bench.transport.status.state).toBe('waiting');
    expect(new Set(bench.errors)).toEqual(new Set([fault]));
  });
});

test('the longest interval that is taken is waited for, by no timer that runs all the time', async () => {
  const bench = harness({ heartbeat: { intervalMs: 2 ** 31 - 1 } });
  await bench.connect();
  const set = vi.spyOn(globalThis, 'setTimeout');
  await vi.advanceTimersByTimeAsync(100);
  expect(set.mock.calls.length).toBeLessThan(5);
  bench.transport.close();
});
