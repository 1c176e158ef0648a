import { describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';
import { saying } from '../helpers/saying.ts';

async function welcomed(own: Parameters<typeof start>[0] = {}, options: Parameters<typeof start>[1] = {}) {
  const { server } = start(own, options);
  const peer = new Peer(server).hello(clientName());
  await settle();
  return { server, peer };
}

/** A value that nests so many levels, in a call: the frame, the message and the value. */
const nested = (levels: number) => `[["call",1,"echo",null,${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}]]`;

describe('what one frame may be', () => {
  test('72 levels deep, of which a value may have 64; deeper it closes the socket with 4400, before anything of it is read', async () => {
    const { peer } = await welcomed();
    peer.writeText(nested(72));
    await settle();
    expect(peer.answers(1)[0]?.[2].code).toBe('BAD_PAYLOAD');
    peer.writeText(`[["ping",7],${nested(73).slice(1)}`);
    await settle();
    expect(peer.all('pong')).toEqual([]);
    expect(peer.closedWith).toEqual({ code: 4400, reason: saying('the frame nests deeper than 72 levels') });
  });

  test('as long as the limit; longer it closes the socket with 1009, whatever its adapter lets through', async () => {
    const { peer } = await welcomed({}, { limits: { frameBytes: 16 * 1024 } });
    const frame = (length: number) => `[["ping",7]${' '.repeat(length - 12)}]`;
    peer.writeText(frame(16 * 1024));
    await settle();
    expect(peer.all('pong')).toEqual([['pong', 7]]);
    peer.writeText(frame(16 * 1024 + 1));
    expect(peer.closedWith).toEqual({ code: 1009, reason: 'a frame of more than 16384 bytes' });
  });
});

describe('what a name may be', () => {
  test('1024 characters for a topic; longer it is BAD_REQUEST, for that one alone', async () => {
    const authorize = vi.fn(() => true);
    const { peer } = await welcomed({ room: { authorize, publish: () => undefined } });
    const name = (length: number) => `rooms/${'x'.repeat(length - 6)}`;
    peer.write(['subscribe', 1, name(1024)], ['subscribe', 2, name(1025)], ['publish', 3, name(1025), { text: 'x' }]);
    await settle();
    expect(peer.all('subscribed').map(([, n]) => n)).toEqual([1]);
    expect(peer.all('unsubscribed').map(([, n, , { code }]) => [n, code])).toEqual([[2, 'BAD_REQUEST']]);
    expect(peer.answers(3)[0]?.[2].code).toBe('BAD_REQUEST');
    expect(authorize).toHaveBeenCalledTimes(1);
    peer.write(['unsubscribe', name(1025)]);
    expect(peer.closedWith?.code).toBe(4400);
  });

  test('512 characters for a path, 64 for an epoch', async () => {
    const { peer } = await welcomed();
    peer.write(['call', 1, 'x'.repeat(512)], ['call', 2, 'x'.repeat(513)]);
    peer.write(['subscribe', 3, 'rooms/1', ['e'.repeat(64), 1]], ['subscribe', 4, 'rooms/2', ['e'.repeat(65), 1]]);
    await settle();
    expect([1, 2].map((id) => peer.answers(id)[0]?.[2].code)).toEqual(['NOT_FOUND', 'BAD_REQUEST']);
    expect(peer.all('subscribed').map(([, n, , , word]) => [n, word])).toEqual([[3, 'gap']]);
    expect(peer.all('unsubscribed').map(([, n]) => n)).toEqual([4]);
  });

  test.each([
    ['a client of 21 characters', { client: 'x'.repeat(21) }],
    ['a client of 65 characters', { client: 'x'.repeat(65) }],
    ['a client of other characters', { client: `${'x'.repeat(22)}!` }],
    ['no number', { n: 0 }],
    ['no floor', { floor: [] }],
    ['a token that is no text', { token: { admin: true } }],
  ])('in hello, not %s: 4400', async (_, wrong) => {
    const authenticate = vi.fn(() => ({ identity: 'ann', context: { user: 'ann' } }));
    const peer = new Peer(start({}, { authenticate }).server);
    peer.write(['hello', { client: clientName(), n: 1, floor: [1], ...wrong }]);
    await settle();
    expect(peer.closedWith?.code).toBe(4400);
    expect(authenticate).not.toHaveBeenCalled();
  });
});

test('a subscription that is resumed is authorised again: who was shut out meanwhile gets nothing of what it missed', async () => {
  const members = new Set(['ann']);
  const { server } = start({ room: { authorize: ({ context }) => members.has(context.user) } });
  const client = clientName();
  const first = new Peer(server).hello(client, 1, { token: 'ann' }).write(['subscribe', 1, 'rooms/1']);
  await settle();
  const [, , , position] = first.all('subscribed')[0]!;
  first.vanish();
  await server.topic('room', { roomId: '1' }).publish({ text: 'secret' });
  members.delete('ann');
  const next = new Peer(server).hello(client, 2, { token: 'ann' }).write(['subscribe', 2, 'rooms/1', position]);
  await settle();
  expect(next.all('unsubscribed').map(([, n, , { code }]) => [n, code])).toEqual([[2, 'FORBIDDEN']]);
  expect(next.frames.join()).not.toContain('secret');
});

test('of clients without a socket limits.clients are remembered, whoever they are: the longest gone is forgotten first', async () => {
  const { server } = start({}, { authenticate: undefined as never, limits: { clients: 2 } });
  const names = [clientName(), clientName(), clientName()];
  const memories: string[] = [];
  for (const name of names) {
    const peer = new Peer(server).hello(name);
    await settle();
    memories.push(peer.welcome.memory);
    peer.vanish();
  }
  expect(server.stats().clients).toBe(2);
  const again = names.map((name) => new Peer(server).hello(name, 2));
  await settle();
  expect(again.map(({ welcome }, index) => welcome.memory === memories[index])).toEqual([false, true, true]);
});
