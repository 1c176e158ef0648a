import { expect, test } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

/** More than a socket may hold before events wait. */
const FULL = 100_000;

/** A peer that is subscribed to rooms/1, and has read what that gave. */
async function subscribed(options: Parameters<typeof start>[1] = {}) {
  const { server } = start({}, options);
  const client = clientName();
  const peer = new Peer(server).hello(client);
  peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  peer.received.length = 0;
  const room = server.topic('room', { roomId: '1' });
  const publish = async (...texts: string[]): Promise<void> => {
    for (const text of texts) await room.publish({ text });
    await settle();
  };
  return { server, client, peer, publish };
}

const names = (peer: Peer): string[] => peer.received.map(([name]) => name as string);
const texts = (peer: Peer): string[] => peer.all('event').map(([, , , { text }]) => text as string);

test('answers and pongs overtake events that wait for a full socket; events, and what is said of topics, keep their order', async () => {
  const { peer, publish } = await subscribed();
  peer.bufferedAmount = FULL;
  await publish('one', 'two');
  peer.write(['unsubscribe', 'rooms/1'], ['subscribe', 2, 'rooms/1'], ['subscribe', 3, 'nowhere']);
  await settle();
  await publish('three');
  peer.write(['call', 1, 'echo', null, 'x'], ['ping', 7]);
  await settle();
  expect(names(peer).toSorted()).toEqual(['pong', 'reply']);
  peer.drain();
  await settle();
  expect(names(peer).slice(2)).toEqual(['event', 'event', 'subscribed', 'unsubscribed', 'event']);
  expect(texts(peer)).toEqual(['one', 'two', 'three']);
  await publish('four');
  expect(texts(peer)).toEqual(['one', 'two', 'three', 'four']);
});

test('a socket is given no more than it has room for, the rest when that is gone', async () => {
  const { peer, publish, server } = await subscribed();
  peer.onSend = (frame) => (peer.bufferedAmount += frame.length);
  const kilobyte = 'x'.repeat(1000);
  for (let n = 0; n < 200; n++) await publish(`${n} ${kilobyte}`);
  expect(peer.bufferedAmount).toBeLessThan(32 * 1024 + 1100);
  expect(server.stats().buffered.max).toBeGreaterThan(200_000);
  for (let left = 0; left !== peer.received.length;) {
    left = peer.received.length;
    expect(peer.bufferedAmount).toBeLessThan(32 * 1024 + 64 * 1024);
    peer.drain();
    await settle();
  }
  expect(texts(peer).map((text) => Number.parseInt(text))).toEqual(Array.from({ length: 200 }, (_, n) => n));
});

test('a socket that is left for a newer one, or closed, writes out what it holds', async () => {
  const { server, client, peer, publish } = await subscribed();
  peer.bufferedAmount = FULL;
  await publish('one');
  const next = new Peer(server).hello(client, 2);
  await settle();
  next.write(['ping', 1]);
  await settle();
  expect([texts(peer), peer.closedWith]).toEqual([['one'], undefined]);
  peer.drain();
  expect(peer.closedWith?.code).toBe(4409);
  next.write(['subscribe', 1, 'rooms/1']);
  await settle();
  next.bufferedAmount = FULL;
  await publish('two');
  expect(texts(next)).toEqual([]);
  await server.close();
  expect([texts(next), next.closedWith?.code]).toEqual([['two'], 1012]);
});
