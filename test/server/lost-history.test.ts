import { describe, expect, test, vi } from 'vitest';
import { memoryBroker } from '../../src/server/index.ts';
import type { Broker, Feed, FeedListener, StoredEvent } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const say = (server: Fixture['server'], text: string) => server.topic('room', { roomId: '1' }).publish({ text });

/** What came of a topic without a state: beginnings and the offsets of events. */
function story(peer: Peer): unknown[] {
  return peer.received
    .filter(([name]) => name === 'subscribed' || name === 'event')
    .map(([name, ...slots]) => (name === 'event' ? slots[1] : [slots[3], slots[2][1]]));
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const stored = (offset: number): StoredEvent => ({ offset, payload: '{"text":"x"}' });

describe('a subscriber whose position history does not cover', () => {
  test('of a server that has restarted gets all that was published since', async () => {
    const { server } = start();
    for (let count = 0; count < 450; count++) await say(server, 'x');
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1', ['gone', 17]]);
    await settle();
    await say(server, 'live');
    await settle();
    expect(story(peer)).toEqual([['gap', 0], ...numbers(1, 451)]);
  });

  test('gets what is younger than the history lasts', async () => {
    vi.useFakeTimers();
    const { server } = start({}, { broker: memoryBroker({ history: { ttlMs: 1_000 } }) });
    const [epoch] = await say(server, '1');
    await say(server, '2');
    await vi.advanceTimersByTimeAsync(800);
    await say(server, '3');
    await vi.advanceTimersByTimeAsync(400);
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1', [epoch, 1]]);
    await vi.advanceTimersByTimeAsync(0);
    expect(story(peer)).toEqual([['gap', 2], 3]);
    vi.useRealTimers();
  });

  test('begins at the head where nothing is left, and is live', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1', ['gone', 17]]);
    await settle();
    await say(server, 'x');
    await settle();
    expect(story(peer)).toEqual([['gap', 0], 1]);
  });

  test('because it was slow gets what is left when it drains', async () => {
    const { server } = start({}, { broker: memoryBroker({ history: { size: 3 } }), limits: { bufferedBytes: 1_000 } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await settle();
    peer.bufferedAmount = 1_001;
    for (let count = 0; count < 10; count++) await say(server, 'x');
    peer.drain();
    await settle();
    expect(story(peer)).toEqual([['live', 0], ['gap', 7], 8, 9, 10]);
  });

  test('and that has no room yet gets what is left when it has', async () => {
    const { server } = start({}, { broker: memoryBroker({ history: { size: 3 } }), limits: { bufferedBytes: 1_000 } });
    for (let count = 0; count < 10; count++) await say(server, 'x');
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.bufferedAmount = 1_001;
    peer.write(['subscribe', 1, 'rooms/1', ['gone', 1]]);
    await settle();
    expect(story(peer)).toEqual([]);
    peer.drain();
    await settle();
    expect(story(peer)).toEqual([['gap', 7], 8, 9, 10]);
  });

  test('of a topic with a state gets the state', async () => {
    const { server } = start({ board: { authorize: () => true, snapshot: () => ({ sum: 3 }) } });
    for (const value of [1, 2]) await server.topic('board', { id: '1' }).publish(value);
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1', ['gone', 1]]);
    await settle();
    expect(peer.received.slice(1).map(([name, , at, position]) => [name, position?.[1] ?? at[1]])).toEqual([
      ['subscribed', 2],
      ['snapshot', 2],
    ]);
  });
});

describe('a broker', () => {
  /** One whose history the test has; counts what it is asked. */
  function broken(history: Pick<Feed, 'read' | 'oldest'>, head = 10) {
    const asked = { reads: 0, oldest: 0 };
    const listeners: FeedListener[] = [];
    const { oldest } = history;
    const broker: Broker = {
      publish: () => ['e', head],
      subscribe: (_, listener) => {
        listeners.push(listener);
        return {
          head: ['e', head],
          read: (after, limit) => {
            asked.reads++;
            return history.read(after, limit);
          },
          ...(oldest && {
            oldest: () => {
              asked.oldest++;
              return oldest();
            },
          }),
          close: () => undefined,
        };
      },
      close: () => undefined,
    };
    const { server, errors } = start({}, { broker });
    const peer = new Peer(server).hello(clientName());
    return { asked, peer, errors, listener: () => listeners[0]! };
  }

  const all = numbers(1, 10).map(stored);

  test('with a hole in its history makes one gap over it, and is asked no more than once for each stretch', async () => {
    const holed = all.filter(({ offset }) => offset < 4 || offset > 6);
    const { peer, asked } = broken({ read: (after) => holed.filter(({ offset }) => offset > after[1]) });
    peer.write(['subscribe', 1, 'rooms/1', ['e', 1]]);
    await settle();
    expect(story(peer)).toEqual([['resumed', 1], 2, 3, ['gap', 6], 7, 8, 9, 10]);
    expect(asked.reads).toBe(1);
  });

  test('that gives the same events again and again gives each once, and a gap to its head', async () => {
    const { peer, asked } = broken({ read: () => all.slice(0, 3), oldest: () => ['e', 0] });
    peer.write(['subscribe', 1, 'rooms/1', ['e', 0]]);
    await settle();
    expect(story(peer)).toEqual([['resumed', 0], 1, 2, 3, ['gap', 10]]);
    expect(asked.reads).toBe(2);
  });

  test('that never has what it says that it has is asked twice, not without end', async () => {
    const { peer, asked } = broken({ read: () => Promise.resolve(undefined), oldest: () => ['e', 4] });
    peer.write(['subscribe', 1, 'rooms/1', ['e', 1]]);
    await settle();
    expect(story(peer)).toEqual([
      ['gap', 4],
      ['gap', 10],
    ]);
    expect(asked).toEqual({ reads: 2, oldest: 1 });
  });

  test.each([
    ['another epoch', () => ['f', 3]],
    ['what is beyond its head', () => ['e', 11]],
    ['what is before everything', () => ['e', -1]],
    ['no number', () => ['e', NaN]],
    ['nothing', () => undefined],
    ['a place before the one that is asked for', () => ['e', 0]],
    [
      'an error',
      () => {
        throw new Error('down');
      },
    ],
    ['a rejection', () => Promise.reject(new Error('down'))],
  ])('that names %s as its oldest is gone on with at its head', async (_, oldest) => {
    const { peer, listener } = broken({ read: () => undefined, oldest: oldest as never });
    peer.write(['subscribe', 1, 'rooms/1', ['e', 1]]);
    await settle();
    listener().event(stored(11));
    await settle();
    expect(story(peer)).toEqual([['gap', 10], 11]);
  });

  test('that takes its time to name its oldest tells nobody who has left, nor who has asked again', async () => {
    const gate = new Gate<readonly [string, number]>();
    const { peer } = broken({
      read: ([epoch, offset]) => (epoch === 'e' ? all.slice(offset) : undefined),
      oldest: () => gate.opened,
    });
    peer.write(['subscribe', 1, 'rooms/1', ['gone', 1]], ['subscribe', 2, 'rooms/1', ['e', 8]]);
    await settle();
    gate.open(['e', 0]);
    await settle();
    expect(peer.all('subscribed').map(([, n]) => n)).toEqual([2]);
    expect(story(peer)).toEqual([['resumed', 8], 9, 10]);
  });
});
