import { describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

/** A server with so many subscribers of one topic. */
async function crowd(subscribers: number) {
  const { server } = start();
  const peers = Array.from({ length: subscribers }, () => new Peer(server).hello(clientName()));
  for (const peer of peers) peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  for (const peer of peers) peer.frames.length = 0;
  return { server, peers, room: server.topic('room', { roomId: '1' }) };
}

describe('a topic with 1000 subscribers', () => {
  test('hands all of them the same frame, of a publication that is serialised once', async () => {
    const written = async (subscribers: number) => {
      const { peers, room } = await crowd(subscribers);
      await room.publish({ text: 'the first may be looked at more closely' });
      await settle();
      for (const peer of peers) peer.frames.length = 0;
      const stringify = vi.spyOn(JSON, 'stringify');
      await room.publish({ text: 'x'.repeat(1000) });
      await settle();
      const calls = stringify.mock.calls.length;
      stringify.mockRestore();
      return { calls, frames: peers.map(({ frames }) => frames) };
    };
    const [one, all] = [await written(1), await written(1000)];
    expect(all.frames).toHaveLength(1000);
    expect(new Set(all.frames.map((frames) => frames.join('\n')))).toEqual(
      new Set(['[["event","rooms/1",2,{"text":"' + 'x'.repeat(1000) + '"}]]']),
    );
    expect(all.calls).toBe(one.calls);
  });

  test('loses them all at once without a trace', async () => {
    const { server, peers, room } = await crowd(1000);
    expect(server.stats()).toMatchObject({ peers: 1000, subscriptions: 1000 });
    for (const peer of peers) peer.vanish(1000);
    expect(server.stats()).toMatchObject({ peers: 0, clients: 0, subscriptions: 0 });
    await room.publish({ text: 'x' });
    await settle();
    expect(peers.flatMap(({ frames }) => frames)).toEqual([]);
  });
});
