import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Lifecycle } from '../../src/transport/lifecycle.ts';
import type { NetInfoStateLike } from '../../src/transport/lifecycle/lifecycle-host.ts';
import { hostLifecycle, reactNativeLifecycle } from '../../src/transport/lifecycle/lifecycle-host.ts';
import { fakePage } from '../helpers/fake-page.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a hidden page', () => {
  test('keeps its connection, and waits with a timer, unless the option says otherwise', async () => {
    const page = fakePage();
    const { connect, transport } = harness();
    await connect();
    page.see('hidden');
    page.document.fire('freeze');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(transport.status.state).toBe('connected');
  });

  test('is suspended after the time of the option: no socket, no timer, until it is seen', async () => {
    const page = fakePage();
    const bench = harness({ suspendAfterHiddenMs: 5_000 });
    await bench.connect();
    page.see('hidden');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(bench.transport.status.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.transport.status).toEqual({ state: 'suspended', reason: 'hidden' });
    expect(bench.told.at(-2)).toMatchObject(['lost', { by: 'host' }]);
    expect(vi.getTimerCount()).toBe(0);
    expect(bench.fake.live()).toEqual([]);
    // The network of a page that nobody sees is nobody's business.
    page.window.fire('online');
    expect(bench.transport.status.state).toBe('suspended');
    await vi.advanceTimersByTimeAsync(100_000);
    expect(bench.transport.status.state).toBe('suspended');
    page.see('visible');
    expect(bench.transport.status.state).toBe('connecting');
    await bench.settle();
    expect(bench.fake.live()).toHaveLength(1);
  });

  test('that waits for its next attempt has no timer any more after that time', async () => {
    const page = fakePage();
    const { dial, transport } = harness({ suspendAfterHiddenMs: 1_000, random: () => 0.9 });
    (await dial()).end(1006);
    page.see('hidden');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(transport.status.state).toBe('suspended');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is seen in time stays connected, and its time counts anew', async () => {
    const page = fakePage();
    const { connect, transport } = harness({ suspendAfterHiddenMs: 5_000, heartbeat: false });
    await connect();
    page.see('hidden');
    await vi.advanceTimersByTimeAsync(4_000);
    page.see('visible');
    await vi.advanceTimersByTimeAsync(50);
    expect(vi.getTimerCount()).toBe(0);
    page.see('hidden');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(transport.status.state).toBe('connected');
  });

  test('visibility is read, not remembered: a page that is seen without an event is not suspended', async () => {
    const page = fakePage();
    const { connect, transport } = harness({ suspendAfterHiddenMs: 5_000 });
    await connect();
    page.see('hidden');
    page.document.visibilityState = 'visible';
    await vi.advanceTimersByTimeAsync(5_000);
    expect(transport.status.state).toBe('connected');
  });

  test('a page that was resumed without a change of visibility connects again', async () => {
    const page = fakePage();
    const { connect, transport } = harness({ suspendAfterHiddenMs: 0 });
    await connect();
    page.see('hidden');
    await vi.advanceTimersByTimeAsync(0);
    expect(transport.status.state).toBe('suspended');
    page.document.visibilityState = 'visible';
    page.document.fire('resume');
    expect(transport.status.state).toBe('connecting');
  });

  test('that connects while it is hidden is suspended after its time, too', async () => {
    const page = fakePage();
    page.document.visibilityState = 'hidden';
    const { connect, transport } = harness({ suspendAfterHiddenMs: 5_000 });
    await connect();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(transport.status.state).toBe('suspended');
    transport.reconnect();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(transport.status.state).toBe('suspended');
  });

  test.each([
    ['freeze', (page: ReturnType<typeof fakePage>) => page.document.fire('freeze')],
    ['pagehide', (page: ReturnType<typeof fakePage>) => page.window.fire('pagehide', { persisted: true })],
  ])('before a freeze told by %s it is suspended at once: no timer would fire', async (_, freeze) => {
    const page = fakePage();
    const { connect, transport } = harness({ suspendAfterHiddenMs: 60_000 });
    await connect();
    freeze(page);
    expect(transport.status.state).toBe('suspended');
    expect(vi.getTimerCount()).toBe(0);
    page.window.fire('pageshow', { persisted: true });
    expect(transport.status.state).toBe('connecting');
  });

  test('an app that suspended it is stronger than its host', async () => {
    const page = fakePage();
    const { connect, transport } = harness({ suspendAfterHiddenMs: 0 });
    await connect();
    page.see('hidden');
    await vi.advanceTimersByTimeAsync(0);
    transport.suspend('logged out');
    expect(transport.status).toEqual({ state: 'suspended', reason: 'logged out' });
    page.see('visible');
    page.window.fire('pageshow', { persisted: true });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(transport.status.state).toBe('suspended');
    transport.wake();
    expect(transport.status.state).toBe('connecting');
  });
});

