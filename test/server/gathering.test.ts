import { describe, expect, test } from 'vitest';
import type { ServerSocket } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

/** A socket whose adapter knows the end of a turn, which the test brings about. */
class TurningPeer extends Peer implements ServerSocket {
  readonly tasks: Array<() => void> = [];
  readonly corks: string[] = [];

  later(task: () => void): void {
    this.tasks.push(task);
  }

  cork(): void {
    this.corks.push('cork');
  }

  uncork(): void {
    this.corks.push('uncork');
  }

  endTurn(): void {
    for (const task of this.tasks.splice(0)) task();
  }
}

/** A peer that is subscribed to rooms/1 and has read what that gave. */
async function subscribed(server: ConstructorParameters<typeof Peer>[0]): Promise<TurningPeer> {
  const peer = new TurningPeer(server).hello(clientName());
  peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  peer.endTurn();
  peer.frames.length = 0;
  return peer;
}

const names = (frame: string): string[] => (JSON.parse(frame) as [string][]).map(([name]) => name);

describe('what is written where the end of a turn is known', () => {
  test('events of one turn go in one frame at its end, and one callback serves all sockets', async () => {
    const { server } = start();
    const [first, second] = [await subscribed(server), await subscribed(server)];
    const room = server.topic('room', { roomId: '1' });
    for (let n = 0; n < 3; n++) await room.publish({ text: 'x' });
    await settle();
    expect([first.frames, second.frames]).toEqual([[], []]);
    expect(first.tasks.length + second.tasks.length).toBe(1);
    first.endTurn();
    expect(first.frames.map(names)).toEqual([['event', 'event', 'event']]);
    expect(second.frames).toEqual(first.frames);
  });

  test('a welcome, and an answer with which no other is awaited, do not wait for it', async () => {
    const { server } = start();
    const peer = new TurningPeer(server).hello(clientName());
    await settle();
    peer.write(['call', 1, 'echo', null, 'x']);
    await settle();
    expect(peer.frames.map(names)).toEqual([['welcome'], ['reply']]);
  });

  test('answers wait for others that are awaited; the last one takes all along', async () => {
    const gates = [new Gate(), new Gate(), new Gate()];
    let at = 0;
    const { server } = start({ echo: async ({ input }) => (await gates[at++]!.opened, input) });
    const peer = new TurningPeer(server).hello(clientName());
    await settle();
    peer.write(...[1, 2, 3].map((id) => ['call', id, 'echo', null, 'x']));
    gates[0]!.open();
    await settle();
    expect(peer.answers(1)).toEqual([]);
    peer.endTurn();
    expect(peer.answers(1)).toHaveLength(1);
    gates[1]!.open();
    await settle();
    gates[2]!.open();
    await settle();
    expect(peer.frames.map(names)).toEqual([['welcome'], ['reply'], ['reply', 'reply']]);
  });

  test('what fills a frame does not wait, and several frames go between a cork and its end', async () => {
    const { server } = start();
    const peer = await subscribed(server);
    const room = server.topic('room', { roomId: '1' });
    await room.publish({ text: 'x' });
    expect(peer.frames).toEqual([]);
    for (let n = 0; n < 7; n++) await room.publish({ text: 'x'.repeat(12_000) });
    await settle();
    expect(peer.all('event').length).toBeGreaterThan(3);
    peer.endTurn();
    expect(peer.all('event').map(([, , offset]) => offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(peer.corks).toEqual(['cork', 'uncork']);
  });

  test('a large one goes alone, in its place', async () => {
    const { server } = start();
    const peer = await subscribed(server);
    const room = server.topic('room', { roomId: '1' });
    for (const length of [1, 20_000, 1, 1]) await room.publish({ text: 'x'.repeat(length) });
    await settle();
    peer.endTurn();
    expect(peer.frames.map(names)).toEqual([['event'], ['event'], ['ping', 'event', 'event']]);
    expect(peer.all('event').map(([, , offset]) => offset)).toEqual([1, 2, 3, 4]);
  });

  test('gathers well below what makes a peer congested, and what was left out follows when that is written', async () => {
    const { server } = start({}, { limits: { bufferedBytes: 1000 } });
    const peer = await subscribed(server);
    const room = server.topic('room', { roomId: '1' });
    for (let n = 0; n < 40; n++) void room.publish({ text: 'x'.repeat(100) });
    await settle();
    peer.endTurn();
    await settle();
    peer.endTurn();
    expect(peer.all('event').map(([, , offset]) => offset)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    for (const frame of peer.frames) expect(frame.length).toBeLessThan(1000 + 200);
  });
});
