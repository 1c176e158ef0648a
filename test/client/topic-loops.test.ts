import { describe, expect, test, vi } from 'vitest';
import type { Gap } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import type { ScriptedSocket } from '../helpers/scripted-server.ts';

/* Whatever a server says, or its broker lost: a client does not ask again and again at once. */

const world = scripted({ heartbeat: false, random: () => 1 });

const lastAsked = (socket: ScriptedSocket) => socket.all('subscribe').at(-1)!;

test('events that can’t be read, of a topic with a state: it is read anew with pauses that grow', async () => {
  const client = world.start();
  const gaps: Gap[] = [];
  client.counts().subscribe({ gap: (gap) => gaps.push(gap) });
  const socket = await world.welcomed();
  let at = 0;
  const askedAt: number[] = [];
  const begun = Date.now();
  for (let seconds = 0; seconds < 60; seconds++) {
    const [, n] = lastAsked(socket);
    if (socket.all('subscribe').length > askedAt.length) {
      askedAt.push(Math.round((Date.now() - begun) / 1_000));
      await socket.say(['subscribed', n, 'counts', ['E', at], 'gap'], ['snapshot', 'counts', ['E', at], {}]);
    }
    // Two within a round trip, as a newer version of the server publishes them.
    await socket.say(['event', 'counts', ++at, 'new'], ['event', 'counts', ++at, 'new']);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  // At first, at once after the first that could not be read, and then after 2.5, 4.5, 8.5, 16.5 and 30.5 s.
  expect(askedAt).toEqual([0, 1, 4, 9, 18, 35]);
  expect(gaps.length).toBeGreaterThan(10);
  expect(gaps.every(({ error }) => error === undefined || error.code === 'BAD_OUTPUT')).toBe(true);
});

describe('a hole in what the server has', () => {
  test('that it has nothing for is one gap, asked for a few times, with pauses, and events go on', async () => {
    const client = world.start();
    const heard: unknown[] = [];
    const gaps: Gap[] = [];
    const event = (_: unknown, position: unknown) => heard.push(position);
    client.news({ channel: 'a' }).subscribe({ event, gap: (gap) => gaps.push(gap) });
    const socket = await world.welcomed();
    const news = (offset: number) => ['event', 'news/a', offset, { text: 'x' }];
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live'], news(1), news(5));
    for (let round = 0; round < 50; round++) {
      const [, n, , from] = lastAsked(socket);
      if (from !== undefined) await socket.say(['subscribed', n, 'news/a', from, 'resumed'], news(5), news(6));
      await vi.advanceTimersByTimeAsync(500);
    }
    const asked = Array.from({ length: 4 }, () => ['E', 1]);
    expect(socket.all('subscribe').map(([, , , from]) => from)).toEqual([undefined, ...asked]);
    expect(gaps).toEqual([{ from: ['E', 1], to: ['E', 4], error: undefined }]);
    expect(heard).toEqual([
      ['E', 1],
      ['E', 5],
      ['E', 6],
    ]);
  });

  test('of a topic with a state: the state is read anew', async () => {
    const client = world.start();
    const states: unknown[] = [];
    const gaps: Gap[] = [];
    client.counts().subscribe({ snapshot: (state) => states.push(state), gap: (gap) => gaps.push(gap) });
    const socket = await world.welcomed();
    const counts = (offset: number) => ['event', 'counts', offset, { key: 'a', count: offset }];
    await socket.say(['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], {}], counts(3));
    for (let n = 2; n <= 5; n++) {
      await socket.say(['subscribed', n, 'counts', ['E', 0], 'resumed'], counts(3));
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect(lastAsked(socket)).toEqual(['subscribe', 6, 'counts']);
    await socket.say(['subscribed', 6, 'counts', ['E', 3], 'live'], ['snapshot', 'counts', ['E', 3], { a: 3 }]);
    expect(states).toEqual([{}, { a: 3 }]);
    expect(gaps).toEqual([{ from: ['E', 0], to: ['E', 2], error: undefined }]);
  });
});

test('an answer to what was asked before says nothing of what was asked since', async () => {
  const client = world.start();
  const gaps: Gap[] = [];
  const heard: unknown[] = [];
  client.counts().subscribe({ event: (_, position) => heard.push(position), gap: (gap) => gaps.push(gap) });
  const socket = await world.welcomed();
  const counts = (offset: number) => ['event', 'counts', offset, { key: 'a', count: offset }];
  await socket.say(['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], {}]);
  // A hole has it asked from 0; before that is answered, one that can’t be read has the state asked for.
  await socket.say(counts(2));
  expect(lastAsked(socket)).toEqual(['subscribe', 2, 'counts', ['E', 0]]);
  await socket.say(['event', 'counts', 1, 'new']);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(lastAsked(socket)).toEqual(['subscribe', 3, 'counts']);
  const asked = socket.all('subscribe').length;
  // The history was lost meanwhile: what is answered to the second is of another epoch.
  await socket.say(['subscribed', 2, 'counts', ['F', 7], 'gap'], ['snapshot', 'counts', ['F', 7], {}], counts(8));
  await socket.say(['subscribed', 3, 'counts', ['F', 9], 'live'], ['snapshot', 'counts', ['F', 9], {}], counts(10));
  expect(heard).toEqual([['F', 10]]);
  expect(socket.all('subscribe')).toHaveLength(asked);
});
