import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/primitives/deadlines.ts';
import { HeldMessages } from '../../src/server/peers/held-messages.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('one that can not be taken holds up none behind it', () => {
  const onError = vi.fn();
  const taken: unknown[] = [];
  const deadlines = new Deadlines({ now: () => performance.now(), onError });
  const held = new HeldMessages(deadlines, 9, ([, id]) => {
    taken.push(id);
    if (id === 1) throw new Error('of the first');
  });
  const frame = { at: 0, isVetted: true, length: 9 };
  for (const [id, dueAt] of [[1, 50], [2, 50], [3, 90]] as const) held.push(['cancel', id], frame, dueAt); // prettier-ignore
  vi.advanceTimersByTime(90);
  expect(taken).toEqual([1, 2, 3]);
  expect(onError.mock.calls.map(String)).toEqual(['Error: of the first']);
  expect([held.isEmpty, deadlines.size]).toEqual([true, 0]);
});
