import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { events, join, room, settle } from './joining.ts';
import { Gate } from './peer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('disconnect', () => {
  test('closes all sockets of one identity, with a code after which clients stay away, and nobody else’s', async () => {
    const { server } = start();
    const [first, second, other] = [await join(server, 'ann'), await join(server, 'ann'), await join(server, 'bob')];
    server.disconnect('ann');
    expect([first, second, other].map(({ closedWith }) => closedWith)).toEqual([
      { code: 4403, reason: 'disconnected by the server' },
      { code: 4403, reason: 'disconnected by the server' },
      undefined,
    ]);
    expect(server.stats()).toMatchObject({ peers: 1, clients: 1 });
    server.disconnect('bob', { code: 4401, reason: 'the token was revoked' });
    expect(other.closedWith).toEqual({ code: 4401, reason: 'the token was revoked' });
  });

  test.each([1000, 1012, 4000, 4429, 5000, Number.NaN])(
    'with %s, after which a client comes back, is refused',
    (code) => {
      const { server } = start();
      expect(() => server.disconnect('ann', { code })).toThrow(RangeError);
    },
  );

  test.each([undefined, 5, null])('of %s is refused: that is no identity', (identity) => {
    const { server } = start();
    expect(() => server.disconnect(identity as never)).toThrow('give the identity that authenticate gave');
    expect(() => server.topic('room', room).revoke(identity as never)).toThrow(TypeError);
    if (identity !== undefined) expect(() => server.reauthorize(identity as never)).toThrow(TypeError);
  });

  test('aborts what runs, runs nothing that waits, and answers nothing', async () => {
    const placed: string[] = [];
    const gate = new Gate<{ number: number }>();
    const signals: AbortSignal[] = [];
    const { server } = start({
      orders: {
        place: ({ input, signal }) => (placed.push(input.item), signals.push(signal), gate.opened),
        cancel: () => undefined,
      },
      echo: ({ signal }) => (signals.push(signal), new Gate<string>().opened),
    });
    const peer = await join(server, 'ann');
    peer.write(['call', 1, 'orders.place', null, { item: 'runs' }], ['call', 2, 'echo', null, 'x']);
    await settle();
    peer.received.length = 0;
    server.disconnect('ann');
    peer.write(['call', 3, 'orders.place', null, { item: 'after' }]);
    gate.open({ number: 1 });
    await settle();
    expect(placed).toEqual(['runs']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(peer.received).toEqual([]);
    expect(server.stats()).toMatchObject({ peers: 0, clients: 0, calls: 0, subscriptions: 0 });
  });

  test('runs no mutation and takes no publish that waits for its turn', async () => {
    const done: string[] = [];
    const gate = new Gate<boolean>();
    const { server } = start({
      room: {
        authorize: ({ action }) => (action === 'publish' ? gate.opened : true),
        publish: ({ event }) => void done.push(event.text),
      },
    });
    const listener = await join(server, 'bob');
    listener.write(['subscribe', 1, 'rooms/1']);
    const peer = await join(server, 'ann');
    peer.write(['publish', 1, 'rooms/1', { text: 'a' }], ['publish', 0, 'rooms/1', { text: 'b' }]);
    await settle();
    server.disconnect('ann');
    gate.open(true);
    await settle();
    expect([done, events(listener)]).toEqual([[], []]);
  });

  test('delivers nothing that waits for a slow socket', async () => {
    const { server } = start();
    const peer = await join(server, 'ann');
    peer.write(['subscribe', 1, 'rooms/1']);
    await settle();
    peer.bufferedAmount = 100_000;
    for (let n = 0; n < 3; n++) await server.topic('room', room).publish({ text: `secret ${n}` });
    await settle();
    server.disconnect('ann');
    peer.drain();
    await settle();
    expect(events(peer)).toEqual([]);
  });

  test('reaches a client between two sockets: its calls end, and it finds another memory', async () => {
    const aborted = vi.fn();
    const { server } = start({
      echo: ({ signal }) => (signal.addEventListener('abort', aborted), new Gate<string>().opened),
    });
    const peer = await join(server, 'ann');
    const memory = peer.all('welcome')[0]![1].memory;
    peer.write(['call', 1, 'echo', null, 'x']);
    await settle();
    peer.vanish();
    server.disconnect('ann');
    expect(aborted).toHaveBeenCalled();
    expect(server.stats()).toMatchObject({ clients: 0, calls: 0 });
    const next = await join(server, 'ann', peer.name, 2);
    expect(next.all('welcome')[0]![1].memory).not.toBe(memory);
  });

  test('reaches both sockets of a client that moves', async () => {
    const { server } = start();
    const peer = await join(server, 'ann');
    const next = await join(server, 'ann', peer.name, 2);
    server.disconnect('ann');
    expect([peer.closedWith?.code, next.closedWith?.code]).toEqual([4403, 4403]);
  });

  test('lets nobody in whose credentials were being verified, and lets in who comes later', async () => {
    const gate = new Gate();
    const { server } = start(
      {},
      {
        authenticate: async ({ token = '' }) => (await gate.opened, { identity: token, context: { user: token } }),
      },
    );
    const [ann, bob] = [await join(server, 'ann'), await join(server, 'bob')];
    server.disconnect('ann', { reason: 'banned' });
    gate.open();
    await settle();
    expect([ann.closedWith, bob.closedWith]).toEqual([{ code: 4403, reason: 'banned' }, undefined]);
    expect(ann.received).toEqual([]);
    const later = await join(server, 'ann');
    expect(later.all('welcome')).toHaveLength(1);
  });
});

