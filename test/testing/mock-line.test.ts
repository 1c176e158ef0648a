import { afterEach, expect, test, vi } from 'vitest';
import { MockLine } from '../../src/testing/mock/mock-line.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A line, and what its two ends were told; `answer` is what the engine says to each message at once. */
function lineOf(answer: (message: string) => string | undefined = () => undefined) {
  const told: unknown[] = [];
  const over: boolean[] = [];
  let close!: (code: number, reason: string) => void;
  const line = new MockLine(
    {
      url: new URL('ws://app.test/ws'),
      send: (frame) => void told.push(['sent', frame]),
      close: (code) => void told.push(['close', code]),
      cut: () => void told.push(['cut']),
    },
    (comesBack) => over.push(comesBack),
  );
  line.open({
    accept: (socket) => {
      close = (code, reason) => socket.close(code, reason);
      return {
        message: (data) => {
          told.push(['message', data]);
          const answered = answer(data);
          if (answered !== undefined) socket.send(answered);
        },
        binary: () => void told.push(['binary']),
        closed: (code) => void told.push(['closed', code]),
        drained: () => undefined,
      };
    },
  });
  return { line, told, over, close };
}

test('a line that is cut loses what it held and what comes after, and its engine is told once', () => {
  const { line, told, over } = lineOf();
  line.message('one');
  line.freeze();
  line.message('held');
  line.cut();
  line.message('late');
  line.thaw();
  line.closed(1006);
  expect(told).toEqual([['message', 'one'], ['closed', 1006], ['cut']]);
  expect(over).toEqual([true]);
});

test('what is held back arrives in order, also what is said to the first of it', () => {
  const { line, told } = lineOf((message) => (message === 'two' ? 'answer' : undefined));
  line.freeze();
  line.message('one');
  line.message('two');
  line.message('three');
  expect([told, line.underWay]).toEqual([[], 3]);
  line.thaw();
  expect(told).toEqual([
    ['message', 'one'],
    ['message', 'two'],
    ['message', 'three'],
    ['sent', 'answer'],
  ]);
  expect(line.underWay).toBe(0);
});

test('a delay holds each frame for its time, and none overtakes another when it gets shorter', () => {
  vi.useFakeTimers();
  const { line, told } = lineOf();
  line.delay(100);
  line.message('one');
  vi.advanceTimersByTime(50);
  line.delay(10);
  line.message('two');
  line.delay(0);
  line.message('three');
  vi.advanceTimersByTime(49);
  expect([told, line.underWay]).toEqual([[], 3]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual([
    ['message', 'one'],
    ['message', 'two'],
    ['message', 'three'],
  ]);
  line.message('four');
  expect(told).toHaveLength(4);
  expect(vi.getTimerCount()).toBe(0);
});

test('a page that closes is heard of after what it sent, and a line that is cut leaves no timer', () => {
  vi.useFakeTimers();
  const { line, told, over } = lineOf();
  line.delay(100);
  line.message('last words');
  line.closed(1000);
  vi.advanceTimersByTime(100);
  expect(told).toEqual([
    ['message', 'last words'],
    ['closed', 1000],
  ]);
  expect(over).toEqual([false]);
  const other = lineOf();
  other.line.delay(100);
  other.line.message('lost');
  other.line.cut();
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  [1012, true],
  [4403, false],
])('after %d by the engine its client comes back by itself: %s', (code, comesBack) => {
  const { line, told, over, close } = lineOf();
  close(code, '');
  line.closed(code);
  expect(told).toEqual([
    ['close', code],
    ['closed', code],
  ]);
  expect(over).toEqual([comesBack]);
});
