import { afterEach, describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';
import { counting, items } from './streaming.ts';

const open = (id: number, after: number, upTo: number, input = 0) => ['open', id, 'count', null, after, upTo, input];

afterEach(() => {
  vi.useRealTimers();
});

describe('a stream is taken up', () => {
  test('on another socket after what its consumer has, and only where it was opened', async () => {
    const { server, count } = counting();
    const client = clientName();
    new Peer(server)
      .hello(client)
      .write(open(1, 0, 4))
      .vanish(1006);
    await settle();
    const second = new Peer(server).hello(client, 2);
    await settle();
    expect(second.stream(1)).toEqual([]);
    second.write(open(1, 2, 4));
    await settle();
    expect(second.stream(1)).toEqual(items(1, 3, 4));
    second.write(['more', 1, 4, 6]);
    await settle();
    expect(second.stream(1)).toEqual(items(1, 3, 6));
    expect(count).toHaveBeenCalledTimes(1);
  });

  test('on a newer socket while the older one lives: that one gets no more of it', async () => {
    const { server } = counting();
    const client = clientName();
    const first = new Peer(server).hello(client).write(open(1, 0, 2));
    await settle();
    first.bufferedAmount = 1;
    const second = new Peer(server).hello(client, 2).write(open(1, 2, 4));
    await settle();
    expect(first.stream(1)).toEqual(items(1, 1, 2));
    expect(second.stream(1)).toEqual(items(1, 3, 4));
  });

  test('after the highest item that was said to be taken on any socket', async () => {
    const { server } = counting();
    const client = clientName();
    const first = new Peer(server).hello(client).write(open(1, 0, 4));
    await settle();
    first.write(['more', 1, 3, 5]);
    const second = new Peer(server).hello(client, 2).write(open(1, 1, 4));
    await settle();
    expect(second.stream(1)).toEqual(items(1, 4, 5));
  });

  test('where its more comes ahead of its open, which loses nothing', async () => {
    const { server } = counting();
    const client = clientName();
    new Peer(server)
      .hello(client)
      .write(open(1, 0, 2))
      .vanish(1006);
    await settle();
    const second = new Peer(server).hello(client, 2).write(['more', 1, 2, 5], open(1, 1, 3));
    await settle();
    expect(second.stream(1)).toEqual(items(1, 3, 5));
  });

  test('when it has ended meanwhile: the items that are left come, then the end', async () => {
    const { server } = start();
    const client = clientName();
    const first = new Peer(server).hello(client).write(open(1, 0, 9, 3));
    await settle();
    expect(first.stream(1)).toHaveLength(4);
    first.vanish(1006);
    for (const [n, after] of [1, 0, 3].entries()) {
      const next = new Peer(server).hello(client, n + 2).write(open(1, after, 9, 3));
      await settle();
      // What was taken once is gone.
      expect(next.stream(1)).toEqual([...items(1, after === 3 ? 4 : 2, 3), ['done', 1]]);
    }
  });

  test('twice on one socket, which gives nothing twice', async () => {
    const { server, count } = counting();
    const peer = new Peer(server).hello(clientName()).write(open(1, 0, 2));
    await settle();
    peer.write(open(1, 1, 3));
    await settle();
    expect(peer.stream(1)).toEqual(items(1, 1, 3));
    expect(count).toHaveBeenCalledTimes(1);
  });
});

describe('a stream is never started', () => {
  test('for an unknown id of which items were taken: UNKNOWN_OUTCOME, also when it is asked from the start then', async () => {
    const { server, count } = counting();
    const peer = new Peer(server).hello(clientName()).write(open(1, 2, 9), open(1, 0, 9));
    await settle();
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['UNKNOWN_OUTCOME', 'UNKNOWN_OUTCOME']);
    expect(count).not.toHaveBeenCalled();
  });

  test('for an id that the floor settled, while it ran or before it came', async () => {
    const { server, count } = counting();
    const peer = new Peer(server).hello(clientName()).write(open(1, 0, 1), ['floor', 3], open(1, 0, 9), open(2, 0, 9));
    await settle();
    for (const id of [1, 2]) expect(peer.stream(id).at(-1)?.[2].code).toBe('UNKNOWN_OUTCOME');
    expect(count).toHaveBeenCalledTimes(1);
  });

  test('twice, after it was cancelled or has failed: its end is given again', async () => {
    const { server, count } = counting();
    const client = clientName();
    const first = new Peer(server).hello(client).write(open(1, 0, 1), ['cancel', 1]);
    await settle();
    expect(first.stream(1).map(([, , { code }]) => code)).toEqual(['ABORTED']);
    const second = new Peer(server).hello(client, 2).write(open(1, 0, 1));
    await settle();
    expect(second.stream(1)).toEqual(first.stream(1));
    expect(count).toHaveBeenCalledTimes(1);
  });
});

