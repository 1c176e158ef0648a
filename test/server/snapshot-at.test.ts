import { describe, expect, test } from 'vitest';
import { memoryBroker, snapshotAt, type Broker, type Feed } from '../../src/server/index.ts';
import type { Position } from '../../src/protocol/messages.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { defineContract, topic } from '../../src/index.ts';
import { z } from 'zod';
import { start } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const add = (server: Fixture['server'], value: number): Promise<Position> =>
  server.topic('board', { id: '1' }).publish(value);
const board = (snapshot: () => unknown) => ({ board: { authorize: () => true, snapshot: snapshot as never } });
const join = (server: Fixture['server'], ...asked: Position[]): Peer =>
  new Peer(server).hello(clientName()).write(['subscribe', 1, 'boards/1', ...asked]);

/** Everything of topics that a peer got, in short. */
function story(peer: Peer): unknown[] {
  return peer.received.slice(1).map(([name, ...slots]) => {
    if (name === 'subscribed') return [slots[3], slots[2][1]];
    if (name === 'snapshot') return ['state', slots[1][1], slots[2].sum];
    return name === 'event' ? ['event', slots[1]] : [name, slots[2].code];
  });
}

/** A state with its position, stored in one go, as a database would. */
class Stored {
  state = { sum: 0 };
  position: Position | null = null;
  readonly read = () => snapshotAt(this.state, this.position);

  async add(server: Fixture['server'], value: number): Promise<void> {
    const position = await add(server, value);
    this.state = { sum: this.state.sum + value };
    this.position = position;
  }
}

describe('A state that is stored with its position', () => {
  test('is followed by exactly what was published after it, also when that was there before', async () => {
    const gate = new Gate();
    const stored = new Stored();
    const { server } = start(
      board(async () => {
        await gate.opened;
        return stored.read();
      }),
    );
    await stored.add(server, 1);
    const peer = join(server);
    await settle();
    // One is committed while the state is read, another is published and not stored yet.
    await stored.add(server, 2);
    await add(server, 4);
    gate.open();
    await settle();
    await add(server, 8);
    expect(story(peer)).toEqual([
      ['live', 2],
      ['state', 2, 3],
      ['event', 3],
      ['event', 4],
    ]);
    const late = join(server);
    await settle();
    expect(story(late)).toEqual(story(peer));
  });

  test('lets a client fold by counting, without a double and without a hole', async () => {
    const contract = defineContract({
      sum: topic('sum', {
        event: z.number(),
        snapshot: z.object({ sum: z.number() }),
        apply: ({ sum }, event) => ({ sum: sum + event }),
      }),
    });
    const stored = new Stored();
    await using pair = connectedPair(contract, { sum: { authorize: () => true, snapshot: () => stored.read() } });
    const sum = pair.server.topic('sum');
    const store = async (value: number): Promise<void> => {
      const position = await sum.publish(value);
      stored.state = { sum: stored.state.sum + value };
      stored.position = position;
    };
    await store(1);
    await sum.publish(2);
    const { state, subscribe } = pair.client.sum();
    const heard = new Gate();
    const event = (value: number): void => {
      if (value === 4) heard.open();
    };
    await subscribe({ event }).ready;
    await sum.publish(4);
    await heard.opened;
    expect(state.get()).toEqual({ sum: 7 });
  });

  test('under an epoch that is gone stands at the beginning of the present one', async () => {
    const { server } = start(board(() => snapshotAt({ sum: 7 }, ['gone', 99])));
    const empty = join(server);
    await settle();
    expect(story(empty)).toEqual([
      ['live', 0],
      ['state', 0, 7],
    ]);
    await add(server, 1);
    const peer = join(server);
    await settle();
    expect(story(peer)).toEqual([
      ['live', 0],
      ['state', 0, 7],
      ['event', 1],
    ]);
  });

  test('comes with its position after a gap as well', async () => {
    const stored = new Stored();
    const { server } = start(board(stored.read));
    await stored.add(server, 1);
    await add(server, 2);
    const peer = join(server, ['lost', 4]);
    await settle();
    expect(story(peer)).toEqual([
      ['gap', 1],
      ['state', 1, 1],
      ['event', 2],
    ]);
  });

  test.each([
    ['beyond the head', (epoch: string): Position => [epoch, 6]],
    ['older than the history', (epoch: string): Position => [epoch, 1]],
    ['under a gone epoch, when the present one does not reach back to its beginning', (): Position => ['gone', 5]],
  ])('%s is refused, and onError is told why', async (_, place) => {
    let position: Position = ['', 0];
    const { server, errors } = start(
      board(() => snapshotAt({ sum: 7 }, position)),
      { broker: memoryBroker({ history: { size: 3 } }) },
    );
    for (let value = 1; value <= 5; value++) position = place((await add(server, value))[0]);
    const peers = [join(server), join(server)];
    await settle();
    for (const peer of peers) expect(story(peer)).toEqual([['unsubscribed', 'INTERNAL']]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ error: expect.any(RangeError), info: { during: 'snapshot', path: 'board' } });
    expect(String(errors[0]?.error)).toContain(`the snapshot of boards/1 stands at [${position.join(', ')}], and`);
  });

  test('ahead of what the broker has told begins there, and hears what follows once', async () => {
    const lagging = new LaggingBroker();
    const stored = new Stored();
    const { server } = start(board(stored.read), { broker: lagging });
    const early = join(server);
    await settle();
    lagging.hold();
    await stored.add(server, 1);
    const peer = join(server);
    await settle();
    lagging.tell();
    await add(server, 2);
    await settle();
    expect(story(early)).toEqual([
      ['live', 0],
      ['state', 0, 0],
      ['event', 1],
      ['event', 2],
    ]);
    expect(story(peer)).toEqual([
      ['live', 1],
      ['state', 1, 1],
      ['event', 2],
    ]);
  });
});

