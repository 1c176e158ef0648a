import { expect, test } from 'vitest';
import { KeyedQueue } from '../../src/server/topics/keyed-queue.ts';
import { Gate, settle } from './peer.ts';

test('keeps the order within a key, lets other keys pass, and remembers no key that is done', async () => {
  const queue = new KeyedQueue();
  const gate = new Gate();
  const done: string[] = [];
  queue.run('a', () => gate.opened);
  queue.run('a', () => void done.push('second of a'));
  queue.run('b', () => void done.push('b'));
  expect(done).toEqual(['b']);
  expect(queue.size).toBe(1);
  gate.open();
  await settle();
  expect(done).toEqual(['b', 'second of a']);
  expect(queue.size).toBe(0);
});
