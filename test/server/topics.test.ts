import { describe, expect, test, vi } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const say = (server: Fixture['server'], text: string) => server.topic('room', { roomId: '1' }).publish({ text });

/** Everything of topics that a peer got, in short. */
function topicMessages(peer: Peer): unknown[] {
  return peer.received
    .filter(([name]) => ['subscribed', 'snapshot', 'event', 'unsubscribed'].includes(name))
    .map(([name, ...slots]) => {
      if (name === 'subscribed') return [slots[3], slots[0], slots[2][1]];
      if (name === 'snapshot') return [name, slots[1][1], slots[2]];
      return name === 'event' ? [slots[1], slots[2].text ?? slots[2]] : [name, slots[0], slots[2].code];
    });
}

describe('following a topic', () => {
  test('a subscription without a position is live from now, and every subscriber gets the same bytes', async () => {
    const { server } = start();
    await say(server, 'before');
    const peers = [1, 2].map(() => new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']));
    await settle();
    const position = await say(server, 'hi');
    await settle();
    for (const peer of peers)
      expect(topicMessages(peer)).toEqual([
        ['live', 1, 1],
        [2, 'hi'],
      ]);
    expect(position).toEqual([peers[0]?.all('subscribed')[0]?.[3][0], 2]);
    expect(peers[0]?.frames.at(-1)).toBe(peers[1]?.frames.at(-1));
  });

  test('a subscription from a position is resumed with everything after it', async () => {
    const { server } = start();
    const [epoch] = await say(server, 'a');
    for (const text of ['b', 'c']) await say(server, text);
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1', [epoch, 1]]);
    await settle();
    await say(server, 'd');
    await settle();
    expect(topicMessages(peer)).toEqual([
      ['resumed', 1, 1],
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
    ]);
  });

  test('a long way back is caught up with, without a hole while more is published', async () => {
    const { server } = start();
    const [epoch] = await say(server, '1');
    for (let count = 2; count <= 900; count++) void say(server, String(count));
    await settle();
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1', [epoch, 0]]);
    void say(server, '901');
    await settle();
    expect(peer.all('event').map(([, , offset]) => offset)).toEqual(
      Array.from({ length: 901 }, (_, index) => index + 1),
    );
  });

  test('a position that history does not cover, or of another epoch, is a gap to where history begins; one beyond the head, to the head', async () => {
    const { server } = start();
    const [epoch] = await say(server, '0');
    for (let count = 1; count < 1002; count++) void say(server, 'x');
    await settle();
    const peer = new Peer(server).hello(clientName());
    const asked = [
      [epoch, 1],
      ['other', 1000],
      [epoch, 2000],
      [epoch, 2],
    ];
    asked.forEach((position, index) => peer.write(['subscribe', index + 1, 'rooms/1', position]));
    await settle();
    const all = Array.from({ length: 1000 }, (_, index) => [index + 3, 'x']);
    expect(topicMessages(peer)).toEqual([
      ['gap', 1, 2],
      ...all,
      ['gap', 2, 2],
      ...all,
      ['gap', 3, 1002],
      ['resumed', 4, 2],
      ...all,
    ]);
  });

  test('a second subscribe replaces the first, and after unsubscribe nothing comes', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'rooms/1']);
    await say(server, 'a');
    await settle();
    peer.write(['unsubscribe', 'rooms/1'], ['unsubscribe', 'rooms/never']);
    await say(server, 'b');
    await settle();
    expect(topicMessages(peer)).toEqual([
      ['live', 1, 0],
      ['live', 2, 0],
      [1, 'a'],
    ]);
    expect(server.stats().subscriptions).toBe(0);
  });

  test('a socket that is gone leaves its topics', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    peer.vanish();
    await say(server, 'a');
    await settle();
    expect(peer.received).toEqual([]);
  });

  test('NOT_FOUND for a name of no topic, RATE_LIMITED above the limit', async () => {
    const { server } = start({}, { limits: { subscriptions: 2 } });
    const peer = new Peer(server).hello(clientName());
    ['nowhere/1', 'rooms/%34%32', 'rooms/', 'rooms/1', 'rooms/2', 'rooms/3'].forEach((topic, index) =>
      peer.write(['subscribe', index + 1, topic]),
    );
    await settle();
    expect(peer.all('unsubscribed').map(([, n, , error]) => [n, error.code])).toEqual([
      [1, 'NOT_FOUND'],
      [2, 'NOT_FOUND'],
      [3, 'NOT_FOUND'],
      [6, 'RATE_LIMITED'],
    ]);
    peer.write(['subscribe', 7, 'rooms/2']);
    await settle();
    expect(peer.all('subscribed')).toHaveLength(3);
  });
});

