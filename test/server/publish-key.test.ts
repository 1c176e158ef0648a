import { expect, test } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

const events = (peer: Peer) => peer.all('event').map(([, , , { text }]) => text as string);

test('what the app publishes under one key takes effect once, in each topic', async () => {
  const { server } = start();
  const peer = new Peer(server).hello(clientName());
  peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'rooms/2']);
  const publish = (roomId: string, text: string) =>
    server.topic('room', { roomId }).publish({ text }, { key: 'order-7' });
  const first = await publish('1', 'paid');
  expect(await publish('1', 'paid, again')).toEqual(first);
  await publish('2', 'paid, elsewhere');
  await settle();
  expect(events(peer)).toEqual(['paid', 'paid, elsewhere']);
});

test.each([[''], ['x'.repeat(257)], [7], [null]])('a key %j is refused, and nothing published', async (key) => {
  const { server, errors } = start();
  const room = server.topic('room', { roomId: '1' });
  await expect(room.publish({ text: 'hi' }, { key: key as string })).rejects.toThrow(
    new TypeError('publish: key must be a text of 1 to 256 characters, or left off'),
  );
  expect((await room.publish({ text: 'hi' }, { key: undefined }))[1]).toBe(1);
  expect(errors).toHaveLength(1);
});
