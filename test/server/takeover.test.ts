import { afterEach, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a hello with a higher number takes the client over, and the older socket is closed with 4409', async () => {
  const { server } = start();
  const client = clientName();
  const first = new Peer(server).hello(client);
  const second = new Peer(server).hello(client, 2);
  await settle();
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
  new Peer(server).hello(client, 2);
  expect(first.closedWith).toBeUndefined();
  first.drain();
  expect(first.closedWith?.code).toBe(4409);
});

test('an older socket that never drains is closed after 5 s, and of three the first at once', async () => {
  vi.useFakeTimers();
  const { server } = start();
  const client = clientName();
  const [first, second] = [1, 2].map((n) => {
    const peer = new Peer(server).hello(client, n);
    peer.bufferedAmount = 10;
    return peer;
  });
  expect(first?.closedWith).toBeUndefined();
  const third = new Peer(server).hello(client, 3);
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
  first.vanish(1000);
  second.vanish(1006);
  const third = new Peer(server).hello(client, 3);
  await settle();
  expect(third.welcome.memory).toBe(second.welcome.memory);
});
