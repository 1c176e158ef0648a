import { describe, expect, test, vi } from 'vitest';
import { memoryBroker } from '../../src/server/index.ts';
import type { Broker, Feed, FeedListener } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const add = (server: Fixture['server'], value: number) => server.topic('board', { id: '1' }).publish(value);
const board = (snapshot: () => any) => ({ board: { authorize: () => true, snapshot } });

/** Everything of topics that a peer got, in short. */
function story(peer: Peer): unknown[] {
  return peer.received.slice(1).map(([name, ...slots]) => {
    if (name === 'subscribed') return [slots[3], slots[2][1]];
    if (name === 'snapshot') return ['state', slots[1][1], slots[2].sum];
    return name === 'event' ? ['event', slots[1]] : [name, slots[2].code];
  });
}

describe('a broker', () => {
  test('that tells of more than it has stored makes a gap, not a question without end', async () => {
    const broker: Broker = {
      publish: () => ['e', 2],
      subscribe: () => ({
        head: ['e', 1],
        read: () => [],
        close: () => undefined,
      }),
      close: () => undefined,
    };
    const { server } = start({}, { broker });
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1', ['e', 0]]);
    await settle();
    expect(peer.received.slice(1)).toEqual([
      ['subscribed', 1, 'rooms/1', ['e', 0], 'resumed'],
      ['subscribed', 1, 'rooms/1', ['e', 1], 'gap'],
    ]);
  });

  test('that never answers is given up after 30 s, and a feed that comes after that is let go', async () => {
    vi.useFakeTimers();
    const opened = new Gate<Feed>();
    const close = vi.fn();
    const broker: Broker = { publish: () => ['e', 1], subscribe: () => opened.opened, close: () => undefined };
    const { server, errors } = start(
      board(() => ({ sum: 0 })),
      { broker },
    );
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    const read = expect(server.topic('board', { id: '1' }).read()).rejects.toThrow(
      "the broker's subscribe of boards/1 took longer than 30000 ms",
    );
    for (let seconds = 0; seconds < 30; seconds += 10) {
      await vi.advanceTimersByTimeAsync(10_000);
      peer.write(['pong', 0]);
    }
    await read;
    expect(peer.all('unsubscribed')).toMatchObject([['unsubscribed', 1, 'rooms/1', { code: 'INTERNAL' }]]);
    expect(errors).toMatchObject([{ info: { during: 'broker', path: 'room' } }]);
    opened.open({ head: ['e', 0], read: () => [], close });
    await vi.advanceTimersByTimeAsync(0);
    expect(close).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });

  /** A broker with the test's hand on it. */
  function handBroker() {
    const inner = memoryBroker();
    const listeners: FeedListener[] = [];
    let epoch = 'one';
    let offset = 0;
    const broker: Broker = {
      publish: (topic, payload) => inner.publish(topic, payload),
      subscribe: (_, listener) => {
        listeners.push(listener);
        return {
          get head() {
            return [epoch, offset] as const;
          },
          read: (after) => (after[0] === epoch && after[1] === offset ? [] : undefined),
          close: () => undefined,
        };
      },
      close: () => undefined,
    };
    const reset = (): void => {
      epoch = 'two';
      offset = 5;
      for (const listener of listeners) listener.reset();
    };
    const emit = (payload: string): void => {
      offset++;
      for (const listener of listeners) listener.event({ offset, payload });
    };
    return { broker, reset, emit };
  }

  test('that starts a new epoch makes an unasked gap for live subscribers, and the state anew', async () => {
    const { broker, reset, emit } = handBroker();
    const { server } = start({}, { broker });
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'boards/1'], ['subscribe', 2, 'rooms/1']);
    await settle();
    reset();
    await settle();
    emit('7');
    await settle();
    const of = (topic: string) => peer.received.filter((message) => message.includes(topic));
    expect(of('rooms/1').map(([name, , , position, word]) => [name, position, word])).toEqual([
      ['subscribed', ['one', 0], 'live'],
      ['subscribed', ['two', 5], 'gap'],
      ['event', 7, undefined],
    ]);
    expect(of('boards/1').map(([name, a, b]) => (name === 'snapshot' ? [name, a, b] : name))).toEqual([
      'subscribed',
      ['snapshot', 'boards/1', ['one', 0]],
      'subscribed',
      ['snapshot', 'boards/1', ['two', 5]],
      'event',
    ]);
  });

  test('that starts a new epoch while authorize is asked again makes a gap when that has answered', async () => {
    const { broker, reset, emit } = handBroker();
    const gate = new Gate<boolean>();
    const authorize = vi.fn<() => boolean | Promise<boolean>>(() => true);
    const { server } = start({ room: { authorize, publish: () => undefined } }, { broker });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await settle();
    authorize.mockReturnValueOnce(gate.opened);
    server.reauthorize();
    reset();
    // Its offset is one that would continue what the peer has, if it were of the same history.
    gate.open(true);
    await settle();
    emit('{"text":"x"}');
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['gap', 5],
      ['event', 6],
    ]);
  });

  test('that starts a new epoch while a state is read makes that state be read once more', async () => {
    const { broker, reset } = handBroker();
    const gate = new Gate<{ sum: number }>();
    const snapshot = vi.fn().mockReturnValueOnce(gate.opened).mockReturnValue({ sum: 2 });
    const { server } = start(board(snapshot), { broker });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    reset();
    gate.open({ sum: 1 });
    await settle();
    expect(story(peer)).toEqual([
      ['gap', 5],
      ['state', 5, 2],
    ]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('whose subscribe %s ends the subscription with INTERNAL, and the next attempt asks it again', async (_, fails) => {
    const inner = memoryBroker();
    const subscribe = vi.fn<Broker['subscribe']>(inner.subscribe.bind(inner)).mockImplementationOnce(fails);
    const broker: Broker = { publish: inner.publish.bind(inner), subscribe, close: () => undefined };
    const { server, errors } = start({}, { broker });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await settle();
    peer.write(['subscribe', 2, 'rooms/1']);
    await settle();
    expect(story(peer)).toEqual([
      ['unsubscribed', 'INTERNAL'],
      ['live', 0],
    ]);
    expect(errors[0]?.info.during).toBe('broker');
  });

  test('that is slow to subscribe and to read loses nothing', async () => {
    const inner = memoryBroker();
    const gate = new Gate();
    const broker: Broker = {
      publish: async (topic, payload) => inner.publish(topic, payload),
      subscribe: async (topic, listener) => {
        const feed = inner.subscribe(topic, listener) as Awaited<ReturnType<Broker['subscribe']>>;
        await gate.opened;
        return {
          get head() {
            return feed.head;
          },
          read: async (after, limit) => feed.read(after, Math.min(limit, 2)),
          close: () => feed.close(),
        };
      },
      close: () => undefined,
    };
    const { server } = start({}, { broker });
    const [epoch] = await add(server, 1);
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1', [epoch, 0]]);
    for (const value of [2, 3, 4]) await add(server, value);
    gate.open();
    for (const value of [5, 6]) await add(server, value);
    await settle();
    expect(story(peer)).toEqual([['resumed', 0], ...[1, 2, 3, 4, 5, 6].map((offset) => ['event', offset])]);
  });

  /** A memory broker that reads when the test says so. */
  function slowReads() {
    const inner = memoryBroker();
    const gates: Gate[] = [];
    const closed = vi.fn();
    let attached: Promise<void> | undefined;
    const broker: Broker = {
      publish: inner.publish.bind(inner),
      subscribe: async (topic, listener) => {
        const feed = await inner.subscribe(topic, listener);
        await attached;
        return {
          get head() {
            return feed.head;
          },
          read: async (after, limit) => {
            gates.push(new Gate());
            await gates.at(-1)!.opened;
            return feed.read(after, limit);
          },
          close: () => {
            closed();
            feed.close();
          },
        };
      },
      close: () => undefined,
    };
    const attachAfter = (opened: Promise<void>): void => {
      attached = opened;
    };
    return { broker, gates, closed, attachAfter };
  }

  test('whose history comes after the peer unsubscribed tells it nothing', async () => {
    const { broker, gates, closed } = slowReads();
    const { server } = start({}, { broker });
    const [epoch] = await add(server, 1);
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1', [epoch, 0]]);
    await settle();
    peer.write(['unsubscribe', 'boards/1']);
    gates[0]?.open();
    await settle();
    expect(story(peer)).toEqual([]);
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('that attaches after everyone left is left again', async () => {
    const { broker, closed, attachAfter } = slowReads();
    const gate = new Gate();
    attachAfter(gate.opened);
    const { server } = start({}, { broker });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1']);
    await settle();
    peer.vanish();
    gate.open();
    await settle();
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('whose history comes after a new epoch began is not listened to', async () => {
    const gates: Gate[] = [];
    const listeners: FeedListener[] = [];
    let head: readonly [string, number] = ['one', 0];
    const broker: Broker = {
      publish: () => head,
      subscribe: (_, listener) => {
        listeners.push(listener);
        return {
          get head() {
            return head;
          },
          read: async () => {
            gates.push(new Gate());
            await gates.at(-1)!.opened;
            return [{ offset: 1, payload: '{"text":"old"}' }];
          },
          close: () => undefined,
        };
      },
      close: () => undefined,
    };
    const { server } = start({}, { broker, limits: { bufferedBytes: 1000 } });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await settle();
    peer.bufferedAmount = 1001;
    head = ['one', 1];
    listeners[0]?.event({ offset: 1, payload: '{"text":"old"}' });
    peer.drain();
    head = ['two', 0];
    listeners[0]?.reset();
    gates[0]?.open();
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['gap', 0],
    ]);
  });

  test('whose events skip one that history has loses nothing', async () => {
    const listeners: FeedListener[] = [];
    const events = [1, 2].map((offset) => ({ offset, payload: '{"text":"x"}' }));
    let offset = 0;
    const broker: Broker = {
      publish: () => ['one', offset],
      subscribe: (_, listener) => {
        listeners.push(listener);
        return {
          get head() {
            return ['one', offset] as const;
          },
          read: (after) => events.slice(after[1]),
          close: () => undefined,
        };
      },
      close: () => undefined,
    };
    const { server } = start({}, { broker });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    await settle();
    offset = 2;
    listeners[0]?.event(events[1]!);
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['event', 1],
      ['event', 2],
    ]);
  });
});