describe('authorisation', () => {
  test.each([
    ['says no', () => false, 'FORBIDDEN'],
    ['forgets to answer', () => undefined as never, 'FORBIDDEN'],
    ['answers no later', () => Promise.resolve(false), 'FORBIDDEN'],
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      'INTERNAL',
    ],
    ['rejects', () => Promise.reject(new Error('secret')), 'INTERNAL'],
  ])('a subscription is refused when authorize %s', async (_, authorize, code) => {
    const { server } = start({ room: { authorize } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await settle();
    await say(server, 'a');
    await settle();
    expect(topicMessages(peer)).toEqual([['unsubscribed', 1, code]]);
    expect(JSON.stringify(peer.received)).not.toContain('secret');
  });

  test('authorize is told who wants what of which topic', async () => {
    const authorize = vi.fn(() => true);
    const { server } = start({ room: { authorize, publish: () => undefined } });
    new Peer(server)
      .hello(clientName(), 1, { token: 'eve' })
      .write(['subscribe', 1, 'rooms/a%20b'], ['publish', 1, 'rooms/a%20b', { text: 'x' }]);
    await settle();
    const who = { params: { roomId: 'a b' }, context: { user: 'eve' } };
    expect(authorize.mock.calls).toEqual([[{ ...who, action: 'subscribe' }], [{ ...who, action: 'publish' }]]);
  });

  test('one that was ended while authorize was asked never begins', async () => {
    const gate = new Gate<boolean>();
    const { server } = start({ room: { authorize: () => gate.opened } });
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1'], ['unsubscribe', 'rooms/1']);
    gate.open(true);
    await say(server, 'a');
    await settle();
    expect(topicMessages(peer)).toEqual([]);
  });

  test('new credentials: the reply, then every subscription is authorised again, with the new context', async () => {
    const { server } = start(
      { room: { authorize: ({ context, params }) => context.user !== 'ann-demoted' || params.roomId === '2' } },
      { authenticate: ({ token = 'ann' }) => ({ identity: 'ann', context: { user: token } }) },
    );
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'rooms/2'], ['auth', 9, 'ann-demoted']);
    await settle();
    expect(peer.received.map(([name, n]) => [name, n]).slice(1)).toEqual([
      ['subscribed', 1],
      ['subscribed', 2],
      ['reply', 9],
      ['unsubscribed', 1],
    ]);
  });

  test('new credentials wait for the ones before them, a few at most, and speak to no socket that is gone', async () => {
    const gates: Gate<{ identity: string; context: { user: string } }>[] = [];
    const authenticate = ({ token }: { token?: string | undefined }) => {
      if (token === undefined) return { identity: 'ann', context: { user: 'ann' } };
      gates.push(new Gate());
      return gates.at(-1)!.opened;
    };
    const authorize = vi.fn(() => true);
    const { server } = start({ room: { authorize } }, { authenticate });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    for (const id of [1, 2, 3, 4, 5]) peer.write(['auth', id, `token ${id}`]);
    await settle();
    expect(peer.answers(5)[0]?.[2].code).toBe('RATE_LIMITED');
    expect(gates).toHaveLength(1);
    peer.vanish();
    gates[0]?.open({ identity: 'ann', context: { user: 'ann' } });
    await settle();
    expect(gates).toHaveLength(1);
    expect(authorize).toHaveBeenCalledTimes(1);
  });

  test('new credentials that are refused leave the old; those of somebody else end the socket with 4410', async () => {
    const authenticate = ({ token = 'ann' }) => {
      if (token === 'expired') refuse('secret');
      return { identity: token, context: { user: token } };
    };
    const { server } = start({}, { authenticate });
    const peer = new Peer(server).hello(clientName()).write(['auth', 1, 'expired'], ['call', 2, 'echo', null, 'x']);
    await settle();
    expect(peer.answers(1)[0]?.[2]).toEqual({ code: 'UNAUTHENTICATED', message: 'the credentials were refused' });
    expect(peer.answers(2)).toEqual([['reply', 2, 'x']]);
    peer.write(['auth', 3, 'bob']);
    expect(peer.closedWith?.code).toBe(4410);
  });
});

