import { describe, expect, test } from 'vitest';
import type { Position } from '../../src/index.ts';
import { memoryBroker } from '../../src/server/index.ts';
import type { Broker, FeedListener, StoredEvent } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

describe('a broker', () => {
  test('whose history can’t be read for a moment loses nobody an event: who was to go on from there is told to ask again', async () => {
    const inner = memoryBroker();
    let isAway = true;
    const broker: Broker = {
      publish: (topic, payload) => inner.publish(topic, payload),
      close: () => inner.close(),
      subscribe: async (topic, listener) => {
        const feed = await inner.subscribe(topic, listener);
        return {
          get head() {
            return feed.head;
          },
          read: async (after, limit) => {
            if (isAway) throw new Error('away');
            return feed.read(after, limit);
          },
          close: () => feed.close(),
        };
      },
    };
    const { server, errors } = start({}, { broker });
    const [epoch] = await server.topic('room', { roomId: '1' }).publish({ text: 'a' });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1', [epoch, 0]]);
    await settle();
    expect(peer.received.slice(1)).toMatchObject([['unsubscribed', 1, 'rooms/1', { code: 'INTERNAL' }]]);
    expect(errors).toMatchObject([{ info: { during: 'broker', path: 'room' } }]);
    isAway = false;
    peer.write(['subscribe', 2, 'rooms/1', [epoch, 0]]);
    await settle();
    expect(peer.received.slice(2)).toEqual([
      ['subscribed', 2, 'rooms/1', [epoch, 0], 'resumed'],
      ['event', 'rooms/1', 1, { text: 'a' }],
    ]);
    await server.close();
  });

  test('that tells of a publication before it answers what it was asked before that makes no gap', async () => {
    const reads: Gate<StoredEvent[]>[] = [];
    let head: Position = ['e', 1];
    let tell!: FeedListener;
    const broker: Broker = {
      publish: () => head,
      close: () => undefined,
      subscribe: (_, listener) => {
        tell = listener;
        return {
          get head() {
            return head;
          },
          read: () => reads[reads.push(new Gate()) - 1]!.opened,
          close: () => undefined,
        };
      },
    };
    const { server } = start({}, { broker });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1', ['e', 1]]);
    await settle();
    head = ['e', 2];
    const two = { offset: 2, payload: '{"text":"2"}' };
    tell.event(two);
    reads[0]!.open([]);
    await settle();
    reads[1]!.open([two]);
    await settle();
    expect(peer.received.slice(1)).toEqual([
      ['subscribed', 1, 'rooms/1', ['e', 1], 'resumed'],
      ['event', 'rooms/1', 2, { text: '2' }],
    ]);
  });
});
