import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clientName, Peer } from './peer.ts';
import { start } from './fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server that takes in one client a second. */
const slow = () => start({}, { limits: { connectionsPerSecond: 1 } });

test('each client is told the time that all who are there need to come back, and a quarter more', async () => {
  const { server } = slow();
  const told: unknown[] = [];
  for (let n = 0; n < 3; n++) {
    const peer = new Peer(server).hello(clientName());
    await vi.advanceTimersByTimeAsync(0);
    told.push(peer.welcome.spreadMs);
  }
  expect(told).toEqual([1_250, 2_500, 3_750]);
});

test('by default 500 a second', async () => {
  const { server } = start();
  for (let n = 0; n < 99; n++) new Peer(server).hello(clientName());
  const last = new Peer(server).hello(clientName());
  await vi.advanceTimersByTimeAsync(0);
  expect(last.welcome.spreadMs).toBe(250);
});

test('one that hears and speaks all the time is told anew when the number is another', async () => {
  const { server } = slow();
  const peer = new Peer(server).hello(clientName());
  const chat = setInterval(() => peer.write(['ping', 1]), 5_000);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(peer.all('ping')).toEqual([]);
  for (let n = 0; n < 9; n++) new Peer(server).hello(clientName());
  await vi.advanceTimersByTimeAsync(25_000);
  expect(peer.all('ping')).toEqual([['ping', 1, 12_500]]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(peer.all('ping')).toHaveLength(1);
  clearInterval(chat);
});

test.each([0, -1, 1.5, '500'])('connectionsPerSecond: %s is refused', (connectionsPerSecond) => {
  expect(() => start({}, { limits: { connectionsPerSecond: connectionsPerSecond as number } })).toThrow(
    /^limits\.connectionsPerSecond/,
  );
});
