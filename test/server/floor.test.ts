import { describe, expect, test } from 'vitest';
import { CallMemory } from '../../src/server/calls/call-memory.ts';
import type { AnswerSocket } from '../../src/server/calls/known-call.ts';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

const deaf: AnswerSocket = { answer: () => undefined, release: () => undefined };
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

/** A memory with calls that run, in this order. */
function memory(ids: readonly number[]): CallMemory {
  const calls = new CallMemory({ calls: 1024, streams: 64, answers: 1152, answerBytes: 1e6 }, () => undefined, {
    add: () => undefined,
    remove: () => undefined,
  });
  for (const id of ids) calls.take(id, 'query', 'echo', deaf);
  return calls;
}

describe('a floor', () => {
  test('looks at no more calls than it settles or excepts, however many there are', () => {
    const ids = [...numbers(1, 1000), ...numbers(1_000_000, 1000)];
    const calls = memory(ids);
    let looked = 0;
    // Each settles one, and excepts one.
    for (let below = 3; below <= 1001; below++) looked += calls.raise(below, [1]);
    expect(calls.size).toBe(1 + 1000);
    expect(looked).toBeLessThan(5 * 1000);
    looked = 0;
    for (let times = 0; times < 1000; times++) looked += calls.raise(2000 + times, [1]);
    expect(looked).toBeLessThan(4 * 1000);
  });

  test('settles calls that came in another order than that of their ids', () => {
    const calls = memory([9, 3, 7, 5, 12]);
    calls.raise(10, [7]);
    expect([...calls.all()].map(({ id }) => id).sort((a, b) => a - b)).toEqual([7, 12]);
    calls.raise(20, []);
    expect(calls.size).toBe(0);
    for (const id of [21, 22, 23]) calls.take(id, 'query', 'echo', deaf);
    expect(calls.raise(22, [])).toBe(1);
    expect([...calls.all()].map(({ id }) => id)).toEqual([22, 23]);
  });
});

describe('a peer that sends floors', () => {
  test.each([
    ['with all exceptions that there may be', (index: number) => ['floor', 1e6 + index, ...numbers(1, 1088)]],
    ['past calls in an order that has to be searched', (index: number) => ['floor', 1e6 + index]],
  ])('%s, in one frame, is closed for the work that they are', async (_, floor) => {
    const { server } = start(
      { echo: () => new Promise(() => undefined) },
      { limits: { calls: 256, messageBurst: 2_000, messagesPerSecond: 1 } },
    );
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.write(...numbers(1, 250).map((id) => ['call', 3e9 - id, 'echo', null, 'x']));
    const raised: number[] = [];
    const raise = CallMemory.prototype.raise;
    CallMemory.prototype.raise = function (this: CallMemory, below, except) {
      const looked = raise.call(this, below, except);
      raised.push(looked);
      return looked;
    };
    try {
      for (let frame = 0; frame < 20; frame++) peer.write(...numbers(frame * 190, 190).map(floor));
    } finally {
      CallMemory.prototype.raise = raise;
    }
    expect(peer.closedWith?.code).toBe(4429);
    expect(raised.reduce((sum, looked) => sum + looked)).toBeLessThan(2 * 2_000 * 128 + 4_000);
  });

  test('as a client does, one after 64 calls, is not', async () => {
    const { server } = start({}, { limits: { calls: 256, messageBurst: 2_000, messagesPerSecond: 1 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    let id = 1;
    for (let times = 0; times < 29; times++) {
      peer.write(...numbers(id, 64).map((each) => ['call', each, 'orders.place', null, { item: 'x' }]));
      await settle();
      id += 64;
      peer.write(['floor', id]);
    }
    await settle();
    expect(peer.closedWith).toBeUndefined();
    expect(peer.all('error')).toEqual([]);
  });
});
