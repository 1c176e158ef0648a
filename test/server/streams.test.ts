import { describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

const item = (id: number, n: number) => ['item', id, n, n];
const items = (id: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => item(id, from + index));

/** Counts for ever, and notes how far it was asked to count and that it was ended. */
function counting(limits: { streams?: number; items?: number } = {}) {
  const log: (number | string)[] = [];
  const signals: AbortSignal[] = [];
  const count = vi.fn(async function* ({ signal }: { signal: AbortSignal }) {
    signals.push(signal);
    try {
      for (let n = 1; ; n++) {
        log.push(n);
        yield n;
      }
    } finally {
      log.push('ended');
    }
  });
  return { log, signals, count, ...start({ count }, { limits }) };
}

describe('a stream', () => {
  test('gives its items in order, as their schema makes them, and its end', async () => {
    const peer = new Peer(start().server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 3]);
    await settle();
    expect(peer.stream(1)).toEqual([...items(1, 1, 3), ['done', 1]]);
  });

  test('makes no more items than are asked for', async () => {
    const { server, log } = counting();
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 2, 0]);
    await settle();
    expect(log).toEqual([1, 2]);
    peer.write(['more', 1, 0, 3]);
    await settle();
    expect(log).toEqual([1, 2, 3]);
    expect(peer.stream(1)).toEqual(items(1, 1, 3));
  });

  test('is taken up on another socket after what its consumer has, and never started twice', async () => {
    const { server, count } = counting();
    const client = clientName();
    new Peer(server).hello(client).write(['open', 1, 'count', null, 0, 4, 0]).vanish(1006);
    await settle();
    const second = new Peer(server).hello(client, 2);
    await settle();
    expect(second.stream(1)).toEqual([]);
    second.write(['open', 1, 'count', null, 2, 6, 0]);
    await settle();
    expect(second.stream(1)).toEqual(items(1, 3, 6));
    expect(count).toHaveBeenCalledTimes(1);
  });

  test('of which the client is told an end again gives the items before it again', async () => {
    const { server } = start();
    const client = clientName();
    const first = new Peer(server).hello(client).write(['open', 1, 'count', null, 0, 9, 3]);
    await settle();
    first.vanish(1006);
    const second = new Peer(server).hello(client, 2).write(['open', 1, 'count', null, 1, 9, 3]);
    await settle();
    expect(second.stream(1)).toEqual([...items(1, 2, 3), ['done', 1]]);
  });
});
