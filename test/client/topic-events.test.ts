import { describe, expect, test, vi } from 'vitest';
import type { Gap } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

const world = scripted();

const text = (offset: number) => ['event', 'news/a', offset, { text: String(offset) }];
const texts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => text(from + index));
const live = ['subscribed', 1, 'news/a', ['E', 0], 'live'];
const subscriptions = (socket: ScriptedSocket) =>
  socket.received.filter(([name]) => name === 'subscribe' || name === 'unsubscribe');

/** Takes so many events. */
async function take(events: AsyncIterable<{ text: string }>, count: number): Promise<string[]> {
  const taken: string[] = [];
  const iterator = events[Symbol.asyncIterator]();
  for (let index = 0; index < count; index++) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    taken.push(value.text);
  }
  return taken;
}

/** A loop with a buffer of four that has taken the first event. */
async function started(options: object = {}) {
  const client = world.start();
  const socket = await world.welcomed();
  const events = client.news({ channel: 'a' }).events({ buffer: 4, ...options });
  const first = events.next();
  await settle();
  await socket.say(live, text(1));
  expect(await first).toEqual({ done: false, value: { text: '1' } });
  return { client, socket, events };
}

describe('a loop over events', () => {
  test('subscribes with its first step, gives each event once and knows where it is, and leaves with break', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const events = client.news({ channel: 'a' }).events();
    await settle();
    expect(world.connection.stats().subscriptions).toBe(0);
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const event of events) {
        seen.push([event.text, events.position]);
        if (event.text === '3') break;
      }
    })();
    await settle();
    await socket.say(live, text(1), text(1), text(2), text(3), text(4));
    await loop;
    expect(seen).toEqual([
      ['1', ['E', 1]],
      ['2', ['E', 2]],
      ['3', ['E', 3]],
    ]);
    expect(await events.next()).toEqual({ done: true, value: undefined });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.all('unsubscribe')).toHaveLength(1);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('that nobody steps is no subscription, and one that is left before its first step never was', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    client.news({ channel: 'a' }).events();
    const left = client.news({ channel: 'a' }).events();
    expect(await left.return()).toEqual({ done: true, value: undefined });
    expect(await left.next()).toEqual({ done: true, value: undefined });
    await settle();
    expect(subscriptions(socket)).toEqual([]);
  });

  test('answers steps that were asked for ahead in order', async () => {
    const { socket, events } = await started();
    const ahead = [events.next(), events.next(), events.next()];
    await socket.say(text(2), text(3));
    await events.return();
    expect(await Promise.all(ahead)).toMatchObject([
      { value: { text: '2' } },
      { value: { text: '3' } },
      { done: true },
    ]);
  });

  test('refuses a buffer that is none', () => {
    const client = world.start();
    for (const buffer of [0, 1.5, NaN, Infinity])
      expect(() => client.news({ channel: 'a' }).events({ buffer })).toThrow(RangeError);
  });
});

