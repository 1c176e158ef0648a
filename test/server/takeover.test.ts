import { afterEach, describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a hello with a higher number takes the client over, and the older socket is closed with 4409', async () => {
  const { server } = start();
  const client = clientName();
  const first = new Peer(server).hello(client);
  const second = new Peer(server).hello(client, 2);
  await settle();
  second.write(['ping', 1]);
  expect(first.closedWith?.code).toBe(4409);
  expect(second.closedWith).toBeUndefined();
  expect(second.welcome.memory).toBe(first.welcome.memory);
});

test.each([1, 2])('a late hello with the number %i is closed with 4409, and the live socket stays', async (n) => {
  const { server } = start();
  const client = clientName();
  const live = new Peer(server).hello(client, 2);
  const late = new Peer(server).hello(client, n);
  await settle();
  expect(late.closedWith?.code).toBe(4409);
  expect(late.received).toEqual([]);
  live.write(['ping', 5]);
  await settle();
  expect(live.all('pong')).toEqual([['pong', 5]]);
});

test('the number counts when the token is verified: of two hellos under way the newer wins, whichever is first', async () => {
  const answers = new Map<string, () => void>();
  const authenticate = ({ token = '' }) =>
    new Promise<{ identity: string; context: { user: string } }>((resolve) => {
      answers.set(token, () => resolve({ identity: 'ann', context: { user: token } }));
    });
  const { server } = start({}, { authenticate });
  const client = clientName();
  const older = new Peer(server).hello(client, 1, { token: 'older' });
  const newer = new Peer(server).hello(client, 2, { token: 'newer' });
  answers.get('newer')?.();
  await settle();
  answers.get('older')?.();
  await settle();
  expect(older.closedWith?.code).toBe(4409);
  expect(newer.closedWith).toBeUndefined();
});

test('another identity never attaches to a client: 4410, and the owner is not disturbed', async () => {
  const { server } = start();
  const client = clientName();
  const ann = new Peer(server).hello(client, 1, { token: 'ann' });
  const bob = new Peer(server).hello(client, 2, { token: 'bob' });
  await settle();
  expect(bob.closedWith?.code).toBe(4410);
  expect(bob.received).toEqual([]);
  expect(ann.closedWith).toBeUndefined();
});

test('an older socket that still has something buffered is closed when it drains', async () => {
  const { server } = start();
  const client = clientName();
  const first = new Peer(server).hello(client);
  await settle();
  first.bufferedAmount = 10;
  const second = new Peer(server).hello(client, 2);
  await settle();
  second.write(['ping', 1]);
  expect(first.closedWith).toBeUndefined();
  first.drain();
  expect(first.closedWith?.code).toBe(4409);
});

test('an older socket that never drains is closed after 5 s, and of three the first at once', async () => {
  vi.useFakeTimers();
  const { server } = start();
  const client = clientName();
  const speaking = async (n: number) => {
    const peer = new Peer(server).hello(client, n);
    await vi.advanceTimersByTimeAsync(0);
    peer.write(['ping', n]);
    peer.bufferedAmount = 10;
    return peer;
  };
  const first = await speaking(1);
  const second = await speaking(2);
  expect(first?.closedWith).toBeUndefined();
  const third = await speaking(3);
  expect(first?.closedWith?.code).toBe(4409);
  await vi.advanceTimersByTimeAsync(4_999);
  expect(second?.closedWith).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(second?.closedWith?.code).toBe(4409);
  expect(third.closedWith).toBeUndefined();
});

test('a 1000 on the older of two sockets does not forget the client', async () => {
  const { server } = start();
  const client = clientName();
  const first = new Peer(server).hello(client);
  await settle();
  first.bufferedAmount = 1;
  const second = new Peer(server).hello(client, 2);
  await settle();
  second.write(['ping', 1]);
  first.vanish(1000);
  second.vanish(1006);
  const third = new Peer(server).hello(client, 3);
  await settle();
  expect(third.welcome.memory).toBe(second.welcome.memory);
});

describe('until the newer socket has spoken after its welcome, which may have been lost', () => {
  /** An older socket with a call under way, and a newer one that has said hello. */
  async function takingOver() {
    const gate = new Gate<{ number: number }>();
    const place = vi.fn(() => gate.opened);
    const { server } = start({ orders: { place, cancel: () => undefined } });
    const client = clientName();
    const older = new Peer(server).hello(client).write(['call', 1, 'orders.place', null, { item: 'x' }]);
    await settle();
    const newer = new Peer(server).hello(client, 2);
    await settle();
    return { server, client, gate, place, older, newer };
  }

  test('the older one serves: it is answered, and takes new calls', async () => {
    const { gate, older, newer } = await takingOver();
    older.write(['call', 2, 'echo', null, 'x']);
    gate.open({ number: 1 });
    await settle();
    expect(older.closedWith).toBeUndefined();
    expect(older.all('reply')).toEqual([
      ['reply', 2, 'x'],
      ['reply', 1, { number: 1 }],
    ]);
    expect(newer.received.map(([name]) => name)).toEqual(['welcome']);
  });

  test('what the newer one sends again is answered there, once it runs, and the older one is left', async () => {
    const { gate, place, older, newer } = await takingOver();
    newer.write(['call', 1, 'orders.place', null, { item: 'x' }]);
    expect(older.closedWith?.code).toBe(4409);
    older.write(['call', 2, 'echo', null, 'too late']);
    gate.open({ number: 1 });
    await settle();
    expect(newer.all('reply')).toEqual([['reply', 1, { number: 1 }]]);
    expect(older.all('reply')).toEqual([]);
    expect(place).toHaveBeenCalledTimes(1);
  });

  test('a newer one that ends leaves everything as it was', async () => {
    const { server, client, gate, older, newer } = await takingOver();
    newer.vanish(4408);
    expect(server.stats()).toMatchObject({ peers: 1, clients: 1 });
    gate.open({ number: 1 });
    await settle();
    expect(older.all('reply')).toHaveLength(1);
    // It is the newest again: what it says of itself counts.
    older.vanish(1000);
    expect(server.stats()).toMatchObject({ peers: 0, clients: 0 });
    // A number is used once all the same.
    const again = new Peer(server).hello(client, 1);
    await settle();
    expect(again.welcome.memory).not.toBe(older.welcome.memory);
  });

  test('a third one takes the place of the second, and the first serves on', async () => {
    const { server, client, older, newer } = await takingOver();
    const third = new Peer(server).hello(client, 3);
    await settle();
    expect(newer.closedWith?.code).toBe(4409);
    expect(older.closedWith).toBeUndefined();
    third.write(['ping', 1]);
    expect(older.closedWith?.code).toBe(4409);
    expect(server.stats()).toMatchObject({ peers: 1, clients: 1 });
  });

  test('a client that leaves for good on the newer one leaves the older one, too', async () => {
    const { server, older, newer } = await takingOver();
    newer.vanish(1000);
    expect(older.closedWith?.code).toBe(1000);
    expect(server.stats()).toMatchObject({ peers: 0, clients: 0 });
  });
});
