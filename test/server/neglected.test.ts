import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/primitives/deadlines.ts';
import { CallMemory } from '../../src/server/calls/call-memory.ts';
import { NeglectedCalls } from '../../src/server/calls/neglected-calls.ts';
import { DEFAULT_LIMITS } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer } from './peer.ts';

const limits = { calls: 8, streams: 4, subscriptions: 5, messageBurst: 10_000 };
const TOLD = { code: 'RATE_LIMITED', message: expect.stringContaining('handlers that were told to end and have not') };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

async function peerOf(handlers: Parameters<typeof start>[0]) {
  const world = start(handlers, { limits });
  const peer = new Peer(world.server).hello(clientName());
  await settle();
  return { ...world, peer };
}

/** Opens a stream, and leaves it when it has begun. */
async function openAndLeave(peer: Peer, id: number): Promise<void> {
  peer.write(['open', id, 'count', null, 0, 2, 3]);
  await settle();
  peer.write(['cancel', id]);
  await settle();
}

describe('a handler that goes on when nobody waits for it', () => {
  const never = new Promise<never>(() => undefined);

  test('of a stream takes no place for more than 5 s, is named once, and the refusals until then say it', async () => {
    const gate = new Gate();
    const { peer, server, errors } = await peerOf({
      async *count() {
        yield 1;
        await gate.opened;
      },
    });
    for (let id = 1; id <= 8; id++) await openAndLeave(peer, id);
    await openAndLeave(peer, 9);
    expect(peer.answers(9)[0]?.[2]).toMatchObject(TOLD);
    expect(server.stats().streams).toBe(8);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([server.stats().streams, server.stats().calls]).toEqual([0, 0]);
    expect(errors.map(({ info }) => info)).toEqual([{ during: 'handler', path: 'count' }]);
    expect(String(errors[0]!.error)).toContain('the handler of count goes on 5 s after it was told to end');
    for (let id = 10; id <= 17; id++) await openAndLeave(peer, id);
    expect(peer.all('error').filter(([, , { code }]) => code === 'RATE_LIMITED')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(errors).toHaveLength(1);
    // What ends after all is not counted a second time.
    gate.open();
    await settle();
    expect([server.stats().streams, server.stats().calls]).toEqual([0, 0]);
  });

  test('of a stream has ended when its return() has, whatever its next() still waits for', async () => {
    let returned = 0;
    const { peer, server } = await peerOf({
      count: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => never,
          return: async () => (returned++, Promise.resolve({ done: true as const, value: undefined })),
        }),
      }),
    });
    for (let id = 1; id <= 40; id++) await openAndLeave(peer, id);
    expect(returned).toBe(40);
    expect(peer.all('error').filter(([, , { code }]) => code === 'RATE_LIMITED')).toEqual([]);
    expect(server.stats().streams).toBe(0);
  });

  test.each(['echo', 'orders.place'])('of %s takes no place for more than 5 s after its deadline', async (path) => {
    const { peer, server, errors } = await peerOf({
      echo: () => never,
      orders: { place: () => never, cancel: () => undefined },
    });
    const input = path === 'echo' ? 'x' : { item: 'x' };
    const call = (id: number) => peer.write(['call', id, path, { deadlineMs: 100 }, input]);
    for (let round = 0; round < 2; round++) {
      for (let n = 1; n <= 8; n++) call(8 * round + n);
      await vi.advanceTimersByTimeAsync(100);
    }
    call(17);
    await settle();
    expect(peer.answers(17)[0]?.[2]).toMatchObject(TOLD);
    expect(server.stats().calls).toBe(16);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(server.stats().calls).toBe(0);
    expect(errors.map(({ info }) => info)).toEqual([{ during: 'handler', path }]);
    call(18);
    await vi.advanceTimersByTimeAsync(100);
    expect(peer.answers(18)[0]?.[2].code).toBe('TIMEOUT');
  });

  test('is not named when it ends in time', async () => {
    const { peer, server, errors } = await peerOf({
      echo: async ({ signal }) =>
        new Promise((_, reject) => {
          signal.onabort = () => setTimeout(() => reject(signal.reason as Error), 4_000);
        }),
    });
    peer.write(['call', 1, 'echo', { deadlineMs: 100 }, 'x']);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(server.stats().calls).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(server.stats().calls).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(errors).toEqual([]);
  });

  test('is not remembered when it has ended, however many there were', () => {
    const deadlines = new Deadlines();
    const report = vi.fn();
    const calls = new CallMemory(DEFAULT_LIMITS, () => undefined, new NeglectedCalls(deadlines, report));
    for (let id = 1; id <= 10_000; id++) {
      const taken = calls.take(id, 'query', 'call echo', { answer: () => undefined, release: () => undefined });
      if (taken.kind !== 'new') throw new Error(taken.kind);
      taken.call.begun = true;
      calls.hold(taken.call);
      calls.cancel(taken.call);
      expect([deadlines.size, calls.aborted]).toEqual([1, 1]);
      calls.release(taken.call);
    }
    expect([deadlines.size, calls.aborted, calls.busy, vi.getTimerCount()]).toEqual([0, 0, 0, 0]);
  });
});
