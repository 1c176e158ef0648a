import { afterEach, describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';
import { counting, heavy, items } from './streaming.ts';

const open = (id: number, after: number, upTo: number) => ['open', id, 'count', null, after, upTo, 0];

afterEach(() => {
  vi.useRealTimers();
});

describe('streams at work', () => {
  test('are limits.streams of a socket: above it one is RATE_LIMITED, and never starts afterwards', async () => {
    const { server, count } = counting({ limits: { streams: 2 } });
    const peer = new Peer(server).hello(clientName()).write(open(1, 0, 1), open(2, 0, 1), open(3, 0, 1));
    await settle();
    expect(peer.stream(3).map(([, , { code }]) => code)).toEqual(['RATE_LIMITED']);
    peer.write(['cancel', 1], open(3, 0, 1), open(4, 0, 1));
    await settle();
    expect(peer.stream(3).map(([, , { code }]) => code)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    expect(peer.stream(4)).toEqual(items(4, 1, 1));
    expect(count).toHaveBeenCalledTimes(3);
  });

  test('of other kinds of calls take no slot, nor do calls take theirs', async () => {
    const { server } = start({ echo: () => new Gate<never>().opened }, { limits: { calls: 8, streams: 1 } });
    const peer = new Peer(server).hello(clientName());
    for (let id = 1; id <= 8; id++) peer.write(['call', id, 'echo', null, 'x']);
    peer.write(open(9, 0, 1));
    await settle();
    expect(peer.received.filter(([name]) => name === 'error')).toEqual([]);
  });

  test('are 2 × limits.streams of a client, on however many sockets, until their handlers end', async () => {
    const gate = new Gate();
    const count = vi.fn(async function* () {
      await gate.opened;
      yield 1;
    });
    const { server } = start({ count }, { limits: { streams: 2 } });
    const client = clientName();
    let peer = new Peer(server);
    for (let n = 1; n <= 3; n++) {
      peer = new Peer(server).hello(client, n).write(open(2 * n, 0, 1), open(2 * n + 1, 0, 1));
      await settle();
      peer.write(['cancel', 2 * n], ['cancel', 2 * n + 1]);
    }
    await settle();
    expect(count).toHaveBeenCalledTimes(4);
    expect(peer.stream(7).map(([, , { code }]) => code)).toEqual(['RATE_LIMITED']);
    expect(server.stats()).toMatchObject({ calls: 4, streams: 4 });
    gate.open();
    await settle();
    expect(server.stats()).toMatchObject({ calls: 0, streams: 0 });
    peer.write(open(8, 0, 1));
    await settle();
    expect(peer.stream(8)).toEqual(items(8, 1, 1));
  });

  test('count among the 2 × limits.calls of a client', async () => {
    const echo = vi.fn(() => new Gate<never>().opened);
    const { server } = start({ echo, count: counting().count }, { limits: { calls: 8, streams: 8 } });
    const client = clientName();
    const first = new Peer(server).hello(client);
    for (let id = 1; id <= 8; id++) first.write(open(id, 0, 1), ['call', id + 8, 'echo', null, 'x']);
    await settle();
    const second = new Peer(server).hello(client, 2).write(open(17, 0, 1), ['call', 18, 'echo', null, 'x']);
    await settle();
    expect(second.received.map(([, , error]) => error?.code)).toEqual([undefined, 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  test('whose handlers hear nothing leave only their place behind, once they are settled', async () => {
    const { server } = start({
      // eslint-disable-next-line require-yield -- it never gets so far
      async *count() {
        await new Gate<never>().opened;
      },
    });
    const client = clientName();
    const peer = new Peer(server).hello(client).write(open(1, 0, 9));
    await settle();
    peer.write(['floor', 2]);
    await settle();
    expect(server.stats()).toMatchObject({ calls: 1, streams: 1 });
    peer.write(['more', 1, 0, 9], open(1, 0, 9));
    await settle();
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['UNKNOWN_OUTCOME']);
  });
});

describe('a socket that does not drain', () => {
  const limits = { bufferedBytes: 1000 };

  test('gets no items until it has drained, and then all of them', async () => {
    const { server } = counting({ limits });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.bufferedAmount = 1001;
    peer.write(open(1, 0, 3));
    await settle();
    expect(peer.stream(1)).toEqual([]);
    peer.drain();
    await settle();
    expect(peer.stream(1)).toEqual(items(1, 1, 3));
  });

  test('is looked at again where nobody tells that it drained', async () => {
    vi.useFakeTimers();
    const { server } = counting({ limits });
    const peer = new Peer(server).hello(clientName());
    await vi.advanceTimersByTimeAsync(0);
    peer.bufferedAmount = 1001;
    peer.write(open(1, 0, 3));
    await vi.advanceTimersByTimeAsync(250);
    expect(peer.stream(1)).toEqual([]);
    const look = vi.fn(() => 0);
    Object.defineProperty(peer, 'bufferedAmount', { get: look });
    await vi.advanceTimersByTimeAsync(250);
    expect(peer.stream(1)).toEqual(items(1, 1, 3));
    look.mockClear();
    await vi.advanceTimersByTimeAsync(1000);
    expect(look).not.toHaveBeenCalled();
  });

  test('is handed no more than the bound at a time', async () => {
    const { server, openHeavy } = heavy({ bufferedBytes: 1000 });
    const peer = new Peer(server).hello(clientName());
    await settle();
    let most = 0;
    peer.send = (frame) => {
      peer.received.push(...JSON.parse(frame));
      peer.bufferedAmount += frame.length;
      most = Math.max(most, peer.bufferedAmount);
    };
    peer.write(openHeavy(1, 300, 20), openHeavy(2, 300, 20));
    for (let turn = 0; turn < 12; turn++) {
      await settle();
      peer.drain();
    }
    await settle();
    expect(most).toBeLessThan(1000 + 2 * 340);
    expect([1, 2].map((id) => peer.stream(id).map(([, , seq]) => seq))).toEqual(
      Array.from({ length: 2 }, () => [...Array.from({ length: 20 }, (_, index) => index + 1), undefined]),
    );
  });

  test('gets items of that stream first that waited longest', async () => {
    const { server, openHeavy } = heavy({ bufferedBytes: 1000 });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.bufferedAmount = 1001;
    peer.write(openHeavy(1, 600), openHeavy(2, 600));
    await settle();
    for (let turn = 0; turn < 2; turn++) {
      peer.drain();
      peer.bufferedAmount = 1;
      await settle();
      peer.bufferedAmount = 1001;
    }
    expect(peer.all('item').map(([, id]) => id)).toEqual([1, 1, 2, 2]);
  });

  test('is told the end behind the items that wait', async () => {
    const { server } = start({}, { limits });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.bufferedAmount = 1001;
    peer.write(['open', 1, 'count', null, 0, 9, 2]);
    await settle();
    expect(server.stats().streams).toBe(0);
    expect(peer.stream(1)).toEqual([]);
    peer.drain();
    await settle();
    expect(peer.stream(1)).toEqual([...items(1, 1, 2), ['done', 1]]);
  });

  test.each([
    ['a cancel', ['cancel', 1], ['ABORTED'], 'UNKNOWN_OUTCOME'],
    ['the floor', ['floor', 2], [], 'UNKNOWN_OUTCOME'],
  ])('hears of %s at once, and the items that wait are gone', async (_, message, told, later) => {
    const { server } = start({}, { limits: { ...limits, streams: 1 } });
    const client = clientName();
    const peer = new Peer(server).hello(client);
    await settle();
    peer.bufferedAmount = 1001;
    peer.write(['open', 1, 'count', null, 0, 9, 2]);
    await settle();
    peer.write(message);
    await settle();
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(told);
    // Its slot is free.
    peer.write(['open', 3, 'count', null, 0, 9, 1]);
    peer.drain();
    await settle();
    expect(peer.stream(3).map(([name]) => name)).toEqual(['item', 'done']);
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(told);
    const second = new Peer(server).hello(client, 2).write(['open', 1, 'count', null, 0, 9, 2]);
    await settle();
    expect(second.stream(1).map(([, , { code }]) => code)).toEqual([later]);
  });

  test('is told UNKNOWN_OUTCOME when what waits for it had to be dropped', async () => {
    const { server, openHeavy } = heavy({ ...limits, answerBytes: 1000, memoryBytes: 3000 });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.bufferedAmount = 1001;
    for (const id of [1, 2, 3, 4]) {
      peer.write(openHeavy(id, 800, 1));
      await settle();
    }
    peer.drain();
    await settle();
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['UNKNOWN_OUTCOME']);
    expect(peer.stream(4).map(([name]) => name)).toEqual(['item', 'done']);
  });
});
