import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Lifecycle, LifecycleSignal } from '../../src/transport/lifecycle.ts';
import { browserLifecycle } from '../../src/transport/lifecycle/lifecycle-browser.ts';
import { hostLifecycle } from '../../src/transport/lifecycle/lifecycle-host.ts';
import { fakePage } from '../helpers/fake-page.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Signals of one return to the page are one: this long. */
const BURST_MS = 50;
const probes = (bench: ReturnType<typeof harness>) => bench.words().filter((word) => word === 'probe').length;
const burst = () => vi.advanceTimersByTimeAsync(BURST_MS);

describe('listeners', () => {
  test('are added when the connection starts and removed when it is closed', async () => {
    const page = fakePage();
    const { transport, connect } = harness();
    expect(page.listeners).toBe(0);
    await connect();
    const whileItLives = page.listeners;
    expect(whileItLives).toBeGreaterThan(0);
    transport.reconnect();
    transport.suspend('by hand');
    transport.wake();
    expect(page.listeners).toBe(whileItLives);
    transport.close();
    expect(page.listeners).toBe(0);
    transport.connect();
    expect(page.listeners).toBe(whileItLives);
    transport.close();
    expect(page.listeners).toBe(0);
  });

  test('are removed when a server ends it for good, too', async () => {
    const page = fakePage();
    const { connect } = harness();
    (await connect()).end(4403);
    expect(page.listeners).toBe(0);
  });

  test('are removed when a callback closes it in the midst of another transition', async () => {
    const page = fakePage();
    const bench: ReturnType<typeof harness> = harness({
      url: ({ signal }) => {
        signal.addEventListener('abort', () => bench.transport.close());
        return new Promise<never>(() => {});
      },
    });
    bench.transport.connect();
    bench.transport.suspend('by hand');
    expect(bench.transport.status.state).toBe('closed');
    expect(page.listeners).toBe(0);
  });

  test('lifecycle: false adds none; no document, no lifecycle', () => {
    expect(browserLifecycle()).toBeUndefined();
    const page = fakePage();
    harness({ lifecycle: false }).transport.connect();
    expect(page.listeners).toBe(0);
  });

  test('one that is closed while it begins to listen is not left listening', () => {
    const leave = vi.fn();
    const lifecycle: Lifecycle = {
      hidden: () => false,
      listen: () => {
        transport.close();
        return leave;
      },
    };
    const { transport } = harness({ lifecycle });
    transport.connect();
    expect(leave).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a host that tells after it was left is not heard', async () => {
    let tell = (_signal: LifecycleSignal) => {};
    const lifecycle: Lifecycle = {
      hidden: () => false,
      listen: (listener) => {
        tell = listener;
        return () => {};
      },
    };
    const bench = harness({ lifecycle });
    await bench.connect();
    bench.transport.close();
    tell('wake');
    tell('restored');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bench.words().at(-1)).toBe('closed');
  });
});

describe('a page that is woken', () => {
  test.each(['focus', 'online', 'offline'])('%s on the window probes', async (type) => {
    const page = fakePage();
    const bench = harness();
    await bench.connect();
    page.window.fire(type);
    await burst();
    expect(probes(bench)).toBe(1);
  });

  test('resume, a change of visibility and a change of the network do, too', async () => {
    const page = fakePage();
    const bench = harness();
    const socket = await bench.connect();
    const ways = [
      () => page.document.fire('resume'),
      () => page.see('visible'),
      () => {
        page.connection.type = 'cellular';
        page.connection.fire('change');
      },
    ];
    for (const way of ways) {
      way();
      await burst();
      socket.message('pong');
    }
    expect(probes(bench)).toBe(3);
  });

  test('a change of the network’s estimates alone does not', async () => {
    const page = fakePage();
    const bench = harness();
    await bench.connect();
    page.connection.fire('change');
    await burst();
    expect(probes(bench)).toBe(0);
  });

  test.each([
    ['without navigator.connection', {}],
    ['with one that tells nothing, as Cordova makes it', { connection: { type: 'wifi' } }],
  ])('an engine %s has the rest', async (_, navigator) => {
    const page = fakePage();
    vi.stubGlobal('navigator', navigator);
    const bench = harness();
    await bench.connect();
    page.see('visible');
    await burst();
    expect(probes(bench)).toBe(1);
    bench.transport.close();
    expect(page.listeners).toBe(0);
    expect(bench.errors).toEqual([]);
  });

  test('a burst of signals is one probe, also when its answer is fast', async () => {
    const page = fakePage();
    const bench = harness({}, ([what]) => {
      if (what === 'probe') bench.fake.last().message('pong');
    });
    await bench.connect();
    page.document.fire('resume');
    page.see('visible');
    await vi.advanceTimersByTimeAsync(10);
    page.window.fire('focus');
    page.window.fire('online');
    page.connection.fire('change');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(probes(bench)).toBe(1);
    page.window.fire('focus');
    await burst();
    expect(probes(bench)).toBe(2);
  });

  test('offline decides nothing: a socket that answers stays', async () => {
    const page = fakePage();
    const bench = harness();
    const socket = await bench.connect();
    page.window.fire('offline');
    await burst();
    socket.message('pong');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(bench.transport.status.state).toBe('connected');
    expect(bench.fake.made).toHaveLength(1);
  });

  test('waiting: tries at once', async () => {
    const page = fakePage();
    const { dial, transport, fake, settle } = harness({ random: () => 0.9 });
    (await dial()).end(1006);
    page.window.fire('online');
    await settle();
    expect(transport.status.state).toBe('connecting');
    expect(fake.made).toHaveLength(2);
  });

  test('what dies before it has answered a wake is tried anew at once, not after a delay', async () => {
    const page = fakePage();
    const { connect, transport, fake } = harness({ random: () => 0.9 });
    const socket = await connect();
    await vi.advanceTimersByTimeAsync(10_000);
    page.see('visible');
    await burst();
    socket.end(1006);
    expect(transport.status).toMatchObject({ state: 'waiting', retryAt: Date.now() });
    await vi.advanceTimersByTimeAsync(1);
    expect(fake.live()).toHaveLength(1);
  });

  test('a dead link that a wake finds is replaced at once', async () => {
    const page = fakePage();
    const { connect, fake, transport } = harness({ random: () => 0.9 });
    await connect();
    page.window.fire('online');
    await vi.advanceTimersByTimeAsync(BURST_MS + 2_000 + 2);
    expect(transport.status.state).toBe('connecting');
    expect(fake.made).toHaveLength(2);
  });

  test('but a server that says why it closes is heard', async () => {
    const page = fakePage();
    const { connect, transport } = harness();
    const socket = await connect();
    page.see('visible');
    await burst();
    socket.end(1012);
    expect(transport.status).toMatchObject({ retryAt: Date.now() + 5_000 });
  });

  test('a loss before the burst is over ends in an attempt at once as well', async () => {
    const page = fakePage();
    const { connect, fake } = harness({ random: () => 0.9 });
    const socket = await connect();
    page.see('visible');
    socket.end(1006);
    await burst();
    expect(fake.live()).toHaveLength(1);
  });
});

