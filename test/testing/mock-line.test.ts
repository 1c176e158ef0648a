import { expect, test } from 'vitest';
import { MockLine } from '../../src/testing/mock-line.ts';

test('a line that is cut loses what it held and what comes after, and its engine is told once', () => {
  const told: unknown[] = [];
  const line = new MockLine({
    url: new URL('ws://app.test/ws'),
    send: (frame) => told.push(['sent', frame]),
    close: (code) => told.push(['close', code]),
  });
  line.open({
    accept: () => ({
      message: (data) => told.push(['message', data]),
      binary: () => told.push(['binary']),
      closed: (code) => told.push(['closed', code]),
      drained: () => undefined,
    }),
  });
  line.message('one');
  line.freeze();
  line.message('held');
  line.cut();
  line.message('late');
  line.thaw();
  line.closed(1006);
  expect(told).toEqual([
    ['message', 'one'],
    ['closed', 1006],
    ['close', 1006],
  ]);
});