describe('a slow loop alone on its topic', () => {
  test('has the topic unsubscribed when its buffer is full, and subscribes from its position when half is taken', async () => {
    const { socket, events } = await started();
    await socket.say(...texts(2, 7));
    expect(subscriptions(socket)).toEqual([
      ['subscribe', 1, 'news/a'],
      ['unsubscribe', 'news/a'],
    ]);
    // What the server still says of a subscription that was given up concerns nobody.
    await socket.say(text(8), ['subscribed', 1, 'news/a', ['F', 9], 'gap']);
    await socket.say(['unsubscribed', 1, 'news/a', { code: 'INTERNAL', message: 'late' }]);
    expect(await take(events, 1)).toEqual(['2']);
    await settle();
    expect(socket.all('subscribe')).toHaveLength(1);
    expect(await take(events, 1)).toEqual(['3']);
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'news/a', ['E', 5]]);
    await socket.say(['subscribed', 2, 'news/a', ['E', 5], 'resumed'], ...texts(6, 7));
    expect(await take(events, 4)).toEqual(['4', '5', '6', '7']);
    expect(world.connection.stats().gaps).toBe(0);
  });

  test('of which more came at once than fit asks for what it dropped, however fast it is', async () => {
    const { socket, events } = await started();
    const taken = take(events, 7);
    await socket.say(...texts(2, 8));
    await settle();
    expect(subscriptions(socket).slice(1)).toEqual([
      ['unsubscribe', 'news/a'],
      ['subscribe', 2, 'news/a', ['E', 6]],
    ]);
    await socket.say(text(9), ['subscribed', 2, 'news/a', ['E', 6], 'resumed'], ...texts(7, 9));
    expect(await taken).toEqual(['2', '3', '4', '5', '6', '7', '8']);
  });

  test('stays away over a lost connection while it is paused, and then goes on from its position', async () => {
    const { socket, events } = await started();
    await socket.say(...texts(2, 7));
    await socket.cut();
    const second = await world.server.next();
    await second.welcome();
    expect(subscriptions(second)).toEqual([]);
    await take(events, 2);
    await settle();
    expect(subscriptions(second)).toEqual([['subscribe', 2, 'news/a', ['E', 5]]]);
    await second.cut(); // before the answer
    const third = await world.server.next();
    expect(subscriptions(third)).toEqual([['subscribe', 3, 'news/a', ['E', 5]]]);
    await third.welcome();
    await third.say(['subscribed', 3, 'news/a', ['E', 5], 'resumed'], text(6));
    expect(await take(events, 3)).toEqual(['4', '5', '6']);
  });

  test('leaves whoever joins meanwhile to begin from now', async () => {
    const { client, socket, events } = await started();
    await socket.say(...texts(2, 7));
    const heard: unknown[] = [];
    client.news({ channel: 'a' }).subscribe((event) => heard.push(event.text));
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'news/a']);
    await socket.say(['subscribed', 2, 'news/a', ['E', 20], 'live'], text(21));
    expect(await take(events, 2)).toEqual(['2', '3']);
    await settle();
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 3, 'news/a', ['E', 5]]);
    await socket.say(['subscribed', 3, 'news/a', ['E', 5], 'resumed'], ...texts(6, 22));
    expect(heard).toEqual(['21', '22']);
    expect(await take(events, 4)).toEqual(['4', '5', '6', '7']);
  });
});

describe('a slow loop beside another listener', () => {
  const beside = async (options: object = {}) => {
    const { client, socket, events } = await started(options);
    const heard: unknown[] = [];
    client.news({ channel: 'a' }).subscribe({
      event: (event) => heard.push(event.text),
      gap: ({ from, to }) => heard.push(['gap', from, to]),
    });
    await socket.say(...texts(2, 9));
    expect(subscriptions(socket)).toHaveLength(1);
    return { client, socket, events, heard };
  };

  test('pauses itself alone; the other drops what is repeated for it', async () => {
    const { socket, events, heard } = await beside();
    expect(heard).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
    expect(await take(events, 2)).toEqual(['2', '3']);
    await settle();
    expect(subscriptions(socket).slice(1)).toEqual([['subscribe', 2, 'news/a', ['E', 5]]]);
    await socket.say(text(10), ['subscribed', 2, 'news/a', ['E', 5], 'resumed'], ...texts(6, 11));
    expect(heard.slice(8)).toEqual(['10', '11']);
    expect(await take(events, 4)).toEqual(['4', '5', '6', '7']);
  });

  test('that is too slow for the history has a gap of its own, and the other none', async () => {
    const gaps: Gap[] = [];
    const { socket, events, heard } = await beside({ gap: (gap: Gap) => gaps.push(gap) });
    await take(events, 2);
    await settle();
    await socket.say(['subscribed', 2, 'news/a', ['E', 12], 'gap']);
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 3, 'news/a', ['E', 9]]);
    await socket.say(['subscribed', 3, 'news/a', ['E', 9], 'resumed'], ...texts(10, 13));
    expect(heard.slice(8)).toEqual(['10', '11', '12', '13']);
    expect(await take(events, 3)).toEqual(['4', '5', '13']);
    expect(gaps).toMatchObject([{ from: ['E', 5], to: ['E', 12] }]);
  });

  test('learns of an epoch that began while it was paused', async () => {
    const { socket, events, heard } = await beside();
    await socket.say(['subscribed', 1, 'news/a', ['F', 3], 'gap'], text(4));
    expect(heard.slice(8)).toEqual([['gap', ['E', 9], ['F', 3]], '4']);
    expect(await take(events, 4)).toEqual(['2', '3', '4', '5']);
    await expect(events.next()).rejects.toMatchObject({ code: 'GAP', data: { from: ['E', 5], to: ['F', 4] } });
    expect(subscriptions(socket)).toHaveLength(1);
  });

  test('is left alone when the other goes, and has the topic given up', async () => {
    const { client, socket } = await started();
    const other = client.news({ channel: 'a' }).subscribe(() => undefined);
    await socket.say(...texts(2, 9));
    other.unsubscribe();
    await settle();
    expect(subscriptions(socket).at(-1)).toEqual(['unsubscribe', 'news/a']);
    expect(world.connection.stats().subscriptions).toBe(1);
  });
});