describe('publishing', () => {
  test('a client is refused where the topic has no publish handler, or its schema or authorize says no', async () => {
    const { server } = start({
      room: { authorize: ({ params }) => params.roomId !== '0', publish: () => undefined },
    });
    const peer = new Peer(server)
      .hello(clientName())
      .write(
        ['publish', 1, 'boards/1', 5],
        ['publish', 2, 'rooms/0', { text: 'x' }],
        ['publish', 3, 'rooms/1', { text: 5 }],
        ['publish', 4, 'nowhere', 5],
      );
    await settle();
    expect([1, 2, 3, 4].map((id) => peer.answers(id)[0]?.[2].code)).toEqual([
      'FORBIDDEN',
      'FORBIDDEN',
      'BAD_INPUT',
      'NOT_FOUND',
    ]);
  });

  test('what the schema makes of the event is published, after the publish handler saw it', async () => {
    const publish = vi.fn();
    const { server } = start({ room: { authorize: () => true, publish } });
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1'], ['publish', 1, 'rooms/1', { text: 'x', secret: 1 }]);
    await settle();
    expect(topicMessages(peer)).toEqual([
      ['live', 1, 0],
      [1, 'x'],
    ]);
    expect(publish).toHaveBeenCalledWith({ params: { roomId: '1' }, event: { text: 'x' }, context: { user: 'ann' } });
  });

  test('one whose publish handler throws does not take effect', async () => {
    const publish = () => Promise.reject(new Error('secret'));
    const { server, errors } = start({ room: { authorize: () => true, publish } });
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1'], ['publish', 1, 'rooms/1', { text: 'x' }]);
    await settle();
    expect(topicMessages(peer)).toEqual([['live', 1, 0]]);
    expect(peer.answers(1)).toEqual([['error', 1, { code: 'INTERNAL', message: 'the server failed' }]]);
    expect(errors[0]?.info).toEqual({ during: 'publish', path: 'room' });
  });

  test('publishes of one client to one topic take effect in the order in which they came', async () => {
    const first = new Gate<boolean>();
    const answers = [first.opened, true];
    const { server } = start({
      room: { authorize: ({ action }) => action === 'subscribe' || answers.shift()!, publish: () => undefined },
    });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    peer.write(['publish', 1, 'rooms/1', { text: 'first' }], ['publish', 2, 'rooms/1', { text: 'second' }]);
    await settle();
    expect(topicMessages(peer)).toEqual([['live', 1, 0]]);
    first.open(true);
    await settle();
    expect(topicMessages(peer)).toEqual([
      ['live', 1, 0],
      [1, 'first'],
      [2, 'second'],
    ]);
  });

  test('one that is cancelled while it waits never takes effect, and holds up no other', async () => {
    const answers: unknown[] = [new Gate().opened, true];
    const authorize = ({ action }: { action: string }) => (action === 'subscribe' ? true : answers.shift()) as boolean;
    const { server } = start({ room: { authorize, publish: () => undefined } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    peer.write(
      ['publish', 1, 'rooms/1', { text: 'stuck' }],
      ['publish', 2, 'rooms/1', { text: 'next' }],
      ['cancel', 1],
    );
    await settle();
    expect(topicMessages(peer)).toEqual([
      ['live', 1, 0],
      [1, 'next'],
    ]);
  });

  test('one that is cancelled while its publish handler runs takes effect all the same, before the next', async () => {
    const gate = new Gate();
    const committed: string[] = [];
    const publish = async ({ event: { text } }: { event: { text: string } }) => {
      if (text === 'slow') await gate.opened;
      committed.push(text);
    };
    const { server } = start({ room: { authorize: () => true, publish } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    peer.write(['publish', 1, 'rooms/1', { text: 'slow' }], ['publish', 2, 'rooms/1', { text: 'next' }]);
    await settle();
    peer.write(['cancel', 1]);
    await settle();
    expect(peer.answers(1).map(([, , error]) => error.code)).toEqual(['ABORTED']);
    gate.open();
    await settle();
    expect(committed).toEqual(['slow', 'next']);
    expect(topicMessages(peer)).toEqual([
      ['live', 1, 0],
      [1, 'slow'],
      [2, 'next'],
    ]);
    expect(peer.answers(1)).toHaveLength(1);
  });

  test('of those without an answer 2 × limits.calls wait for one that hangs, the others are dropped', async () => {
    const gate = new Gate<boolean>();
    const authorize = vi.fn(({ action }: { action: string }) => (action === 'subscribe' ? true : gate.opened));
    const { server } = start({ room: { authorize, publish: () => undefined } }, { limits: { calls: 256 } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    for (let count = 0; count < 600; count++) peer.write(['publish', 0, 'rooms/1', { text: 'x' }]);
    peer.write(['publish', 1, 'rooms/1', { text: 'x' }]);
    await settle();
    expect(peer.answers(1)[0]?.[2].code).toBe('RATE_LIMITED');
    gate.open(true);
    await settle();
    expect(peer.all('event')).toHaveLength(512);
  });

  test('with id 0 it takes effect and is answered in no case', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    peer.write(['publish', 0, 'rooms/1', { text: 'x' }], ['publish', 0, 'rooms/1', 5], ['publish', 0, 'nowhere', 5]);
    await settle();
    expect(peer.received.slice(1).map(([name]) => name)).toEqual(['subscribed', 'event']);
  });

  test('the app gets a rejection for an event that its schema refuses, and one that it drops is only reported', async () => {
    const { server, errors } = start();
    const topic = server.topic('room', { roomId: '1' });
    await expect(topic.publish({ text: 5 } as never)).rejects.toMatchObject({ code: 'BAD_INPUT', path: 'room' });
    void topic.publish(null as never);
    await settle();
    expect(errors.map(({ info }) => info)).toEqual([
      { during: 'publish', path: 'room' },
      { during: 'publish', path: 'room' },
    ]);
    expect(() => server.topic('room', {} as never)).toThrow(TypeError);
    expect(() => server.topic('constructor' as never, {})).toThrow('the contract has no topic constructor');
  });
});
