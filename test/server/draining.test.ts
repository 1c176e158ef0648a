import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseRetryAfter } from '../../src/protocol/close-reaction.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer } from './peer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a peer that was turned away is told of the time at which it may come back, ms. */
const toldOf = ({ closedWith }: Peer) => ({
  code: closedWith?.code,
  afterMs: parseRetryAfter(closedWith?.reason ?? ''),
});

/** A server with peers that it has welcomed. */
async function serving(count: number, own: Parameters<typeof start>[0] = {}) {
  const { server } = start(own);
  const peers = Array.from({ length: count }, () => new Peer(server).hello(clientName()));
  await vi.advanceTimersByTimeAsync(0);
  return { server, peers };
}

describe('a server that closes', () => {
  test('at once: asks its clients back after half a second, over a time that fits their number', async () => {
    const { server, peers } = await serving(200);
    await server.close();
    for (const peer of peers) {
      expect(peer.all('goaway')).toEqual([
        ['goaway', { reason: 'the server is closing', afterMs: 500, withinMs: 500 }],
      ]);
      expect(peer.closedWith?.code).toBe(1012);
    }
  });

  test('within some time: tells those whom it closes at the end when to come back, as one that closes at once', async () => {
    const { server, peers } = await serving(200);
    const closing = server.close({ withinMs: 5_000 });
    await vi.advanceTimersByTimeAsync(5_000);
    await closing;
    expect(peers[7]!.all('goaway').map(([, { afterMs, withinMs }]) => [afterMs, withinMs])).toEqual([
      [0, 4_000],
      [500, 500],
    ]);
  });

  test.each([
    // Half a second after it is over, at the latest in three: there may be another behind a balancer.
    [60_000, 3_000],
    [2_000, 2_500],
    [10, 510],
  ])('within %i ms: who arrives is told to come back in %i ms, and over a time that fits', async (withinMs, soonMs) => {
    const { server } = await serving(200);
    void server.close({ withinMs });
    const arrived = Array.from({ length: 20 }, () => toldOf(new Peer(server)));
    for (const { code, afterMs } of arrived) {
      expect(code).toBe(1012);
      expect(afterMs).toBeGreaterThanOrEqual(soonMs);
      expect(afterMs).toBeLessThanOrEqual(soonMs + 500);
    }
    expect(new Set(arrived.map(({ afterMs }) => afterMs)).size).toBeGreaterThan(10);
  });

  test.each([0, 4_000])('within %i ms: who is greeting is told so, too, at once', async (withinMs) => {
    const { server } = start({}, { authenticate: () => new Gate<never>().opened });
    const [silent, greeting] = [new Peer(server), new Peer(server).hello(clientName())];
    const closing = server.close({ withinMs });
    for (const peer of [silent, greeting]) {
      const { code, afterMs } = toldOf(peer);
      expect(code).toBe(1012);
      expect(afterMs).toBeGreaterThanOrEqual(500);
      expect(afterMs).toBeLessThanOrEqual(3_100);
    }
    // Nobody else is there.
    await closing;
  });

  test('within some time: waits for calls whose clients have lost their sockets, until they end', async () => {
    const gate = new Gate<{ number: number }>();
    const place = vi.fn((_: { signal: AbortSignal }) => gate.opened);
    const { server, peers } = await serving(1, { orders: { place, cancel: () => undefined } });
    peers[0]!.write(['call', 1, 'orders.place', null, { item: 'x' }]);
    await vi.advanceTimersByTimeAsync(0);
    const closed = vi.fn();
    void server.close({ withinMs: 5_000 }).then(closed);
    peers[0]!.vanish(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(closed).not.toHaveBeenCalled();
    expect(place.mock.calls[0]![0].signal.aborted).toBe(false);
    gate.open({ number: 1 });
    await vi.advanceTimersByTimeAsync(100);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('within some time: the last fifth of it is for calls of those who go at the last moment', async () => {
    const gate = new Gate<string>();
    const echo = vi.fn((_: { signal: AbortSignal }) => gate.opened);
    const { server, peers } = await serving(1, { echo });
    const closed = vi.fn();
    void server.close({ withinMs: 5_000 }).then(closed);
    await vi.advanceTimersByTimeAsync(0);
    const [[, { afterMs, withinMs }]] = peers[0]!.all('goaway') as [[string, { afterMs: number; withinMs: number }]];
    await vi.advanceTimersByTimeAsync(afterMs + withinMs);
    peers[0]!.write(['call', 1, 'echo', null, 'x']).vanish(1006);
    await vi.advanceTimersByTimeAsync(500);
    expect(echo.mock.calls[0]![0].signal.aborted).toBe(false);
    gate.open('x');
    await vi.advanceTimersByTimeAsync(100);
    expect([closed.mock.calls.length, server.stats().calls]).toEqual([1, 0]);
  });

  test('within some time: no longer than that for a call that does not end', async () => {
    const { server, peers } = await serving(1, { echo: () => new Gate<never>().opened });
    peers[0]!.write(['call', 1, 'echo', null, 'x']);
    await vi.advanceTimersByTimeAsync(0);
    const closed = vi.fn();
    void server.close({ withinMs: 5_000 }).then(closed);
    peers[0]!.vanish(1006);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(closed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
