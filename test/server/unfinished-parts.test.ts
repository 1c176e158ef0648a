import { expect, test } from 'vitest';
import { FrameParts } from '../../src/protocol/parts.ts';
import { UnfinishedParts } from '../../src/server/peers/unfinished-parts.ts';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

const KiB = 1024;

async function join(server: ReturnType<typeof start>['server']) {
  const peer = new Peer(server).hello(clientName(), 1, { features: ['parts'] });
  await settle();
  return peer;
}

/** The texts of a call of so many characters, in parts. */
function callInParts(id: number, size: number): string[] {
  const frame = JSON.stringify([['call', id, 'orders.cancel', null, 'x'.repeat(size)]]);
  const parts = new FrameParts(id, frame, frame.length, 2 * KiB);
  const texts: string[] = [];
  while (parts.left > 0) texts.push(parts.next());
  return texts;
}

test('many sockets that never finish a message do not fill the memory: those that are silent for the longest go', async () => {
  const limits = { messageBytes: 64 * KiB, unfinishedBytes: 256 * KiB };
  const { server } = start({}, { limits });
  const parts = callInParts(1, 60 * KiB);
  const honest = await join(server);
  honest.writeText(parts[0]!);
  const hostile: Peer[] = [];
  for (let number = 0; number < 40; number++) {
    const peer = await join(server);
    for (const text of parts.slice(0, -1)) peer.writeText(text);
    hostile.push(peer);
    // Who sends on is not silent.
    honest.writeText(parts[number + 1]!);
  }
  for (const text of parts.slice(41)) honest.writeText(text);
  await settle();
  expect(honest.answers(1)).toEqual([['reply', 1]]);
  const closed = hostile.filter(({ closedWith }) => closedWith !== undefined);
  // Each holds 60 KiB: beside the honest one three have room.
  expect(closed).toEqual(hostile.slice(0, 37));
  expect(closed[0]!.closedWith).toEqual({ code: 1013, reason: 'the server holds too many unfinished messages' });
});

test('what is finished, given up, or of a socket that is gone, takes no room', async () => {
  const limits = { messageBytes: 64 * KiB, unfinishedBytes: 64 * KiB };
  const { server } = start({}, { limits });
  for (let times = 0; times < 20; times++) {
    const peer = await join(server);
    const texts = callInParts(1, 60 * KiB);
    for (const text of times % 3 === 0 ? texts : texts.slice(0, -1)) peer.writeText(text);
    if (times % 3 === 1) peer.writeText('+1,0,');
    if (times % 3 === 2) peer.vanish();
    await settle();
    expect(peer.closedWith).toBeUndefined();
  }
});

test('the one that is above the bound by itself is the one that goes', () => {
  const unfinished = new UnfinishedParts(10);
  const told: string[] = [];
  const holder = (name: string) => ({ giveUp: () => void told.push(name) });
  const [one, other] = [holder('one'), holder('other')];
  unfinished.hold(one, 4);
  unfinished.hold(other, 5);
  unfinished.hold(one, 5);
  expect(told).toEqual([]);
  unfinished.hold(one, 6);
  expect(told).toEqual(['other']);
  unfinished.hold(one, 11);
  expect(told).toEqual(['other', 'one']);
  unfinished.hold(other, 10);
  expect(told).toEqual(['other', 'one']);
});

test('a bound that no message of the largest size fits is refused', () => {
  const limits = { messageBytes: 64 * KiB, unfinishedBytes: 64 * KiB - 1 };
  expect(() => start({}, { limits })).toThrow(
    'limits.unfinishedBytes is 65535: give at least limits.messageBytes, 65536',
  );
  expect(() => start({}, { limits: { messageBytes: 2 ** 30 } })).not.toThrow();
});