describe('the back/forward cache', () => {
  test('pageshow with persisted drops the old socket at once and connects anew', async () => {
    const page = fakePage();
    const bench = harness();
    const socket = await bench.connect();
    page.window.fire('pagehide', { persisted: true });
    expect(bench.transport.status.state).toBe('connected');
    page.window.fire('pageshow', { persisted: true });
    expect(socket.live).toBe(false);
    expect(bench.told.at(-2)).toMatchObject(['lost', { by: 'host', code: 4000 }]);
    expect(bench.transport.status).toMatchObject({ state: 'connecting' });
    await bench.settle();
    expect(bench.fake.live()).toHaveLength(1);
    // The close that the engine had queued for the old socket.
    socket.emit('close', { code: 1006 });
    expect(bench.transport.status.state).toBe('connecting');
  });

  /** In the order of Chromium. */
  const comeBack = (page: ReturnType<typeof fakePage>) => {
    page.document.fire('resume');
    page.see('visible');
    page.window.fire('pageshow', { persisted: true });
    page.window.fire('focus');
  };

  test.each([
    ['connected', async (bench: ReturnType<typeof harness>) => bench.connect()],
    ['waiting', async (bench: ReturnType<typeof harness>) => (await bench.dial()).end(1006)],
    [
      'suspended',
      async (bench: ReturnType<typeof harness>, page: ReturnType<typeof fakePage>) => {
        await bench.connect();
        page.document.fire('freeze');
      },
    ],
  ])('a return to a page that was %s is one attempt, at once', async (_, enter) => {
    const page = fakePage();
    const bench = harness({ suspendAfterHiddenMs: 60_000, random: () => 0.9 });
    await enter(bench, page);
    vi.setSystemTime(Date.now() + 3_600_000);
    comeBack(page);
    await vi.advanceTimersByTimeAsync(BURST_MS);
    expect(bench.transport.status.state).toBe('connecting');
    expect(bench.fake.made).toHaveLength(2);
    expect(bench.fake.live()).toHaveLength(1);
  });

  test('an attempt from before is given up as well, a wait ends', async () => {
    const page = fakePage();
    const { dial, fake, settle, transport } = harness();
    const socket = await dial();
    vi.setSystemTime(Date.now() + 3_600_000);
    page.window.fire('pageshow', { persisted: true });
    await settle();
    expect(socket.live).toBe(false);
    fake.last().end(1006);
    await vi.advanceTimersByTimeAsync(50);
    expect(transport.status.state).toBe('waiting');
    expect(fake.mostLive).toBe(1);
  });

  test('such attempts are at most one a second, whatever the host tells', async () => {
    const lifecycle = hostLifecycle();
    const { connect, fake } = harness({ lifecycle });
    await connect();
    for (let n = 0; n < 20; n++) {
      lifecycle.tell('restored');
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(fake.made.length).toBeLessThanOrEqual(4);
  });

  test('a pageshow of a new page, and a pagehide of one that ends, tell nothing', async () => {
    const page = fakePage();
    const bench = harness({ suspendAfterHiddenMs: 0 });
    await bench.connect();
    page.window.fire('pageshow', { persisted: false });
    page.window.fire('pagehide', { persisted: false });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bench.words()).toEqual(['connecting', 'opened', 'connected']);
  });
});
