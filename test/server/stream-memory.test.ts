import { describe, expect, test } from 'vitest';
import type { ServerLimits } from '../../src/server/index.ts';
import { clientName, Peer, settle } from './peer.ts';
import { heavy } from './streaming.ts';

describe('items that are not taken', () => {
  const codes = (peer: Peer, id: number) => peer.stream(id).map(([name, , of]) => of?.code ?? name);

  /** A client with a socket that takes nothing. */
  async function stuffed(limits: ServerLimits) {
    const it = heavy({ bufferedBytes: 100, ...limits });
    const client = clientName();
    const peer = new Peer(it.server).hello(client);
    await settle();
    peer.bufferedAmount = 101;
    return { ...it, client, peer };
  }

  test('and wait for room make all streams of a client wait at answerBytes, but for one item of each', async () => {
    const { peer, openHeavy, madeOf } = await stuffed({ answerBytes: 1000 });
    peer.write(openHeavy(1, 400));
    await settle();
    peer.write(openHeavy(2, 400));
    await settle();
    expect([madeOf(1), madeOf(2)]).toEqual([3, 1]);
    // What the one no longer needs is there for the other.
    peer.write(['cancel', 1]);
    await settle();
    expect([madeOf(1), madeOf(2)]).toEqual([3, 3]);
  });

  test('leave their room as soon as they are written, and when they wait again they have it all', async () => {
    const { peer, openHeavy, madeOf } = await stuffed({ answerBytes: 1000 });
    peer.write(openHeavy(1, 400));
    await settle();
    peer.drain();
    peer.bufferedAmount = 101;
    const made = madeOf(1);
    await settle();
    expect([made, madeOf(1)]).toEqual([3, 4]);
  });

  test('of a stream that nobody reads leave one item at a time for those that are read', async () => {
    const { server, client, peer, openHeavy, madeOf } = await stuffed({ answerBytes: 1000, items: 10 });
    peer.write(openHeavy(1, 1000), openHeavy(2, 400));
    await settle();
    expect([madeOf(1), madeOf(2)]).toEqual([1, 1]);
    peer.vanish(1006);
    const second = new Peer(server).hello(client, 2).write(openHeavy(2, 400));
    for (let turn = 0; turn < 12; turn++) {
      await settle();
      second.drain();
    }
    expect([madeOf(1), madeOf(2)]).toEqual([1, 10]);
  });

  test('wait as well where their stream is open on no socket any more', async () => {
    const { server, openHeavy, madeOf } = heavy({ answerBytes: 1000 });
    const client = clientName();
    new Peer(server)
      .hello(client)
      .write(['open', 1, 'heavy', null, 0, 0, [400, 99]])
      .vanish(1006);
    new Peer(server).hello(client, 2).write(['more', 1, 0, 1000]);
    await settle();
    expect(madeOf(1)).toBe(3);
    new Peer(server).hello(client, 3).write(openHeavy(1, 400, 99));
    await settle();
    expect(madeOf(1)).toBe(99);
  });

  test('but were written hold up no stream: its reader may say rarely what it took', async () => {
    const { server, openHeavy, madeOf } = heavy({ answerBytes: 1000, items: 10 });
    new Peer(server).hello(clientName()).write(openHeavy(1, 400));
    await settle();
    expect(madeOf(1)).toBe(10);
  });

  test('of streams that have ended hold up no other stream', async () => {
    const { peer, openHeavy, madeOf } = await stuffed({ answerBytes: 1000 });
    peer.write(openHeavy(1, 900, 1));
    await settle();
    peer.write(openHeavy(2, 300));
    await settle();
    expect(madeOf(2)).toBe(4);
  });

  test('of streams that have ended go when memoryBytes are full, and the id is UNKNOWN_OUTCOME', async () => {
    const { server, openHeavy } = heavy({ answerBytes: 1000, memoryBytes: 3000 });
    const client = clientName();
    const first = new Peer(server).hello(client);
    for (const id of [1, 2, 3, 4]) {
      first.write(openHeavy(id, 800, 1));
      await settle();
    }
    first.vanish(1006);
    const second = new Peer(server).hello(client, 2).write(openHeavy(1, 800, 1), openHeavy(3, 800, 1));
    await settle();
    expect([codes(second, 1), codes(second, 3)]).toEqual([['UNKNOWN_OUTCOME'], ['item', 'done']]);
  });

  test('of streams that run go first, where they were written: those go on, but can not be taken up before them', async () => {
    const { server, openHeavy, ended } = heavy({ answerBytes: 1000, memoryBytes: 3000, items: 4 });
    const [client, other] = [clientName(), clientName()];
    const first = new Peer(server).hello(client).write(['call', 1, 'save']);
    for (const id of [2, 3, 4]) first.write(openHeavy(id, 300));
    await settle();
    first.write(['more', 2, 4, 5]);
    await settle();
    expect([2, 3, 4].map((id) => codes(first, id).length)).toEqual([8, 4, 4]);
    // Under pressure of somebody else, too.
    new Peer(server).hello(other).write(openHeavy(1, 900));
    await settle();
    // Where it is open already, it needs nothing of what is gone.
    first.write(openHeavy(3, 300));
    await settle();
    expect(codes(first, 3)).toEqual(Array.from({ length: 4 }, () => 'item'));
    first.vanish(1006);
    const second = new Peer(server).hello(client, 2);
    second.write(openHeavy(2, 300, 1000, 8), openHeavy(3, 300, 1000, 3));
    await settle();
    expect(codes(second, 2)).toEqual(Array.from({ length: 4 }, () => 'item'));
    expect(codes(second, 3)).toEqual(['UNKNOWN_OUTCOME']);
    expect(ended).toHaveBeenCalledExactlyOnceWith(3, true);
    second.write(openHeavy(3, 300, 1000, 4));
    await settle();
    expect(codes(second, 3)).toEqual(['UNKNOWN_OUTCOME', 'UNKNOWN_OUTCOME']);
  });

  test.each([
    [9, 'done'],
    [7, 'UNKNOWN_OUTCOME'],
  ])('and of which some are gone: after item %i of a stream that has ended comes %s', async (after, end) => {
    const { server, openHeavy } = heavy({ answerBytes: 1000, memoryBytes: 1500 });
    const client = clientName();
    const first = new Peer(server).hello(client).write(openHeavy(1, 400, 9));
    await settle();
    expect(codes(first, 1).at(-1)).toBe('done');
    const second = new Peer(server).hello(client, 2).write(openHeavy(1, 400, 9, after));
    await settle();
    expect(codes(second, 1)).toEqual([end]);
  });

  test('count as memory: a client that is away is forgotten for them, and its handlers are ended', async () => {
    const { server, peer, openHeavy, ended } = await stuffed({ answerBytes: 1000, memoryBytes: 1500 });
    peer.write(openHeavy(1, 900));
    await settle();
    peer.vanish(1006);
    const other = new Peer(server).hello(clientName());
    await settle();
    other.bufferedAmount = 101;
    other.write(openHeavy(2, 900));
    await settle();
    expect(server.stats()).toMatchObject({ clients: 1, streams: 1 });
    expect(ended).toHaveBeenCalledExactlyOnceWith(1, true);
  });

  test('and were written to a socket that is gone stay, while the next one has no room for them', async () => {
    const { server, openHeavy, madeOf } = heavy({ answerBytes: 1000, memoryBytes: 3000, items: 8, bufferedBytes: 100 });
    const client = clientName();
    const first = new Peer(server).hello(client).write(openHeavy(1, 300, 9));
    for (let turn = 0; turn < 9; turn++) {
      await settle();
      first.drain();
    }
    expect(codes(first, 1)).toHaveLength(8);
    first.vanish(1006);
    const second = new Peer(server).hello(client, 2);
    await settle();
    second.bufferedAmount = 101;
    // Another of the same client has to wait as well.
    second.write(openHeavy(1, 300, 9), openHeavy(2, 100));
    new Peer(server).hello(clientName()).write(openHeavy(3, 2900));
    await settle();
    expect([madeOf(1), madeOf(2)]).toEqual([8, 1]);
    for (let turn = 0; turn < 20; turn++) {
      second.drain();
      await settle();
    }
    expect(codes(second, 1)).toEqual(Array.from({ length: 8 }, () => 'item'));
    second.write(['more', 1, 8, 9]);
    await settle();
    expect(codes(second, 1).slice(8)).toEqual(['item', 'done']);
    expect(madeOf(2)).toBe(8);
  });

  test('give their bytes back when they are taken, dropped or forgotten', async () => {
    const { server, openHeavy } = heavy({ answerBytes: 1000, memoryBytes: 2600 });
    const kept = new Peer(server).hello(clientName()).write(openHeavy(1, 500, 1));
    await settle();
    kept.vanish(1006);
    const peer = new Peer(server).hello(clientName());
    for (let id = 1; id <= 40; id += 4) {
      peer.write(openHeavy(id, 500, 1), openHeavy(id + 1, 500), openHeavy(id + 2, 500), openHeavy(id + 3, 500, 1));
      await settle();
      peer.write(['more', id, 1, 1000], ['cancel', id + 1], ['floor', id + 4]);
      await settle();
    }
    // Otherwise the one that is away had been forgotten for them.
    expect(server.stats().clients).toBe(2);
  });
});