describe('revoke', () => {
  test('ends the subscriptions of one identity to one topic: nothing that is published then is delivered', async () => {
    const { server } = start();
    const [ann, bob] = [await join(server, 'ann'), await join(server, 'bob')];
    for (const peer of [ann, bob]) peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'rooms/2']);
    await settle();
    const topic = server.topic('room', room);
    await topic.publish({ text: 'before' });
    topic.revoke('ann');
    await topic.publish({ text: 'after' });
    await server.topic('room', { roomId: '2' }).publish({ text: 'elsewhere' });
    await settle();
    expect([events(ann), events(bob)]).toEqual([
      ['before', 'elsewhere'],
      ['before', 'after', 'elsewhere'],
    ]);
    expect(ann.all('unsubscribed')).toEqual([
      ['unsubscribed', 1, 'rooms/1', { code: 'FORBIDDEN', message: 'the server has ended this subscription' }],
    ]);
  });

  test('has authorize asked when its client subscribes again, or resumes', async () => {
    let members = ['ann'];
    const authorize = ({ context }: { context: { user: string } }) => members.includes(context.user);
    const { server } = start({ room: { authorize, publish: () => undefined } });
    const peer = await join(server, 'ann');
    peer.write(['subscribe', 1, 'rooms/1']);
    await settle();
    members = [];
    server.topic('room', room).revoke('ann');
    peer.write(['subscribe', 2, 'rooms/1', ['E', 0]]);
    await settle();
    expect(peer.all('unsubscribed').map(([, n, , { code }]) => [n, code])).toEqual([
      [1, 'FORBIDDEN'],
      [2, 'FORBIDDEN'],
    ]);
  });

  test('ends one that is being authorized, and one whose state is being read', async () => {
    const gate = new Gate<boolean>();
    const state = new Gate<{ sum: number }>();
    const { server } = start({
      room: { authorize: () => gate.opened, publish: () => undefined },
      board: { authorize: () => true, snapshot: () => state.opened },
    });
    const peer = await join(server, 'ann');
    peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'boards/1']);
    await settle();
    server.topic('room', room).revoke('ann');
    server.topic('board', { id: '1' }).revoke('ann');
    gate.open(true);
    state.open({ sum: 1 });
    await settle();
    expect(peer.received.slice(1).map(([name]) => name)).toEqual(['unsubscribed', 'unsubscribed']);
  });

  test('delivers nothing that waits for a slow socket: that goes, and its client comes back', async () => {
    const { server } = start();
    const peer = await join(server, 'ann');
    peer.write(['subscribe', 1, 'rooms/1']);
    await settle();
    peer.bufferedAmount = 100_000;
    await server.topic('room', room).publish({ text: 'secret' });
    await settle();
    server.topic('room', room).revoke('ann');
    peer.drain();
    await settle();
    expect(events(peer)).toEqual([]);
    expect(peer.closedWith?.code).toBe(4000);
  });
});