test('What is no position is refused where it is given, and a state may have any keys', async () => {
  for (const position of [undefined, 'e', [], ['', 1], ['e'], ['e', -1], ['e', 1.5]] as never[]) {
    expect(() => snapshotAt({}, position)).toThrow(/^snapshotAt: .* is no position; give it what publish\(\)/);
  }
  const contract = defineContract({
    odd: topic('odd', { event: z.number(), snapshot: z.object({ state: z.number(), position: z.string() }) }),
  });
  await using pair = connectedPair(contract, {
    odd: { authorize: () => true, snapshot: () => ({ state: 1, position: 'left' }) },
  });
  const shown: unknown[] = [];
  await pair.client.odd().subscribe({ snapshot: (state) => shown.push(state) }).ready;
  expect(shown).toEqual([{ state: 1, position: 'left' }]);
});

/** Knows all that is stored, and may tell of it later: brokers between processes do. */
class LaggingBroker implements Broker {
  readonly #broker = memoryBroker();
  #held: Array<() => void> | undefined;

  hold(): void {
    this.#held = [];
  }

  tell(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const tell of held) tell();
  }

  publish(name: string, payload: string): Position | Promise<Position> {
    return this.#broker.publish(name, payload);
  }

  subscribe(name: string, listener: Parameters<Broker['subscribe']>[1]): Feed {
    let head: Position | undefined;
    const feed = this.#broker.subscribe(name, {
      ...listener,
      event: (event) => {
        const tell = (): void => {
          head = [feed.head[0], event.offset];
          listener.event(event);
        };
        if (this.#held === undefined) tell();
        else this.#held.push(tell);
      },
    }) as Feed;
    head = feed.head;
    return {
      get head() {
        return head ?? feed.head;
      },
      read: (after, limit) => feed.read(after, limit),
      close: () => {
        feed.close();
      },
    };
  }

  close(): void | Promise<void> {
    return this.#broker.close();
  }
}