describe('hosts that throw', () => {
  const error = new Error('from the host');
  const fails = () => {
    throw error;
  };

  test.each([
    ['listen', { listen: fails, hidden: () => false }],
    ['the end of listening', { listen: () => fails, hidden: () => false }],
    ['hidden', { listen: () => () => {}, hidden: fails }],
  ] satisfies ReadonlyArray<readonly [string, Lifecycle]>)(
    '%s: reported, and changes nothing',
    async (_, lifecycle) => {
      const bench = harness({ lifecycle, suspendAfterHiddenMs: 1_000 });
      await bench.connect();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(bench.transport.status.state).toBe('connected');
      bench.transport.close();
      expect(bench.transport.status.state).toBe('closed');
      expect(bench.errors).toContain(error);
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe('a native shell around a webview', () => {
  test('drives every connection that it was given to; events of the page count as well', async () => {
    const page = fakePage();
    const lifecycle = hostLifecycle();
    const benches = [harness({ lifecycle, suspendAfterHiddenMs: 0 }), harness({ lifecycle })];
    for (const bench of benches) await bench.connect();
    const states = () => benches.map(({ transport }) => transport.status.state);
    lifecycle.tell('hidden');
    expect(lifecycle.hidden()).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(states()).toEqual(['suspended', 'connected']);
    lifecycle.tell('wake');
    expect(lifecycle.hidden()).toBe(false);
    expect(states()).toEqual(['connecting', 'connected']);
    page.window.fire('online');
    await vi.advanceTimersByTimeAsync(50);
    expect(benches[1]!.words().at(-1)).toBe('probe');
    for (const { transport } of benches) transport.close();
    expect(page.listeners).toBe(0);
    lifecycle.tell('wake');
    expect(states()).toEqual(['closed', 'closed']);
  });

  test('works where there is no page, and reads its visibility where there is one', () => {
    expect(hostLifecycle().hidden()).toBe(false);
    const page = fakePage();
    const lifecycle = hostLifecycle();
    page.document.visibilityState = 'hidden';
    expect(lifecycle.hidden()).toBe(true);
  });
});

describe('React Native', () => {
  /** As `AppState` and NetInfo behave: the latter calls a new listener with the state of the moment. */
  function native(network: NetInfoStateLike = { type: 'wifi', isConnected: true }) {
    const states = new Set<(state: string) => void>();
    const networks = new Set<(state: NetInfoStateLike) => void>();
    const AppState = {
      currentState: 'active',
      addEventListener(_type: 'change', listener: (state: string) => void) {
        states.add(listener);
        return { remove: () => states.delete(listener) };
      },
    };
    const NetInfo = {
      addEventListener(listener: (state: NetInfoStateLike) => void) {
        networks.add(listener);
        listener(network);
        return () => networks.delete(listener);
      },
    };
    return {
      AppState,
      NetInfo,
      become(state: string) {
        AppState.currentState = state;
        for (const listener of states) listener(state);
      },
      network: (state: NetInfoStateLike) => networks.forEach((listener) => listener(state)),
      listeners: () => states.size + networks.size,
    };
  }

  test('background hides, active wakes, inactive is neither; listeners go with the connection', async () => {
    const device = native();
    const bench = harness({ lifecycle: reactNativeLifecycle(device), suspendAfterHiddenMs: 1_000 });
    expect(device.listeners()).toBe(0);
    await bench.connect();
    expect(device.listeners()).toBe(2);
    device.become('inactive');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(bench.words().at(-1)).toBe('connected');
    device.become('background');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bench.transport.status.state).toBe('suspended');
    device.become('active');
    expect(bench.transport.status.state).toBe('connecting');
    bench.transport.close();
    expect(device.listeners()).toBe(0);
  });

  test('another network wakes; the first report and a repeated one do not', async () => {
    const device = native();
    const bench = harness({ lifecycle: reactNativeLifecycle(device) });
    await bench.connect();
    device.network({ type: 'wifi', isConnected: true });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bench.words()).not.toContain('probe');
    device.network({ type: 'cellular', isConnected: true });
    await vi.advanceTimersByTimeAsync(50);
    expect(bench.words().at(-1)).toBe('probe');
  });

  test('NetInfo is optional', async () => {
    const device = native();
    const bench = harness({ lifecycle: reactNativeLifecycle({ AppState: device.AppState }) });
    await bench.connect();
    device.become('active');
    await vi.advanceTimersByTimeAsync(50);
    expect(bench.words().at(-1)).toBe('probe');
    bench.transport.close();
    expect(device.listeners()).toBe(0);
  });
});