describe('when nobody waits any more, the signal aborts and what stands in finally runs', () => {
  async function running(options: Parameters<typeof counting>[0] = {}) {
    const it = counting(options);
    const client = clientName();
    const peer = new Peer(it.server).hello(client).write(open(1, 0, 1));
    await settle();
    const expectEnded = async () => {
      expect(it.signals[0]?.aborted).toBe(true);
      await settle();
      expect(it.ended).toHaveBeenCalledTimes(1);
      expect(it.server.stats()).toMatchObject({ calls: 0, streams: 0 });
      expect(it.errors).toEqual([]);
    };
    expect(it.server.stats().streams).toBe(1);
    return { ...it, client, peer, expectEnded };
  }

  test('after a cancel, which settles the id at once', async () => {
    const { peer, expectEnded } = await running();
    peer.write(['cancel', 1]);
    await expectEnded();
    expect(peer.stream(1).map(([name, , of]) => of.code ?? name)).toEqual(['item', 'ABORTED']);
  });

  test('after a cancel on a later socket, where it was opened there', async () => {
    const { server, client, signals, expectEnded } = await running();
    const second = new Peer(server).hello(client, 2).write(['cancel', 1]);
    expect(signals[0]?.aborted).toBe(false);
    second.write(open(1, 1, 1), ['cancel', 1]);
    await expectEnded();
  });

  test('after the floor settled it, and nothing more is said of it', async () => {
    const { peer, expectEnded } = await running();
    peer.write(['floor', 2]);
    await expectEnded();
    expect(peer.stream(1)).toEqual(items(1, 1, 1));
  });

  test('after the client went for good, or was forgotten', async () => {
    const gone = await running();
    gone.peer.vanish(1000);
    await gone.expectEnded();
    const forgotten = await running({ limits: { clients: 0 } });
    forgotten.peer.vanish(1006);
    await forgotten.expectEnded();
  });

  test('but not while the client may come back', async () => {
    const { peer, signals, ended } = await running();
    peer.vanish(1006);
    await settle();
    expect(signals[0]?.aborted).toBe(false);
    expect(ended).not.toHaveBeenCalled();
  });

  test('after the server closed', async () => {
    const { server, expectEnded } = await running();
    await server.close();
    await expectEnded();
  });

  test('while the handler works at an item, too: it ends when it has made that', async () => {
    const gate = new Gate();
    const ended = vi.fn();
    const { server } = start({
      async *count({ input }) {
        try {
          await gate.opened;
          yield input;
        } finally {
          ended();
        }
      },
    });
    const peer = new Peer(server).hello(clientName()).write(open(1, 0, 9));
    await settle();
    peer.write(['cancel', 1]);
    await settle();
    expect(ended).not.toHaveBeenCalled();
    gate.open();
    await settle();
    expect(ended).toHaveBeenCalledTimes(1);
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['ABORTED']);
  });

  test('and its place is free when that has run to its end', async () => {
    const gate = new Gate();
    const { server } = start({
      async *count() {
        try {
          yield 1;
          yield 2;
        } finally {
          await gate.opened;
        }
      },
    });
    const peer = new Peer(server).hello(clientName()).write(open(1, 0, 1));
    await settle();
    peer.write(['cancel', 1]);
    await settle();
    expect(server.stats()).toMatchObject({ calls: 1, streams: 1 });
    gate.open();
    await settle();
    expect(server.stats()).toMatchObject({ calls: 0, streams: 0 });
  });

  test.each(['is done', 'fails'])('but what %s by itself is not ended once more', async (how) => {
    const returned = vi.fn(async () => ({ done: true as const, value: undefined }));
    const next = async () => {
      if (how === 'fails') throw new Error('no');
      return { done: true as const, value: undefined };
    };
    const { server } = start({ count: () => ({ [Symbol.asyncIterator]: () => ({ next, return: returned }) }) });
    const peer = new Peer(server).hello(clientName()).write(open(1, 0, 1));
    await settle();
    expect(peer.stream(1)).toHaveLength(1);
    expect(returned).not.toHaveBeenCalled();
  });

  test.each(['a fault', 'the abort'])('and what that throws is reported, unless it is %s of its own', async (what) => {
    const error = what === 'a fault' ? new Error('disk full') : new DOMException('stopped', 'AbortError');
    const { server, errors } = start({
      async *count() {
        try {
          yield 1;
          yield 2;
        } finally {
          // eslint-disable-next-line no-unsafe-finally -- what a clean-up may do
          throw error;
        }
      },
    });
    new Peer(server)
      .hello(clientName())
      .write(open(1, 0, 1))
      .write(['cancel', 1]);
    const peer = new Peer(server).hello(clientName()).write(open(1, 0, 1));
    await settle();
    peer.write(['cancel', 1]);
    await settle();
    expect(errors.map((reported) => reported.error)).toEqual(what === 'a fault' ? [error] : []);
    expect(server.stats().streams).toBe(0);
  });
});

describe('the time that a caller gives a stream', () => {
  test('is for its first item: without one it is answered TIMEOUT and ended', async () => {
    vi.useFakeTimers();
    const ended = vi.fn();
    const { server } = start({
      async *count({ signal }) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        ended(signal.reason.name);
        yield 1;
      },
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', { deadlineMs: 300 }, 0, 9, 0]);
    await vi.advanceTimersByTimeAsync(299);
    expect(peer.stream(1)).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['TIMEOUT']);
    expect(ended).toHaveBeenCalledExactlyOnceWith('TimeoutError');
    expect(server.stats().streams).toBe(0);
  });

  test('says nothing of the items after it', async () => {
    vi.useFakeTimers();
    const { server, signals } = counting();
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', { deadlineMs: 300 }, 0, 1, 0]);
    await vi.advanceTimersByTimeAsync(301);
    expect(signals[0]?.aborted).toBe(false);
    peer.write(['more', 1, 1, 2]);
    await vi.advanceTimersByTimeAsync(0);
    expect(peer.stream(1)).toEqual(items(1, 1, 2));
  });
});
