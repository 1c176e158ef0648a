import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const order = { item: 'tea' };

afterEach(() => {
  vi.useRealTimers();
});

/** A server whose orders wait for a gate, and what they were called with. */
function slowOrders() {
  const gate = new Gate<{ number: number }>();
  const place = vi.fn((_: { signal: AbortSignal }) => gate.opened);
  return { gate, place, ...start({ orders: { place, cancel: () => undefined } }) };
}

describe('rule 1: an id never runs twice', () => {
  test('a mutation repeated after a reconnect runs once, and its answer is given again', async () => {
    const { server, gate, place } = slowOrders();
    const client = clientName();
    const first = new Peer(server).hello(client).write(['call', 1, 'orders.place', null, order]);
    gate.open({ number: 7 });
    await settle();
    expect(first.answers(1)).toEqual([['reply', 1, { number: 7 }]]);
    first.vanish(1006);
    const second = new Peer(server).hello(client, 2).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(second.welcome.memory).toBe(first.welcome.memory);
    expect(second.answers(1)).toEqual([['reply', 1, { number: 7 }]]);
    expect(place).toHaveBeenCalledTimes(1);
  });

  test('a mutation repeated while it runs joins it', async () => {
    const { server, gate, place } = slowOrders();
    const client = clientName();
    new Peer(server).hello(client).write(['call', 1, 'orders.place', null, order]).vanish();
    const second = new Peer(server).hello(client, 2).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(second.answers(1)).toEqual([]);
    gate.open({ number: 7 });
    await settle();
    expect(second.answers(1)).toEqual([['reply', 1, { number: 7 }]]);
    expect(place).toHaveBeenCalledTimes(1);
  });

  test('a refused or failed mutation repeats its error without running', async () => {
    const place = vi.fn(() => {
      throw new Error('no');
    });
    const { server } = start({ orders: { place, cancel: () => undefined } });
    const peer = new Peer(server).hello(clientName());
    for (const id of [1, 1]) peer.write(['call', id, 'orders.place', null, order]);
    for (const id of [2, 2]) peer.write(['call', id, 'orders.place', null, { item: 5 }]);
    await settle();
    expect(place).toHaveBeenCalledTimes(1);
    expect(peer.answers(1).map(([, , error]) => error.code)).toEqual(['INTERNAL', 'INTERNAL']);
    expect(peer.answers(2).map(([, , error]) => error.code)).toEqual(['BAD_INPUT', 'BAD_INPUT']);
  });

  test('a publish repeated after a reconnect takes effect once, and is answered with its position', async () => {
    const publish = vi.fn();
    const { server } = start({ room: { authorize: () => true, publish } });
    const client = clientName();
    const first = new Peer(server).hello(client).write(['publish', 1, 'rooms/1', { text: 'hi' }]);
    await settle();
    first.vanish();
    const second = new Peer(server).hello(client, 2).write(['publish', 1, 'rooms/1', { text: 'hi' }]);
    await settle();
    expect(publish).toHaveBeenCalledTimes(1);
    expect(second.answers(1)).toEqual(first.answers(1));
    expect(second.answers(1)[0]?.[2]).toEqual([expect.any(String), 1]);
  });

  test('an id below the floor never runs, whether the floor came in hello or alone', async () => {
    const { server, place } = slowOrders();
    const client = clientName();
    const first = new Peer(server).hello(client, 1, { floor: [5, 3] });
    first.write(['call', 4, 'orders.place', null, order], ['call', 3, 'orders.place', null, order]);
    first.write(['floor', 9, 3], ['call', 8, 'orders.place', null, order]);
    await settle();
    expect(first.answers(4)[0]?.[2].code).toBe('UNKNOWN_OUTCOME');
    expect(first.answers(8)[0]?.[2].code).toBe('UNKNOWN_OUTCOME');
    expect(place).toHaveBeenCalledTimes(1);
  });

  test('the floor only rises: a lower one, or one that reopens an id, changes nothing', async () => {
    const { server, place } = slowOrders();
    const peer = new Peer(server).hello(clientName(), 1, { floor: [10] });
    peer.write(['floor', 2], ['floor', 12, 5, 11], ['call', 5, 'orders.place', null, order]);
    peer.write(['call', 11, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(5)[0]?.[2].code).toBe('UNKNOWN_OUTCOME');
    expect(peer.answers(11)).toEqual([]);
    expect(place).toHaveBeenCalledTimes(1);
  });

  test('what the floor settles while it runs is aborted and answered nowhere', async () => {
    const { server, gate, place } = slowOrders();
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    const signal = place.mock.calls[0]?.[0].signal;
    expect(signal?.aborted).toBe(false);
    peer.write(['floor', 2]);
    expect(signal?.aborted).toBe(true);
    gate.open({ number: 1 });
    await settle();
    expect(peer.answers(1)).toEqual([]);
    expect(server.stats().calls).toBe(0);
  });

  test('a repeated id with another path is BAD_REQUEST, and the first goes on', async () => {
    const { server, gate } = slowOrders();
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    peer.write(['call', 1, 'orders.cancel', null, 'x'], ['publish', 1, 'rooms/1', { text: 'x' }]);
    gate.open({ number: 1 });
    await settle();
    expect(peer.answers(1).map(([name, , error]) => error.code ?? name)).toEqual([
      'BAD_REQUEST',
      'BAD_REQUEST',
      'reply',
    ]);
  });

  test('an answer that was dropped for its bytes is UNKNOWN_OUTCOME, never a second run', async () => {
    const place = vi.fn(() => ({ number: 1 }));
    const limits = { answerBytes: 50, memoryBytes: 60 };
    const { server } = start({ orders: { place, cancel: () => undefined } }, { limits });
    const peer = new Peer(server).hello(clientName());
    for (const id of [1, 2, 3]) peer.write(['call', id, 'orders.place', null, order]);
    peer.write(['call', 1, 'orders.place', null, order], ['call', 3, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)[1]?.[2].code).toBe('UNKNOWN_OUTCOME');
    expect(peer.answers(3)[1]).toEqual(['reply', 3, { number: 1 }]);
    expect(place).toHaveBeenCalledTimes(3);
  });

  test('answers above answerBytes are kept while all of them fit memoryBytes, and go before a client does', async () => {
    const { server } = start({}, { limits: { answerBytes: 50, memoryBytes: 150 } });
    const [away, greedy] = [clientName(), clientName()];
    const gone = new Peer(server).hello(away).write(['call', 1, 'orders.place', null, order]);
    await settle();
    gone.vanish();
    const peer = new Peer(server).hello(greedy);
    for (const id of [1, 2, 3, 4]) peer.write(['call', id, 'orders.place', null, order]);
    await settle();
    for (const id of [1, 4]) peer.write(['call', id, 'orders.place', null, order]);
    await settle();
    expect([1, 4].map((id) => peer.answers(id)[1]?.[0])).toEqual(['reply', 'reply']);
    for (const id of [5, 6, 7]) peer.write(['call', id, 'orders.place', null, order]);
    await settle();
    for (const id of [1, 7]) peer.write(['call', id, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)[2]?.[2].code).toBe('UNKNOWN_OUTCOME');
    expect(peer.answers(7)[1]?.[0]).toBe('reply');
    const back = new Peer(server).hello(away, 2);
    await settle();
    expect(back.welcome.memory).toBe(gone.welcome.memory);
  });

  test('an entry that was dropped for its number is UNKNOWN_OUTCOME, never a second run; one that runs stays', async () => {
    const gate = new Gate();
    const place = vi.fn(async ({ input }: { input: { item: string } }) => {
      if (input.item === 'slow') await gate.opened;
      return { number: 1 };
    });
    const { server } = start(
      { orders: { place, cancel: () => undefined } },
      { limits: { calls: 8, streams: 1, answers: 73 } },
    );
    const client = clientName();
    const peer = new Peer(server).hello(client);
    peer.write(['call', 1, 'orders.place', null, { item: 'slow' }]);
    for (let id = 2; id <= 76; id++) {
      peer.write(['call', id, 'orders.place', null, order]);
      await settle();
    }
    const next = new Peer(server).hello(client, 2);
    for (const id of [1, 2, 3, 4, 76])
      next.write(['call', id, 'orders.place', null, id === 1 ? { item: 'slow' } : order]);
    await settle();
    expect([2, 3, 4, 76].map((id) => next.answers(id)[0]?.[2].code ?? 'reply')).toEqual([
      'UNKNOWN_OUTCOME',
      'UNKNOWN_OUTCOME',
      'reply',
      'reply',
    ]);
    next.write(['floor', 77, 1]);
    gate.open();
    await settle();
    expect(next.answers(1)).toEqual([['reply', 1, { number: 1 }]]);
    expect(place).toHaveBeenCalledTimes(76);
  });
});

describe('rule 2: answers come only where the id was sent', () => {
  test('an answer never comes on a socket on which its id was not sent', async () => {
    const { server, gate } = slowOrders();
    const client = clientName();
    const first = new Peer(server).hello(client).write(['call', 1, 'orders.place', null, order]);
    const second = new Peer(server).hello(client, 2);
    const stranger = new Peer(server).hello(clientName());
    await settle();
    // From here on the first is left, see takeover.test.ts.
    second.write(['ping', 1]);
    gate.open({ number: 1 });
    await settle();
    expect([first, second, stranger].flatMap((peer) => peer.answers(1))).toEqual([]);
  });

  test('cancel aborts the handler and settles the id at once, but only where the id was sent', async () => {
    const { server, place } = slowOrders();
    const client = clientName();
    new Peer(server).hello(client).write(['call', 1, 'orders.place', null, order]).vanish();
    const signal = place.mock.calls[0]?.[0].signal;
    const second = new Peer(server).hello(client, 2).write(['cancel', 1]);
    expect(signal?.aborted).toBe(false);
    second.write(['call', 1, 'orders.place', null, order], ['cancel', 1]);
    await settle();
    expect(signal?.aborted).toBe(true);
    expect(second.answers(1).map(([, , error]) => error.code)).toEqual(['ABORTED']);
  });
});

describe('rule 4: the memory', () => {
  test('a client that was forgotten by age gets another name of its memory, and what ran for it is aborted', async () => {
    vi.useFakeTimers();
    const { server, place } = slowOrders();
    const client = clientName();
    const first = new Peer(server).hello(client).write(['call', 1, 'orders.place', null, order]);
    await vi.advanceTimersByTimeAsync(0);
    first.vanish(1006);
    await vi.advanceTimersByTimeAsync(119_999);
    expect(place.mock.calls[0]?.[0].signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(place.mock.calls[0]?.[0].signal.aborted).toBe(true);
    const second = new Peer(server).hello(client, 2);
    await vi.advanceTimersByTimeAsync(0);
    expect(second.welcome.memory).not.toBe(first.welcome.memory);
  });

  test('a client that comes back in time is not forgotten later', async () => {
    vi.useFakeTimers();
    const { server } = start();
    const client = clientName();
    const first = new Peer(server).hello(client);
    await vi.advanceTimersByTimeAsync(1);
    first.vanish();
    await vi.advanceTimersByTimeAsync(60_000);
    const second = new Peer(server).hello(client, 2);
    for (let left = 20; left > 0; left--) {
      await vi.advanceTimersByTimeAsync(10_000);
      second.write(['ping', 1]);
    }
    const third = new Peer(server).hello(client, 3);
    await vi.advanceTimersByTimeAsync(0);
    expect(third.welcome.memory).toBe(first.welcome.memory);
  });

  test('a close with 1000 forgets the client at once and aborts what runs', async () => {
    const { server, place } = slowOrders();
    const client = clientName();
    const first = new Peer(server).hello(client).write(['call', 1, 'orders.place', null, order]);
    await settle();
    first.vanish(1000);
    expect(place.mock.calls[0]?.[0].signal.aborted).toBe(true);
    expect(server.stats().clients).toBe(0);
    const second = new Peer(server).hello(client, 2);
    await settle();
    expect(second.welcome.memory).not.toBe(first.welcome.memory);
  });

  test('of one identity 32 clients without a socket are remembered, of a server without identities more', async () => {
    const remembered = async (server: ReturnType<typeof start>['server']): Promise<number> => {
      for (let count = 0; count < 40; count++) new Peer(server).hello(clientName()).vanish();
      await settle();
      return server.stats().clients;
    };
    expect(await remembered(start().server)).toBe(32);
    expect(await remembered(start({}, { authenticate: undefined as never }).server)).toBe(40);
  });

  test('clients without a socket are forgotten, oldest first, when all answers together take too many bytes', async () => {
    const { server } = start({}, { limits: { memoryBytes: 60 } });
    const clients = [clientName(), clientName(), clientName()];
    for (const client of clients) {
      new Peer(server).hello(client).write(['call', 1, 'orders.place', null, order]).vanish();
    }
    await settle();
    expect(server.stats().clients).toBe(2);
    const oldest = new Peer(server).hello(clients[0]!, 2).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(oldest.answers(1)[0]?.[0]).toBe('reply');
  });
});

test('where memory is short, what the client has goes first, not what was settled first', async () => {
  const gates: Gate[] = [];
  let held = true;
  const contract = defineContract({ go: mutation({ output: z.string() }) });
  const server = createServer(contract, {
    handlers: {
      go: async () => {
        const gate = new Gate();
        if (held) gates.push(gate);
        if (held) await gate.opened;
        return 'x'.repeat(3 * 1024);
      },
    },
    // No more than each client is promised.
    limits: { memoryBytes: 1024 * 1024 },
  });
  const client = clientName();
  const one = new Peer(server).hello(client);
  await settle();
  const pending = new Set(Array.from({ length: 256 }, (_, index) => index + 1));
  for (const id of pending) one.write(['call', id, 'go']);
  await settle();
  one.vanish();
  for (const gate of gates.toReversed()) {
    gate.open();
    await settle();
  }
  held = false;
  const two = new Peer(server).hello(client, 2, { floor: [257, ...pending] });
  await settle();
  for (const id of pending) two.write(['call', id, 'go']);
  await settle();
  // Its first 120 answers arrive, and no floor says so.
  for (let id = 1; id <= 120; id++) {
    pending.delete(id);
    two.write(['call', 256 + id, 'go']);
    pending.add(256 + id);
  }
  await settle();
  two.vanish();
  const three = new Peer(server).hello(client, 3, { floor: [377, ...pending] });
  await settle();
  for (const id of pending) three.write(['call', id, 'go']);
  await settle();
  expect([...pending].filter((id) => three.answers(id)[0]?.[0] !== 'reply')).toEqual([]);
});
