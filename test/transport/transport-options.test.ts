import { describe, expect, test, vi } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import type { TransportOptions } from '../../src/transport/transport-options.ts';
import { resolveTransportOptions, TRANSPORT_DEFAULTS } from '../../src/transport/transport-options.ts';

const resolve = (options: Record<string, unknown>) => resolveTransportOptions({ url: 'ws://x', ...options });

describe('resolveTransportOptions', () => {
  test('fills in the defaults', () => {
    const { heartbeat } = TRANSPORT_DEFAULTS;
    expect(resolve({})).toEqual({
      url: 'ws://x',
      protocols: [],
      WebSocket: undefined,
      connectTimeoutMs: 10_000,
      reconnect: TRANSPORT_DEFAULTS.reconnect,
      heartbeat: { intervalMs: undefined, timeoutMs: heartbeat.timeoutMs, probeMs: heartbeat.probeMs },
      random: Math.random,
      onError: expect.any(Function),
    });
  });

  test('undefined never erases a default', () => {
    const nothing = Object.fromEntries(
      ['protocols', 'WebSocket', 'connectTimeoutMs', 'random', 'onError'].map((name) => [name, undefined]),
    );
    const reconnect = {
      firstMs: undefined,
      sharedFirstMs: 7,
      capMs: undefined,
      stableAfterMs: undefined,
      maxAttempts: undefined,
    };
    const heartbeat = { intervalMs: undefined, timeoutMs: undefined, probeMs: 9 };
    expect(resolve({ ...nothing, reconnect, heartbeat })).toMatchObject({
      protocols: [],
      connectTimeoutMs: 10_000,
      reconnect: { ...TRANSPORT_DEFAULTS.reconnect, sharedFirstMs: 7 },
      heartbeat: { intervalMs: undefined, timeoutMs: 10_000, probeMs: 9 },
    });
  });

  test('false switches reconnecting and the heartbeat off', () => {
    expect(resolve({ reconnect: false, heartbeat: false })).toMatchObject({ reconnect: false, heartbeat: false });
  });

  test('a hidden app may be suspended at once', () => {
    expect(resolve({ suspendAfterHiddenMs: 0 }).suspendAfterHiddenMs).toBe(0);
    expect(resolve({ suspendAfterHiddenMs: undefined }).suspendAfterHiddenMs).toBeUndefined();
  });

  test('takes a copy of the rules', () => {
    const onClose: Record<number, 'stop' | 'retry'> = { 1006: 'stop' };
    const { reconnect } = resolve({ reconnect: { onClose } });
    onClose[1006] = 'retry';
    expect(reconnect).toMatchObject({ onClose: { 1006: 'stop' } });
  });

  test('takes a copy of the protocols', () => {
    const protocols = ['a'];
    const resolved = resolve({ protocols });
    protocols.push('b');
    expect(resolved.protocols).toEqual(['a']);
  });

  test.each([
    [{ connectTimeoutMs: 0 }, /^connectTimeoutMs must be .* not 0$/],
    [{ connectTimeoutMs: NaN }, /not NaN$/],
    [{ connectTimeoutMs: 2 ** 31 }, /at most 2147483647 ms/],
    [{ reconnect: { firstMs: -1 } }, /^reconnect\.firstMs .* not -1$/],
    [{ reconnect: { sharedFirstMs: Infinity } }, /^reconnect\.sharedFirstMs/],
    [{ reconnect: { capMs: 0 } }, /^reconnect\.capMs/],
    [{ reconnect: { stableAfterMs: 0 } }, /^reconnect\.stableAfterMs/],
    [{ reconnect: { maxAttempts: 0 } }, /^reconnect\.maxAttempts .* not 0$/],
    [{ reconnect: { maxAttempts: 1.5 } }, /not 1\.5$/],
    [{ suspendAfterHiddenMs: -1 }, /^suspendAfterHiddenMs must be .* not -1$/],
    [{ heartbeat: { intervalMs: 0 } }, /^heartbeat\.intervalMs/],
    [{ heartbeat: { timeoutMs: 0 } }, /^heartbeat\.timeoutMs/],
    [{ heartbeat: { probeMs: 0 } }, /^heartbeat\.probeMs/],
  ])('refuses the number in %j', (options, message) => {
    expect(() => resolve(options)).toThrow(RangeError);
    expect(() => resolve(options)).toThrow(message);
  });

  test.each([
    [{ url: 5 }, /^url must be a string, a URL or a function/],
    [{ url: undefined }, /not undefined$/],
    [{ protocols: 'a' }, /^protocols must be an array, not "a"$/],
    [{ WebSocket: {} }, /^WebSocket must be a function/],
    [{ lifecycle: true }, /^lifecycle must be false or have the methods listen and hidden, not true$/],
    [{ lifecycle: { listen() {} } }, /^lifecycle must be/],
    [{ reconnect: { onClose: 'retry' } }, /^reconnect\.onClose must be a function or a table/],
    [{ reconnect: { onClose: { 4403: 'never' } } }, /^reconnect\.onClose\[4403\] must be .* not never$/],
    [{ reconnect: { onClose: { 1006: { delayMs: -1 } } } }, /not \{"delayMs":-1\}$/],
    [{ random: 4 }, /^random must be a function/],
    [{ onError: 4 }, /^onError must be a function/],
    [{ connectTimeoutMs: '5' }, /^connectTimeoutMs must be a number of ms, not "5"$/],
  ])('refuses the type in %j', (options, message) => {
    expect(() => resolve(options)).toThrow(TypeError);
    expect(() => resolve(options)).toThrow(message);
  });

  test('the DOM’s constructor and the one of ws both fit', () => {
    const options: TransportOptions[] = [
      { url: 'ws://x', WebSocket },
      { url: 'ws://x', WebSocket: NodeWebSocket },
    ];
    expect(options.map((option) => resolveTransportOptions(option).WebSocket)).toEqual([WebSocket, NodeWebSocket]);
  });

  test('without onError the host hears of an error, as of one that nobody caught', async () => {
    const { onError } = resolve({});
    const reportError = vi.fn();
    vi.stubGlobal('reportError', reportError);
    const error = new Error('seen');
    onError(error);
    expect(reportError).toHaveBeenCalledWith(error);
    vi.stubGlobal('reportError', undefined);
    const microtasks: Array<() => void> = [];
    vi.stubGlobal('queueMicrotask', (task: () => void) => microtasks.push(task));
    onError(error);
    expect(microtasks[0]).toThrow(error);
    vi.unstubAllGlobals();
  });
});
