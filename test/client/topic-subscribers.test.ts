import { describe, expect, test } from 'vitest';
import type { Subscription } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

const live = ['subscribed', 1, 'news/a', ['E', 0], 'live'];
const text = (offset: number) => ['event', 'news/a', offset, { text: String(offset) }];

describe('listeners of a topic that come and go while they are told', () => {
  test('keep no other from hearing it; who left hears nothing more, and who came hears the next', async () => {
    const room = world.start().news({ channel: 'a' });
    const socket = await world.welcomed();
    const heard: string[] = [];
    const hears = (name: string) => room.subscribe((event) => void heard.push(`${name} ${event.text}`));
    const first = room.subscribe(({ text: told }) => {
      heard.push(`first ${told}`);
      first.unsubscribe();
      third.unsubscribe();
      hears('late');
    });
    hears('second');
    const third: Subscription = hears('third');
    hears('fourth');
    await socket.say(live, text(1));
    expect(heard).toEqual(['first 1', 'second 1', 'fourth 1']);
    heard.length = 0;
    await socket.say(text(2));
    expect(heard).toEqual(['second 2', 'fourth 2', 'late 2']);
  });

  test('are loops, too: each has its own place, and one that is left disturbs no other', async () => {
    const room = world.start().news({ channel: 'a' });
    const socket = await world.welcomed();
    const read: string[] = [];
    const loop = async (name: string, count: number): Promise<void> => {
      for await (const event of room.events()) {
        read.push(`${name} ${event.text}`);
        if (--count === 0) return;
      }
    };
    const both = [loop('short', 1), loop('long', 3)];
    await settle();
    await socket.say(live, text(1), text(2), text(3));
    await Promise.all(both);
    expect(read.filter((each) => each.startsWith('short'))).toEqual(['short 1']);
    expect(read.filter((each) => each.startsWith('long'))).toEqual(['long 1', 'long 2', 'long 3']);
    expect(socket.all('subscribe')).toHaveLength(1);
  });
});

test('a topic that the server refused can be asked for again by the app, and says nothing of its end to the server', async () => {
  const room = world.start().news({ channel: 'a' });
  const socket = await world.welcomed();
  const refused = room.subscribe(() => undefined);
  await settle();
  await socket.say(['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: 'not you' }]);
  await expect(refused.ready).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const heard: string[] = [];
  const again = room.subscribe((event) => void heard.push(event.text));
  await settle();
  await socket.say(['subscribed', 2, 'news/a', ['E', 0], 'live'], text(1));
  await again.ready;
  expect(heard).toEqual(['1']);
  expect(socket.all('subscribe')).toHaveLength(2);
  expect(socket.all('unsubscribe')).toEqual([]);
});
