import { afterEach, describe, expect, test, vi } from 'vitest';
import { memoryBroker } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const add = (server: Fixture['server'], value: number) => server.topic('board', { id: '1' }).publish(value);
const board = (snapshot: () => any) => ({ board: { authorize: () => true, snapshot } });

/** Everything of topics that a peer got, in short. */
function story(peer: Peer): unknown[] {
  return peer.received.slice(1).map(([name, ...slots]) => {
    if (name === 'subscribed') return [slots[3], slots[2][1]];
    if (name === 'snapshot') return ['state', slots[1][1], slots[2].sum];
    return name === 'event' ? ['event', slots[1]] : [name, slots[2].code];
  });
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a topic with a snapshot', () => {
  test('takes the position before it asks for the state, and sends what came meanwhile after it', async () => {
    const gate = new Gate<{ sum: number }>();
    const { server } = start(board(() => gate.opened));
    await add(server, 1);
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    for (const value of [2, 3]) await add(server, value);
    expect(story(peer)).toEqual([]);
    gate.open({ sum: 3 });
    await settle();
    await add(server, 4);
    await settle();
    expect(story(peer)).toEqual([
      ['live', 1],
      ['state', 1, 3],
      ['event', 2],
      ['event', 3],
      ['event', 4],
    ]);
  });

  test('one running snapshot serves all who wait, and the next who comes gets a new one', async () => {
    const gate = new Gate<{ sum: number }>();
    const snapshot = vi.fn(() => gate.opened);
    const { server } = start(board(snapshot));
    const join = () => new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    const peers = [join(), join()];
    await settle();
    await add(server, 1);
    peers.push(join());
    await settle();
    expect(snapshot).toHaveBeenCalledTimes(1);
    gate.open({ sum: 0 });
    await settle();
    for (const peer of peers)
      expect(story(peer)).toEqual([
        ['live', 0],
        ['state', 0, 0],
        ['event', 1],
      ]);
    join();
    await settle();
    expect(snapshot).toHaveBeenCalledTimes(2);
  });

  test('comes after live and gap, not after resumed', async () => {
    const { server } = start(board(() => ({ sum: 9, secret: 1 })));
    const [epoch] = await add(server, 1);
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'boards/1', [epoch, 1]], ['subscribe', 2, 'boards/1', ['lost', 7]]);
    await settle();
    expect(story(peer)).toEqual([
      ['resumed', 1],
      ['gap', 1],
      ['state', 1, 9],
    ]);
    expect(JSON.stringify(peer.received)).not.toContain('secret');
  });

  test('one that unsubscribed while the state was read gets nothing', async () => {
    const gate = new Gate<{ sum: number }>();
    const { server } = start(board(() => gate.opened));
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    peer.write(['unsubscribe', 'boards/1']);
    gate.open({ sum: 1 });
    await settle();
    expect(story(peer)).toEqual([]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['does not match its schema', () => ({ sum: 'secret' })],
  ])('unsubscribed INTERNAL when it %s, and the next one may ask again', async (_, fails) => {
    const snapshot = vi.fn().mockImplementationOnce(fails).mockReturnValue({ sum: 5 });
    const { server, errors } = start(board(snapshot));
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    peer.write(['subscribe', 2, 'boards/1']);
    await settle();
    expect(story(peer)).toEqual([
      ['unsubscribed', 'INTERNAL'],
      ['live', 0],
      ['state', 0, 5],
    ]);
    expect(JSON.stringify(peer.received)).not.toContain('secret');
    expect(errors[0]?.info).toEqual({ during: 'snapshot', path: 'board' });
  });

  test('one that never answers is given up after 30 s', async () => {
    vi.useFakeTimers();
    const { server } = start(board(() => new Gate<never>().opened));
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    for (let seconds = 0; seconds < 30; seconds += 10) {
      await vi.advanceTimersByTimeAsync(10_000);
      peer.write(['pong', 0]);
    }
    expect(peer.all('unsubscribed')[0]?.[3].code).toBe('INTERNAL');
  });

  test('when more was published meanwhile than history holds, the state is read once more', async () => {
    const gates = [new Gate<{ sum: number }>(), new Gate<{ sum: number }>()];
    const snapshot = vi.fn(() => gates[snapshot.mock.calls.length - 1]!.opened);
    const { server } = start(board(snapshot), { broker: memoryBroker({ history: { size: 2 } }) });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    for (const value of [1, 2, 3]) await add(server, value);
    gates[0]?.open({ sum: 0 });
    await settle();
    gates[1]?.open({ sum: 6 });
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['state', 0, 0],
      ['gap', 3],
      ['state', 3, 6],
    ]);
  });
});