describe('reauthorize', () => {
  function members(...names: string[]) {
    const gates: Gate<boolean>[] = [];
    let isSlow = false;
    const world = {
      names,
      gates,
      slow: () => (isSlow = true),
      authorize: ({ context, action }: { context: { user: string }; action: string }) => {
        if (action === 'publish' || !isSlow) return world.names.includes(context.user);
        const gate = new Gate<boolean>();
        gates.push(gate);
        return gate.opened;
      },
    };
    return world;
  }

  test('ends what authorize now refuses, of everybody or of one identity', async () => {
    const world = members('ann', 'bob', 'cleo');
    const { server } = start({ room: { authorize: world.authorize, publish: () => undefined } });
    const peers = [await join(server, 'ann'), await join(server, 'bob'), await join(server, 'cleo')];
    for (const peer of peers) peer.write(['subscribe', 1, 'rooms/1']);
    await settle();
    world.names = ['cleo'];
    server.reauthorize('ann');
    await server.topic('room', room).publish({ text: '1' });
    server.reauthorize();
    await server.topic('room', room).publish({ text: '2' });
    await settle();
    expect(peers.map(events)).toEqual([[], ['1'], ['1', '2']]);
    expect(peers.map((peer) => peer.all('unsubscribed').length)).toEqual([1, 1, 0]);
  });

  test('lets nothing through until authorize has answered; who stays misses nothing', async () => {
    const world = members('ann', 'bob');
    const { server } = start({ room: { authorize: world.authorize, publish: () => undefined } });
    const [ann, bob] = [await join(server, 'ann'), await join(server, 'bob')];
    for (const peer of [ann, bob]) peer.write(['subscribe', 1, 'rooms/1']);
    await settle();
    world.slow();
    server.reauthorize();
    server.reauthorize('bob');
    for (const text of ['1', '2']) await server.topic('room', room).publish({ text });
    await settle();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([events(ann), events(bob)]).toEqual([[], []]);
    world.gates[0]!.open(false);
    world.gates[1]!.open(true);
    await settle();
    expect(events(bob)).toEqual([]);
    world.gates[2]!.open(true);
    await settle();
    await server.topic('room', room).publish({ text: '3' });
    await settle();
    expect([events(ann), events(bob)]).toEqual([[], ['1', '2', '3']]);
    expect(bob.all('subscribed')).toHaveLength(1);
  });

  test('reads no state to who is asked about', async () => {
    const world = members('ann');
    const snapshot = vi.fn(() => ({ sum: 1 }));
    const gate = new Gate<{ sum: number }>();
    const { server } = start({ board: { authorize: world.authorize, snapshot: () => (snapshot(), gate.opened) } });
    const ann = await join(server, 'ann');
    ann.write(['subscribe', 1, 'boards/1']);
    await settle();
    world.slow();
    server.reauthorize('ann');
    gate.open({ sum: 1 });
    await settle();
    expect(ann.all('snapshot')).toEqual([]);
    world.gates[0]!.open(true);
    await settle();
    expect(ann.all('snapshot')).toHaveLength(1);
  });

  test('takes a failure of authorize for one: the subscription is to be asked for again', async () => {
    let fails = false;
    const authorize = () => {
      if (fails) throw new Error('the database is away');
      return true;
    };
    const { server, errors } = start({ room: { authorize, publish: () => undefined } });
    const ann = await join(server, 'ann');
    ann.write(['subscribe', 1, 'rooms/1']);
    await settle();
    fails = true;
    server.reauthorize();
    await settle();
    expect(ann.all('unsubscribed')[0]?.[3].code).toBe('INTERNAL');
    expect(errors).toHaveLength(1);
  });
});
