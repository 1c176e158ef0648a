import { expect, test, vi } from 'vitest';
import { Flusher, type Gatherer } from '../../src/server/outbound/flusher.ts';
import { settle } from './peer.ts';

test('a socket that fails keeps no other from being written to, in a microtask or at the end of a turn', async () => {
  const report = vi.fn();
  const flushed: string[] = [];
  const turns: Array<() => void> = [];
  const gatherer = (name: string): Gatherer => {
    const flush = () => {
      flushed.push(name);
      if (name === 'broken') throw new Error('of the adapter');
    };
    return { flush, turnEnded: flush };
  };
  const flusher = new Flusher(report);
  for (const name of ['broken', 'whole']) flusher.soon(gatherer(name));
  for (const name of ['broken', 'whole']) flusher.later(gatherer(name), { later: (task) => void turns.push(task) });
  await settle();
  expect(flushed).toEqual(['broken', 'whole']);
  expect(turns).toHaveLength(1);
  turns[0]!();
  expect(flushed).toEqual(['broken', 'whole', 'broken', 'whole']);
  expect(report.mock.calls).toEqual(Array(2).fill([new Error('of the adapter'), { during: 'session' }]));
});
