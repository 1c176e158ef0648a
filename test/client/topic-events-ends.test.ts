import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createClient, defineContract, topic, type Gap } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

const text = (offset: number) => ['event', 'news/a', offset, { text: String(offset) }];
const count = (offset: number) => ['event', 'counts', offset, { key: 'k', count: offset }];
const live = ['subscribed', 1, 'news/a', ['E', 0], 'live'];

/** A loop that is subscribed, with one event that waits. */
async function waiting(options: object = {}) {
  const client = world.start();
  const socket = await world.welcomed();
  const events = client.news({ channel: 'a' }).events({ buffer: 4, ...options });
  const first = events.next();
  await settle();
  await socket.say(live, text(1), text(2));
  await first;
  return { client, socket, events };
}

const done = { done: true, value: undefined };

describe('a loop over events ends', () => {
  test('with the error of the server, behind what was heard before', async () => {
    const { socket, events } = await waiting();
    await socket.say(['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: 'not you' }]);
    expect(await events.next()).toMatchObject({ value: { text: '2' } });
    await expect(events.next()).rejects.toMatchObject({ code: 'FORBIDDEN', outcome: 'rejected' });
    expect(await events.next()).toEqual(done);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('with CLOSED when the connection is closed, and at once on a closed one', async () => {
    const { client, events } = await waiting();
    await world.connection.close();
    expect(await events.next()).toMatchObject({ value: { text: '2' } });
    await expect(events.next()).rejects.toMatchObject({ code: 'CLOSED' });
    const late = client.news({ channel: 'a' }).events();
    await expect(late.next()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await late.next()).toEqual(done);
  });

  test('with ABORTED by its signal: at once, with all steps, and nothing is left of it', async () => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const { events } = await waiting({ signal: controller.signal });
    await events.next();
    const steps = [events.next(), events.next()];
    controller.abort(new Error('enough'));
    await expect(steps[0]).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
    expect(await steps[1]).toEqual(done);
    expect(removed).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('with ABORTED and no subscription where the signal was aborted before', async () => {
    const client = world.start();
    const events = client.news({ channel: 'a' }).events({ signal: AbortSignal.abort() });
    await expect(events.next()).rejects.toMatchObject({ code: 'ABORTED' });
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('with UNAUTHENTICATED for another identity, which sees nothing of what waited', async () => {
    const { events } = await waiting();
    world.connection.setAuth(() => 'another');
    await expect(events.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await events.next()).toEqual(done);
  });

  test('with UNAUTHENTICATED for another identity, also where the subscription had ended before', async () => {
    const { socket, events } = await waiting();
    await socket.say(['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: 'no more' }]);
    world.connection.setAuth(() => 'another');
    await expect(events.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await events.next()).toEqual(done);
  });

  test('not for another identity when it has heard nothing yet', async () => {
    const client = world.start();
    const events = client.news({ channel: 'a' }).events();
    const first = events.next();
    await world.welcomed();
    world.connection.setAuth(() => 'another');
    const socket = await world.server.next();
    await socket.welcome({ identity: 'I2' });
    await socket.say(['subscribed', socket.all('subscribe')[0]![1], 'news/a', ['E', 0], 'live'], text(1));
    expect(await first).toMatchObject({ value: { text: '1' } });
  });

  test('with GAP where events were lost, and the gap is its data', async () => {
    const { socket, events } = await waiting();
    await socket.say(['subscribed', 1, 'news/a', ['F', 7], 'gap'], text(8));
    expect(await events.next()).toMatchObject({ value: { text: '2' } });
    await expect(events.next()).rejects.toMatchObject({ code: 'GAP', data: { from: ['E', 2], to: ['F', 7] } });
    expect(await events.next()).toEqual(done);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.connection.stats().subscriptions).toBe(0);
  });
});

describe('a loop that takes gaps', () => {
  test('is told each in its place, those in a row as one, and goes on', async () => {
    const gaps: Gap[] = [];
    const { socket, events } = await waiting({ gap: (gap: Gap) => gaps.push(gap) });
    await socket.say(
      ['subscribed', 1, 'news/a', ['F', 7], 'gap'],
      ['subscribed', 1, 'news/a', ['G', 1], 'gap'],
      text(2),
    );
    expect(await events.next()).toMatchObject({ value: { text: '2' } });
    expect(gaps).toEqual([]);
    expect(await events.next()).toMatchObject({ value: { text: '2' } });
    expect(gaps).toMatchObject([{ from: ['E', 2], to: ['G', 1] }]);
  });

  test('may ask for more from there, and is answered in order', async () => {
    let second: unknown;
    const { socket, events } = await waiting({ gap: () => (second = events.next()) });
    await socket.say(['subscribed', 1, 'news/a', ['F', 7], 'gap'], text(8), text(9));
    expect(await events.next()).toMatchObject({ value: { text: '2' } });
    expect(await events.next()).toMatchObject({ value: { text: '8' } });
    expect(await second).toMatchObject({ value: { text: '9' } });
  });

  test('may leave from there, and hears nothing more; what it throws is reported', async () => {
    const { socket, events } = await waiting({
      gap: () => {
        void events.return();
        throw new Error('mine');
      },
    });
    await events.next();
    const last = events.next();
    await socket.say(['subscribed', 1, 'news/a', ['F', 7], 'gap'], text(8));
    expect(await last).toEqual(done);
    expect(world.errors).toEqual([new Error('mine')]);
  });

  test('of a topic with a state is given that too, in its place: first, and after a gap', async () => {
    const told: unknown[] = [];
    const client = world.start();
    const socket = await world.welcomed();
    const events = client.counts().events({
      buffer: 1,
      gap: ({ from, to }) => told.push(['gap', from, to]),
      snapshot: (state, position) => told.push([state, position]),
    });
    const taken = (async () => {
      for await (const { count } of events) told.push(count);
    })();
    await settle();
    const state = (epoch: string, offset: number) => [
      ['subscribed', 1, 'counts', [epoch, offset], offset === 5 ? 'live' : 'gap'],
      ['snapshot', 'counts', [epoch, offset], { [epoch]: offset }],
    ];
    await socket.say(...state('E', 5), count(6));
    await socket.say(...state('F', 1), count(2));
    await events.return();
    await taken;
    expect(told).toEqual([[{ E: 5 }, ['E', 5]], 6, ['gap', ['E', 6], ['F', 1]], [{ F: 1 }, ['F', 1]], 2]);
  });
});

test('a loop over a topic that can not be subscribed fails once, and then it is done', async () => {
  await waiting();
  const other = createClient(
    defineContract({ news: topic('news/{channel}', { event: z.object({ text: z.string() }) }) }),
    world.connection,
  );
  const events = other.news({ channel: 'a' }).events();
  await expect(events.next()).rejects.toThrow(TypeError);
  expect(await events.next()).toEqual(done);
});
