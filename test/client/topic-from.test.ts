import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, topic, type Gap, type Position } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

const text = (offset: number) => ['event', 'news/a', offset, { text: String(offset) }];
const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];

/** A listener of positions and gaps, of events alone. */
function listener(from?: Position) {
  const heard: unknown[] = [];
  const event = (_: unknown, [epoch, offset]: Position): unknown => heard.push(`${epoch}${String(offset)}`);
  const gap = ({ from: before, to }: Gap): unknown => heard.push([before?.join(''), to.join('')]);
  const snapshot = (state: unknown): unknown => heard.push(state);
  return { heard, listeners: { from, event, gap, snapshot } };
}

describe('a listener that begins after a position', () => {
  test('hears what was published since, and nothing twice', async () => {
    const room = world.start().news({ channel: 'a' });
    const { heard, listeners } = listener(['E', 3]);
    room.subscribe(listeners);
    const socket = await world.welcomed();
    expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'news/a', ['E', 3]]]);
    await socket.say(['subscribed', 1, 'news/a', ['E', 5], 'resumed'], text(3), text(4), text(5), text(6));
    expect(heard).toEqual(['E4', 'E5', 'E6']);
    expect(world.connection.stats().gaps).toBe(0);
  });

  test('is told the gap where the history does not reach so far', async () => {
    const room = world.start().news({ channel: 'a' });
    const { heard, listeners } = listener(['E', 3]);
    room.subscribe(listeners);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['F', 9], 'gap'], ['event', 'news/a', 10, { text: '10' }]);
    expect(heard).toEqual([['E3', 'F9'], 'F10']);
    expect(world.connection.stats().gaps).toBe(1);
  });

  test('has a gap reported that it does not take', async () => {
    const room = world.start().news({ channel: 'a' });
    const errors: unknown[] = [];
    world.connection.on('error', (error) => errors.push(error));
    room.subscribe({ from: ['E', 3], event: () => undefined });
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['F', 9], 'gap']);
    expect(errors).toMatchObject([{ code: 'GAP', path: 'news' }]);
  });

  test('beside one that is live is brought up to it, and the other hears nothing again', async () => {
    const room = world.start().news({ channel: 'a' });
    const other = listener();
    room.subscribe(other.listeners);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 4], 'live'], text(5));
    const { heard, listeners } = listener(['E', 3]);
    room.subscribe(listeners);
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'news/a', ['E', 3]]);
    await socket.say(['subscribed', 2, 'news/a', ['E', 3], 'resumed'], text(4), text(5), text(6));
    expect([heard, other.heard]).toEqual([
      ['E4', 'E5', 'E6'],
      ['E5', 'E6'],
    ]);
  });

  test('of another history than those who listen is told a gap up to where they are', async () => {
    const room = world.start().news({ channel: 'a' });
    room.subscribe(() => undefined);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 4], 'live'], text(5));
    const { heard, listeners } = listener(['D', 90]);
    room.subscribe(listeners);
    await socket.say(text(6));
    expect(heard).toEqual([['D90', 'E5'], 'E6']);
  });

  test('has the state of it, where the topic declares one: a snapshot comes to others, and after a gap', async () => {
    const counts = world.start().counts();
    const { heard, listeners } = listener(['E', 3]);
    counts.subscribe(listeners);
    const socket = await world.welcomed();
    expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'counts', ['E', 3]]]);
    await socket.say(['subscribed', 1, 'counts', ['E', 4], 'resumed'], count(4, 'a', 4));
    expect([heard, counts.state.get()]).toEqual([['E4'], undefined]);

    const other = listener();
    counts.subscribe(other.listeners);
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'counts']);
    const [at, state] = [['E', 4], { a: 4 }];
    await socket.say(['subscribed', 2, 'counts', at, 'live'], ['snapshot', 'counts', at, state], count(5, 'b', 1));
    expect([heard, other.heard]).toEqual([
      ['E4', 'E5'],
      [{ a: 4 }, 'E5'],
    ]);
    expect(counts.state.get()).toEqual({ a: 4, b: 1 });

    await socket.cut();
    const next = await world.server.next();
    await next.welcome();
    await next.say(['subscribed', 3, 'counts', ['F', 0], 'gap'], ['snapshot', 'counts', ['F', 0], {}]);
    expect(heard.slice(2)).toEqual([['E5', 'F0'], {}]);
  });

  test('begins anew as another user: the position is the former one’s', async () => {
    const room = world.start({ auth: () => 'ann' }).news({ channel: 'a' });
    room.subscribe(listener(['E', 3]).listeners);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 3], 'resumed'], text(4));
    world.connection.setAuth(() => 'bob');
    const next = await world.server.next();
    expect(next.all('subscribe')).toEqual([['subscribe', 2, 'news/a']]);
  });

  test('that is none is refused, and nothing is left of it', async () => {
    const room = world.start().news({ channel: 'a' });
    const wrong = [['E'], ['E', -1], [7, 7], ['E', 1.5], 'E:7', null] as unknown[];
    for (const from of wrong) expect(() => room.subscribe({ from: from as Position })).toThrow(TypeError);
    if (DEVELOPMENT) expect(() => room.subscribe({ from: 'E:7' as never })).toThrow(`['epoch', 7], not "E:7"`);
    for (const from of wrong) expect(() => room.events({ from: from as Position })).toThrow(TypeError);
    expect(world.connection.stats().subscriptions).toBe(0);
  });
});

test('a loop that begins after a position misses nothing, on a real server', async () => {
  const contract = defineContract({ news: topic('news', { event: z.number() }) });
  await using pair = connectedPair(contract, { news: { authorize: () => true } });
  const published: Position[] = [];
  for (let n = 1; n <= 5; n++) published.push(await pair.server.topic('news').publish(n));
  const events = pair.client.news().events({ from: published[1] });
  expect(events.position).toEqual(published[1]);
  const seen: number[] = [];
  for await (const event of events) {
    seen.push(event);
    if (event === 5) break;
  }
  expect(seen).toEqual([3, 4, 5]);
  expect(events.position).toEqual(published[4]);
});
