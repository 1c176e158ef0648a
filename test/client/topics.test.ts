import { describe, expect, test, vi } from 'vitest';
import { createClient, type Gap, type Subscription } from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

/** Everything that a subscriber hears, in order. */
function transcript(subscribe: (listeners: object) => Subscription): { heard: unknown[]; subscription: Subscription } {
  const heard: unknown[] = [];
  const subscription = subscribe({
    event: (event: object, [, offset]: [string, number]) => heard.push([offset, event]),
    snapshot: (snapshot: object) => heard.push(['snapshot', snapshot]),
    gap: ({ from, to }: Gap) => heard.push(['gap', from, to]),
    status: (state: string) => heard.push(state),
  });
  return { heard, subscription };
}

const text = (offset: number) => ['event', 'news/a', offset, { text: String(offset) }];

describe('a topic', () => {
  test('is subscribed once for all who listen, and each hears each event once', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const first = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const second = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    await settle();
    expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'news/a']]);
    await socket.say(['subscribed', 1, 'news/a', ['E', 4], 'live'], text(5), text(5), text(6), text(4));
    await first.subscription.ready;
    for (const { heard } of [first, second]) expect(heard).toEqual(['live', [5, { text: '5' }], [6, { text: '6' }]]);
  });

  test('is subscribed with the greeting when the socket opens later, its name percent-encoded', async () => {
    const client = world.start();
    client.news({ channel: 'a/b c' }).subscribe(() => undefined);
    const socket = await world.server.socket();
    expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'news/a%2Fb%20c']]);
    await socket.welcome();
    expect(socket.all('subscribe')).toHaveLength(1);
  });

  test('goes on from its position after a lost connection, without a double', async () => {
    const client = world.start();
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const first = await world.welcomed();
    await first.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], text(1), text(2));
    await first.cut();
    const second = await world.server.next();
    expect(second.all('subscribe')).toEqual([['subscribe', 2, 'news/a', ['E', 2]]]);
    await second.welcome();
    await second.say(['subscribed', 2, 'news/a', ['E', 2], 'resumed'], text(2), text(3));
    expect(heard).toEqual(['live', [1, { text: '1' }], [2, { text: '2' }], 'recovering', 'live', [3, { text: '3' }]]);
    expect(world.connection.stats().gaps).toBe(0);
  });

  test('tells a gap where history does not cover it, and follows from there', async () => {
    const client = world.start();
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const first = await world.welcomed();
    await first.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], text(1));
    await first.cut();
    const second = await world.server.next();
    await second.welcome();
    await second.say(['subscribed', 2, 'news/a', ['F', 40], 'gap'], text(41));
    expect(heard).toEqual([
      'live',
      [1, { text: '1' }],
      'recovering',
      ['gap', ['E', 1], ['F', 40]],
      'live',
      [41, { text: '41' }],
    ]);
    expect(world.connection.stats().gaps).toBe(1);
  });

  test('takes an unasked gap of a new epoch; one at or below its position is none', async () => {
    const client = world.start();
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 5], 'live'], text(6));
    await socket.say(['subscribed', 1, 'news/a', ['E', 3], 'gap'], text(4), text(5), text(6), text(7));
    await socket.say(['subscribed', 1, 'news/a', ['E', 9], 'gap'], text(10));
    await socket.say(['subscribed', 1, 'news/a', ['F', 0], 'gap'], text(1));
    expect(heard).toEqual([
      'live',
      [6, { text: '6' }],
      [7, { text: '7' }],
      ['gap', ['E', 7], ['E', 9]],
      [10, { text: '10' }],
      ['gap', ['E', 10], ['F', 0]],
      [1, { text: '1' }],
    ]);
    expect(socket.all('subscribe')).toHaveLength(1);
  });

  test('sees a hole, asks once from its position, and asks for nothing more while that is under way', async () => {
    const client = world.start();
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], text(1), text(3), text(4));
    await socket.say(text(5));
    expect(socket.all('subscribe').slice(1)).toEqual([['subscribe', 2, 'news/a', ['E', 1]]]);
    await socket.say(['subscribed', 2, 'news/a', ['E', 1], 'resumed'], text(2), text(3));
    expect(heard).toEqual(['live', [1, { text: '1' }], [2, { text: '2' }], [3, { text: '3' }]]);
  });

  test('takes nothing on a new socket before the server has answered there, and no answer to a number never asked', async () => {
    const client = world.start();
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const first = await world.welcomed();
    await first.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], text(1));
    await first.cut();
    const second = await world.server.next();
    await second.welcome();
    await second.say(text(2), ['subscribed', 7, 'news/a', ['E', 1], 'resumed'], text(2));
    expect(heard).toEqual(['live', [1, { text: '1' }], 'recovering']);
  });

  test('takes no late answer of a subscription that a newer one replaced', async () => {
    const client = world.start();
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], text(2));
    await socket.say(['subscribed', 2, 'news/a', ['E', 0], 'resumed'], text(1));
    await socket.say(['subscribed', 1, 'news/a', ['F', 9], 'gap'], text(2));
    expect(heard).toEqual(['live', [1, { text: '1' }], [2, { text: '2' }]]);
  });

  test('takes no room in the queue while there is no socket', async () => {
    world.connect({ queue: { maxMessages: 1 } });
    const client = createClient(plain, world.connection);
    for (const channel of ['a', 'b', 'c']) client.news({ channel }).subscribe(() => undefined);
    expect(world.connection.stats()).toMatchObject({ subscriptions: 3, queued: { messages: 0 } });
    const socket = await world.welcomed();
    expect(socket.all('subscribe')).toHaveLength(3);
  });

  test('joined and left in a loop is one subscription, that ends once', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    for (let turn = 0; turn < 100; turn++) {
      const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
      await vi.advanceTimersByTimeAsync(10);
      subscription.unsubscribe();
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(socket.received.slice(2)).toEqual([
      ['subscribe', 1, 'news/a'],
      ['unsubscribe', 'news/a'],
    ]);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('left and joined again within a round trip takes no answer of the subscription it gave up', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const first = client.news({ channel: 'a' }).subscribe(() => undefined);
    await settle();
    first.unsubscribe();
    await vi.advanceTimersByTimeAsync(1_000); // the linger ends
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    await settle();
    expect(socket.received.slice(2)).toEqual([
      ['subscribe', 1, 'news/a'],
      ['unsubscribe', 'news/a'],
      ['subscribe', 2, 'news/a'],
    ]);
    await socket.say(
      ['subscribed', 1, 'news/a', ['E', 1], 'live'],
      text(2),
      ['subscribed', 2, 'news/a', ['E', 5], 'live'],
      text(6),
    );
    expect(heard).toEqual(['live', [6, { text: '6' }]]);
  });

  test('stays for a moment after its last listener: one that comes back costs nothing', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const first = client.news({ channel: 'a' }).subscribe(() => undefined);
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live']);
    first.unsubscribe();
    await vi.advanceTimersByTimeAsync(999);
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    await vi.advanceTimersByTimeAsync(5_000);
    await socket.say(text(1));
    expect(heard).toEqual(['live', [1, { text: '1' }]]);
    expect(socket.all('subscribe')).toHaveLength(1);
    expect(socket.all('unsubscribe')).toHaveLength(0);
  });

  test('that missed something while nobody listened asks for it when somebody comes', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const first = client.news({ channel: 'a' }).subscribe(() => undefined);
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live']);
    first.unsubscribe();
    await socket.say(text(2));
    expect(socket.all('subscribe')).toHaveLength(1);
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'news/a', ['E', 0]]);
    await socket.say(['subscribed', 2, 'news/a', ['E', 0], 'resumed'], text(1), text(2));
    expect(heard).toEqual(['live', [1, { text: '1' }], [2, { text: '2' }]]);
  });

  test('unsubscribed before it was ever written says nothing at all', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
    subscription.unsubscribe();
    subscription.unsubscribe();
    await expect(subscription.ready).rejects.toMatchObject({ code: 'ABORTED' });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(socket.received.map(([name]) => name)).toEqual(['hello', 'ping']);
  });

  test('refused by the server ends with its error', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const { heard, subscription } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    await settle();
    await socket.say(['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: 'not you' }]);
    await expect(subscription.ready).rejects.toMatchObject({ code: 'FORBIDDEN', outcome: 'rejected' });
    expect(heard).toEqual(['ended']);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  describe('that the server fails to serve', () => {
    const ended = (code: string) => ['unsubscribed', 1, 'news/a', { code, message: 'the server failed' }];

    test.each(['INTERNAL', 'TIMEOUT', 'RATE_LIMITED', 'SOMETHING_NEW'])(
      'with %s recovers: it is asked for again from its position, and misses nothing',
      async (code) => {
        const client = world.start();
        const { heard, subscription } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
        const socket = await world.welcomed();
        await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], text(1), ended(code));
        expect(subscription.state).toBe('recovering');
        await vi.advanceTimersByTimeAsync(499);
        expect(socket.all('subscribe')).toHaveLength(1);
        await vi.advanceTimersByTimeAsync(1_001);
        expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'news/a', ['E', 1]]);
        await socket.say(['subscribed', 2, 'news/a', ['E', 3], 'resumed'], text(2), text(3));
        expect(heard).toEqual([
          'live',
          [1, { text: '1' }],
          'recovering',
          'live',
          [2, { text: '2' }],
          [3, { text: '3' }],
        ]);
      },
    );

    test.each(['FORBIDDEN', 'NOT_FOUND', 'UNAUTHENTICATED', 'BAD_REQUEST'])('with %s has ended', async (code) => {
      const client = world.start();
      const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
      const socket = await world.welcomed();
      await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], ended(code));
      expect(heard).toEqual(['live', 'ended']);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(socket.all('subscribe')).toHaveLength(1);
    });

    test('is asked for with pauses that grow, also where it is taken and ended again at once', async () => {
      const client = world.start({ random: () => 1, heartbeat: false });
      client.news({ channel: 'a' }).subscribe(() => undefined);
      const socket = await world.welcomed();
      const pauses: number[] = [];
      for (let n = 1; n <= 8; n++) {
        await socket.say(
          ['subscribed', n, 'news/a', ['E', 0], 'live'],
          ['unsubscribed', n, 'news/a', ended('INTERNAL')[3]],
        );
        const from = Date.now();
        while (socket.all('subscribe').length === n) await vi.advanceTimersToNextTimerAsync();
        pauses.push(Date.now() - from);
      }
      expect(pauses).toEqual([1_500, 2_500, 4_500, 8_500, 16_500, 30_500, 30_500, 30_500]);
    });

    test('is not asked for before the server invites it', async () => {
      const client = world.start({ random: () => 0 });
      client.news({ channel: 'a' }).subscribe(() => undefined);
      const socket = await world.welcomed();
      const error = { code: 'RATE_LIMITED', message: 'later', retryAfterMs: 7_000 };
      await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], ['unsubscribed', 1, 'news/a', error]);
      await vi.advanceTimersByTimeAsync(6_999);
      expect(socket.all('subscribe')).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(socket.all('subscribe')).toHaveLength(2);
    });

    test('and that nobody listens to any more is not asked for again', async () => {
      const client = world.start();
      const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
      const socket = await world.welcomed();
      await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], ended('INTERNAL'));
      subscription.unsubscribe();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(socket.all('subscribe')).toHaveLength(1);
      expect(world.connection.stats().subscriptions).toBe(0);
    });

    test('before it was ever live has ended, and its user is told why', async () => {
      const client = world.start();
      const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
      const socket = await world.welcomed();
      await socket.say(ended('INTERNAL'));
      await expect(subscription.ready).rejects.toMatchObject({ code: 'INTERNAL' });
    });
  });

  test('tells an event that does not fit as a gap with the reason, and goes on', async () => {
    const client = world.start();
    const gaps: Gap[] = [];
    const events: unknown[] = [];
    client.news({ channel: 'a' }).subscribe({ event: (event) => events.push(event), gap: (gap) => gaps.push(gap) });
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], ['event', 'news/a', 1, { text: 7 }], text(2));
    expect(gaps).toMatchObject([{ from: ['E', 0], to: ['E', 1], error: { code: 'BAD_OUTPUT' } }]);
    expect(events).toEqual([{ text: '2' }]);
  });

  test('drops events for topics never subscribed, and a listener that throws stops nobody', async () => {
    const client = world.start();
    client.news({ channel: 'a' }).subscribe(() => {
      throw new Error('mine');
    });
    const { heard } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    const socket = await world.welcomed();
    await socket.say(
      ['event', 'news/z', 1, 0],
      ['snapshot', 'counts', ['E', 1], {}],
      ['subscribed', 9, 'news/z', ['E', 0], 'live'],
    );
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], text(1));
    expect(heard).toEqual(['live', [1, { text: '1' }]]);
    expect(world.errors).toEqual([new Error('mine')]);
    expect(world.connection.stats().subscriptions).toBe(1);
  });

  test('ends when the connection is closed', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const { heard, subscription } = transcript((listeners) => client.news({ channel: 'a' }).subscribe(listeners));
    await settle();
    await world.connection.close();
    await expect(subscription.ready).rejects.toMatchObject({ code: 'CLOSED' });
    expect(heard).toEqual(['ended']);
    expect(client.news({ channel: 'a' }).subscribe(() => undefined).state).toBe('ended');
    expect(socket.all('subscribe')).toHaveLength(1);
  });
});

describe('a publish', () => {
  test('resolves with its position, and acts like a mutation across sockets', async () => {
    const client = world.start();
    const first = await world.welcomed();
    const published = client.news({ channel: 'a' }).publish({ text: 'x' });
    await settle();
    expect(first.all('publish')).toEqual([['publish', 1, 'news/a', { text: 'x' }]]);
    await first.cut();
    const second = await world.server.next();
    expect(second.all('publish')).toEqual([]);
    await second.welcome();
    await second.say(['reply', 1, ['E', 7]]);
    expect(await published).toEqual(['E', 7]);
  });

  test('that the server refuses, or that does not fit, says so', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    expect(
      (
        await client
          .news({ channel: 'a' })
          .publish({ text: 1 as never })
          .safe()
      ).error,
    ).toMatchObject({
      code: 'BAD_INPUT',
      path: 'news',
    });
    const answer = client.news({ channel: 'a' }).publish({ text: 'x' }).safe();
    await settle();
    await socket.say(['error', 1, { code: 'FORBIDDEN', message: 'no' }]);
    expect((await answer).error).toMatchObject({ code: 'FORBIDDEN', outcome: 'rejected' });
  });
});