describe('a peer that does not drain', () => {
  test('is not written to beyond the bound, and catches up from history when it drains', async () => {
    const { server } = start({}, { limits: { bufferedBytes: 1000 } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    peer.bufferedAmount = 1001;
    for (const value of [1, 2, 3]) await add(server, value);
    await settle();
    expect(peer.all('event')).toEqual([]);
    peer.drain();
    await add(server, 4);
    await settle();
    expect(peer.all('event').map(([, , offset]) => offset)).toEqual([1, 2, 3, 4]);
    expect(peer.all('subscribed')).toHaveLength(1);
  });

  test.each([
    ['one byte', 'x'],
    ['three bytes', '漢'],
  ])('is given no more than the bound and one event at a time, with %s a character', async (_, character) => {
    const { server } = start({}, { limits: { bufferedBytes: 100_000 } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await settle();
    let peak = 0;
    peer.onSend = (frame) => {
      peer.bufferedAmount += Buffer.byteLength(frame);
      peak = Math.max(peak, peer.bufferedAmount);
    };
    const text = character.repeat(1000);
    for (let count = 0; count < 500; count++) void server.topic('room', { roomId: '1' }).publish({ text });
    await settle();
    while (peer.all('event').length < 500) {
      const before = peer.all('event').length;
      peer.drain();
      await settle();
      expect(peer.all('event').length).toBeGreaterThan(before);
    }
    expect(peer.all('event').map(([, , offset]) => offset)).toEqual(Array.from({ length: 500 }, (_unused, n) => n + 1));
    expect(peak).toBeLessThan(105_000);
  });

  test('is looked at again by itself where its adapter does not tell', async () => {
    vi.useFakeTimers();
    const { server } = start({}, { limits: { bufferedBytes: 1000 } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await vi.advanceTimersByTimeAsync(0);
    peer.bufferedAmount = 1001;
    await add(server, 1);
    await vi.advanceTimersByTimeAsync(1000);
    peer.bufferedAmount = 0;
    await vi.advanceTimersByTimeAsync(250);
    expect(peer.all('event')).toHaveLength(1);
  });

  test('is told a gap, with a new state, when history no longer covers what it missed', async () => {
    const broker = memoryBroker({ history: { size: 2 } });
    const { server } = start(
      board(() => ({ sum: 6 })),
      { limits: { bufferedBytes: 1000 }, broker },
    );
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    peer.bufferedAmount = 1001;
    for (const value of [1, 2, 3]) await add(server, value);
    peer.drain();
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['state', 0, 6],
      ['gap', 3],
      ['state', 3, 6],
    ]);
  });

  test('does not begin either until it has drained, however often it subscribes', async () => {
    const snapshot = vi.fn(() => ({ sum: 6 }));
    const { server } = start(board(snapshot), { limits: { bufferedBytes: 1000 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.bufferedAmount = 1001;
    for (let n = 1; n <= 50; n++) peer.write(['subscribe', n, 'boards/1']);
    await settle();
    expect(story(peer)).toEqual([]);
    expect(snapshot).not.toHaveBeenCalled();
    peer.drain();
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['state', 0, 6],
    ]);
    expect(peer.all('subscribed')[0]?.[1]).toBe(50);
  });

  test('gets no state that came while it was full, but a new one when it has drained', async () => {
    const gate = new Gate<{ sum: number }>();
    const snapshot = vi.fn().mockReturnValueOnce(gate.opened).mockReturnValue({ sum: 2 });
    const { server } = start(board(snapshot), { limits: { bufferedBytes: 1000 } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    peer.bufferedAmount = 1001;
    gate.open({ sum: 1 });
    await settle();
    expect(story(peer)).toEqual([]);
    peer.drain();
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['state', 0, 2],
    ]);
  });

  test('has few states read for it that it has no room for, however many topics wait', async () => {
    const snapshot = vi.fn(async () => ({ sum: 6 }));
    const { server } = start(board(snapshot), { limits: { bufferedBytes: 1000 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.onSend = (frame) => (peer.bufferedAmount += frame.length);
    peer.bufferedAmount = 1001;
    for (let n = 1; n <= 200; n++) peer.write(['subscribe', n, `boards/${n}`]);
    for (let rounds = 0; peer.all('snapshot').length < 200 && rounds < 50; rounds++) {
      peer.drain();
      await settle();
    }
    expect(new Set(peer.all('snapshot').map(([, topic]) => topic as string)).size).toBe(200);
    expect(snapshot.mock.calls.length).toBeLessThan(2 * 200);
  });

  test('has a few states read at a time, and hardly one in vain, though it asks for a thousand large ones at once', async () => {
    let reading = 0;
    let most = 0;
    let reads = 0;
    const snapshot = async () => {
      reads++;
      most = Math.max(most, ++reading);
      await Promise.resolve();
      reading--;
      return { sum: 6 };
    };
    // One state fills its socket.
    const { server } = start(board(snapshot), { limits: { bufferedBytes: 10 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.onSend = (frame) => (peer.bufferedAmount += frame.length);
    peer.write(...Array.from({ length: 1_000 }, (_, n) => ['subscribe', n + 1, `boards/${n}`]));
    for (let rounds = 0; peer.all('snapshot').length < 1_000 && rounds < 1_100; rounds++) {
      await settle();
      peer.drain();
    }
    expect(peer.all('snapshot')).toHaveLength(1_000);
    expect([most, reads - 1_000 < 10]).toEqual([8, true]);
  });

  test.each([
    ['refused subscriptions', (n: number) => ['subscribe', n, `nowhere/${'x'.repeat(500)}`]],
    ['malformed subscriptions', (n: number) => ['subscribe', n, 'x'.repeat(500), ['E', -1]]],
    ['refused calls', (n: number) => ['call', n, 'x'.repeat(500)]],
    ['pongs', (n: number) => ['ping', n]],
  ])('is closed with 4429 when it never reads %s', async (_, message) => {
    const { server } = start({}, { limits: { bufferedBytes: 100, calls: 8 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.onSend = (frame) => (peer.bufferedAmount += frame.length);
    let peak = 0;
    for (let n = 1; n <= 2_000 && peer.closedWith === undefined; n++) {
      peer.write(message(n));
      await settle();
      peak = Math.max(peak, server.stats().buffered.total);
    }
    expect(peer.closedWith?.code).toBe(4429);
    expect(peak).toBeLessThan(100_000);
  });

  test('is closed with 4429 when it never reads answers that are few and large', async () => {
    const { server } = start({}, { limits: { messageBytes: 250_000 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.onSend = (frame) => (peer.bufferedAmount += frame.length);
    for (let id = 1; id <= 9; id++) peer.write(['call', id, 'echo', null, 'x'.repeat(100_000)]);
    await settle();
    expect(peer.closedWith).toBeUndefined();
    for (let id = 10; id <= 12; id++) peer.write(['call', id, 'echo', null, 'x'.repeat(100_000)]);
    await settle();
    expect(peer.closedWith?.code).toBe(4429);
  });

  test('is closed with 4429 when it asks and asks, and never reads', async () => {
    const { server } = start({}, { limits: { bufferedBytes: 1000, calls: 8 } });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.onSend = (frame) => (peer.bufferedAmount += frame.length);
    // Twice its window, and 64 pongs: so much may be unread for an honest client too, however large its answers are.
    for (let id = 1; id <= 2 * 8 + 64; id++) peer.write(['call', id, 'echo', null, 'x'.repeat(1000)]);
    await settle();
    expect([peer.all('reply').length, peer.closedWith]).toEqual([80, undefined]);
    peer.write(['call', 81, 'echo', null, 'x']);
    await settle();
    expect(peer.closedWith?.code).toBe(4429);
  });
});
