// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { TautlineError } from '../../src/index.ts';
import { topicReady } from '../../src/react/suspense.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

const world = scripted();

// What settled last is held so long: no timer is left of it then.
afterEach(() => vi.advanceTimersByTimeAsync(5_000));

const live = (n: number, state: object) => [
  ['subscribed', n, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], state],
];
const refused = (n: number) => ['unsubscribed', n, 'counts', { code: 'FORBIDDEN', message: 'not you' }];

/** Numbers of the subscriptions that a socket was asked for. */
const asked = (socket: ScriptedSocket) => socket.all('subscribe').map(([, n]) => n);

/** How often a promise settled, and with what. */
function settledOf(promise: Promise<unknown>): unknown[] {
  const settled: unknown[] = [];
  promise.then(
    (value) => settled.push(value),
    (error: unknown) => settled.push((error as TautlineError).code),
  );
  return settled;
}

describe('topicReady', () => {
  test('is one promise for all who read it, and one subscription; it resolves with the first state', async () => {
    const counts = world.start().counts();
    const ready = topicReady(counts);
    const settled = settledOf(ready);
    expect(topicReady(counts)).toBe(ready);
    const socket = await world.welcomed();
    expect([asked(socket), settled]).toEqual([[1], []]);
    await socket.say(...live(1, { a: 1 }), ['event', 'counts', 1, { key: 'a', count: 2 }]);
    expect(settled).toEqual([{ a: 1 }]);
    expect(topicReady(counts)).toBe(ready);
    const stop = counts.view.listen(() => undefined);
    await vi.advanceTimersByTimeAsync(10_000);
    await socket.cut();
    expect([counts.view.get().status, topicReady(counts)]).toEqual(['recovering', ready]);
    stop();
  });

  test('resolves at once where somebody has the state', async () => {
    const counts = world.start().counts();
    counts.subscribe({});
    const socket = await world.welcomed();
    await socket.say(...live(1, { a: 1 }));
    const settled = settledOf(topicReady(counts));
    expect(settled).toEqual([]);
    await settle();
    expect([settled, asked(socket)]).toEqual([[{ a: 1 }], [1]]);
  });

  test('of a topic without a state resolves when the server has taken the subscription, for this user', async () => {
    const news = world.start({ auth: () => 'ann', heartbeat: false }).news({ channel: 'a' });
    const ready = topicReady(news);
    const settled = settledOf(ready);
    const socket = await world.welcomed();
    expect(settled).toEqual([]);
    await socket.say(['subscribed', 1, 'news/a', ['E', 1], 'live']);
    expect(settled).toEqual([undefined]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect([topicReady(news), world.connection.stats().subscriptions]).toEqual([ready, 0]);
    world.connection.setAuth(() => 'bob');
    const anew = topicReady(news);
    expect(anew).not.toBe(ready);
    await world.connection.close();
    await expect(anew).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('rejects once with a refusal, the same for 5 s; then it asks again', async () => {
    const counts = world.start().counts();
    const ready = topicReady(counts);
    const settled = settledOf(ready);
    const socket = await world.welcomed();
    await socket.say(refused(1));
    expect(settled).toEqual(['FORBIDDEN']);
    await vi.advanceTimersByTimeAsync(4_900);
    expect(topicReady(counts)).toBe(ready);
    await vi.advanceTimersByTimeAsync(100);
    const again = settledOf(topicReady(counts));
    await settle();
    expect(asked(socket)).toEqual([1, 2]);
    await socket.say(...live(2, { a: 1 }));
    expect([settled, again, world.errors]).toEqual([['FORBIDDEN'], [{ a: 1 }], []]);
  });

  test('that nobody listens to rejects unheard', async () => {
    void topicReady(world.start().counts());
    const socket = await world.welcomed();
    await socket.say(refused(1));
    // A rejection that nobody handles fails the run.
    expect(world.errors).toEqual([]);
  });

  test('that waits while another user comes resolves with the state of that one', async () => {
    const counts = world.start({ auth: () => 'ann' }).counts();
    const ready = topicReady(counts);
    const settled = settledOf(ready);
    await world.welcomed();
    world.connection.setAuth(() => 'bob');
    expect(topicReady(counts)).toBe(ready);
    const next = await world.server.next();
    await next.welcome({ identity: 'bob' });
    await next.say(...live(asked(next)[0]!, { bob: 1 }));
    expect(settled).toEqual([{ bob: 1 }]);
  });

  test.each([
    ['has resolved', 'a state', (n: number) => live(n, { ann: 1 })],
    ['was refused', 'a refusal', (n: number) => [refused(n)]],
  ])('that %s begins anew for another user', async (_, _what, answer) => {
    const counts = world.start({ auth: () => 'ann' }).counts();
    const ready = topicReady(counts);
    const socket = await world.welcomed();
    await socket.say(...answer(1));
    expect(topicReady(counts)).toBe(ready);
    world.connection.setAuth(() => 'bob');
    const anew = topicReady(counts);
    expect(anew).not.toBe(ready);
    const settled = settledOf(anew);
    const next = await world.server.next();
    await next.welcome({ identity: 'bob' });
    expect(asked(next)).toHaveLength(1);
    await next.say(...live(asked(next)[0]!, { bob: 1 }));
    expect([settled, topicReady(counts)]).toEqual([[{ bob: 1 }], anew]);
  });

  test('that waits is told when the connection is closed', async () => {
    const counts = world.start().counts();
    const settled = settledOf(topicReady(counts));
    await world.welcomed();
    await world.connection.close();
    expect(settled).toEqual(['CLOSED']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([vi.getTimerCount(), world.errors]).toEqual([0, []]);
  });

  test('holds the topic for 5 s after it settled, and no longer', async () => {
    const counts = world.start({ heartbeat: false }).counts();
    void topicReady(counts);
    const socket = await world.welcomed();
    await socket.say(...live(1, {}));
    await vi.advanceTimersByTimeAsync(5_900);
    expect(socket.all('unsubscribe')).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect([socket.all('unsubscribe').length, world.connection.stats().subscriptions]).toEqual([1, 0]);
  });

  test('gives up after 30 s, and is another one then', async () => {
    const counts = world.start({ heartbeat: false }).counts();
    const ready = topicReady(counts);
    const settled = settledOf(ready);
    const socket = await world.welcomed();
    await vi.advanceTimersByTimeAsync(32_000);
    expect(settled).toEqual(['TIMEOUT']);
    expect([socket.all('unsubscribe').length, world.connection.stats().subscriptions]).toEqual([1, 0]);
    const again = topicReady(counts);
    expect(again).not.toBe(ready);
    await world.connection.close();
    await expect(again).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('throws on a server, and opens nothing', () => {
    const counts = world.start({ lazy: true }).counts();
    vi.stubGlobal('window', undefined);
    expect(() => topicReady(counts)).toThrow('no state comes on a server');
    vi.unstubAllGlobals();
    expect(world.connection.status.state).toBe('idle');
  });
});
