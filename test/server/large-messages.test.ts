import { expect, test } from 'vitest';
import * as CloseCode from '../../src/protocol/close-code.ts';
import { LargeMessages, type Losses } from '../../src/server/outbound/large-messages.ts';

const LARGE = 20_000;

/** The sockets of one client, one after the other. */
function client() {
  const losses: Losses = new Map();
  return {
    losses,
    socket() {
      let pings = 0;
      let drained = 0;
      const large = new LargeMessages({ losses, ping: () => ++pings, drained: () => drained++ });
      return {
        large,
        get pings() {
          return pings;
        },
        get drained() {
          return drained;
        },
      };
    },
    /** Loses so many sockets with these messages on their way. */
    lose(times: number, ...keys: string[]) {
      for (let time = 0; time < times; time++) {
        const { large } = this.socket();
        for (const key of keys) large.wrote(key, LARGE);
        large.lost(undefined);
      }
    },
  };
}

test('a message that the peer took in before its socket was lost is none that it was lost over', () => {
  const world = client();
  const { losses, socket } = world;
  world.lose(2, 'a');
  const { large } = socket();
  large.wrote('a', LARGE);
  large.ponged(1);
  large.lost(undefined);
  expect([...losses]).toEqual([]);
});

test('one ping at a time is on its way, and covers what was written before it', () => {
  const { socket, losses } = client();
  const peer = socket();
  for (const key of ['a', 'b', 'c']) peer.large.wrote(key, LARGE);
  expect(peer.pings).toBe(1);
  peer.large.ponged(1);
  expect(peer.pings).toBe(2);
  peer.large.lost(undefined);
  expect([...losses]).toEqual([
    ['b', 1],
    ['c', 1],
  ]);
});

test('an answer to a ping that may have overtaken what is large covers nothing', () => {
  const { socket, losses } = client();
  const peer = socket();
  peer.large.wrote('a', LARGE);
  for (const other of [0, 2]) peer.large.ponged(other);
  expect([peer.pings, peer.drained]).toEqual([1, 0]);
  peer.large.lost(undefined);
  expect([...losses]).toEqual([['a', 1]]);
});

test('after two losses it goes alone: when nothing large is on its way, and nothing large beside it', () => {
  const world = client();
  world.lose(2, 'a', 'b');
  const { large } = world.socket();
  const written: string[] = [];
  for (const key of ['new', 'a', 'b', 'newer']) large.write(key, LARGE, () => written.push(key));
  expect(written).toEqual(['new', 'newer']);
  large.ponged(1);
  large.ponged(2);
  expect(written).toEqual(['new', 'newer', 'a']);
  expect([large.may('b'), large.may('newest')]).toEqual(['later', 'later']);
  large.ponged(3);
  expect(written).toEqual(['new', 'newer', 'a', 'b']);
});

test('after a loss alone it is given up; what waited for its turn is not', () => {
  const world = client();
  world.lose(2, 'a', 'b');
  const { large } = world.socket();
  const told: unknown[] = [];
  for (const key of ['a', 'b']) large.write(key, LARGE, (isHopeless) => told.push([key, isHopeless]));
  large.lost(undefined);
  const next = world.socket().large;
  for (const key of ['a', 'b']) next.write(key, LARGE, (isHopeless) => told.push([key, isHopeless]));
  expect(told).toEqual([
    ['a', false],
    ['a', true],
    ['b', false],
  ]);
});

test('1009 of the peer gives up the largest that it had not taken in, at once', () => {
  const world = client();
  const { large } = world.socket();
  large.wrote('taken', 3 * LARGE);
  large.ponged(1);
  large.wrote('a', LARGE);
  large.wrote('largest', 2 * LARGE);
  large.wrote('b', LARGE);
  large.lost(CloseCode.MESSAGE_TOO_BIG);
  const next = world.socket().large;
  expect(['taken', 'a', 'largest', 'b'].map((key) => next.may(key))).toEqual(['now', 'now', 'never', 'now']);
});

test('what is remembered of losses is bounded, whatever a client does', () => {
  const world = client();
  world.lose(1, ...Array.from({ length: 5_000 }, (_, index) => String(index)));
  expect(world.losses.size).toBe(1_024);
});

test('what waits for its turn waits once, and its slot with it: a peer that answers no pings fills no memory', () => {
  const world = client();
  world.lose(2, 'a', 'b');
  const { large } = world.socket();
  let written = 0;
  for (let times = 0; times < 1_000; times++) for (const key of ['a', 'b']) large.write(key, LARGE, () => written++);
  expect(written).toBe(1);
  large.ponged(1);
  expect(written).toBe(2);
});
