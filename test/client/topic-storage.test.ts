import { expect, test, vi } from 'vitest';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

const world = scripted();

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];

/** A topic that is listened to, and its socket. */
async function listened() {
  const counts = world.start({ auth: () => 'ann' }).counts();
  const stop = counts.view.listen(() => undefined);
  return { counts, socket: await world.welcomed(), stop };
}

async function begin(socket: ScriptedSocket): Promise<void> {
  await socket.say(['subscribed', 1, 'counts', ['E', 5], 'live'], ['snapshot', 'counts', ['E', 5], { a: 1 }]);
}

test('a state that an app has stored is shown by its next start, which gets what was missed alone', async () => {
  const { counts, socket } = await listened();
  expect(counts.read()).toBeUndefined();
  await begin(socket);
  expect(counts.read()).toEqual({ state: { a: 1 }, position: ['E', 5] });
  await socket.say(count(6, 'b', 2));
  const storage = JSON.stringify(counts.read());
  await world.connection.close();
  expect(counts.read()).toBeUndefined();

  const next = world.start().counts();
  next.hydrate(JSON.parse(storage));
  expect(next.read()).toEqual({ state: { a: 1, b: 2 }, position: ['E', 6] });
  const stop = next.view.listen(() => undefined);
  const again = await world.welcomed();
  expect(again.all('subscribe')).toEqual([['subscribe', 1, 'counts', ['E', 6]]]);
  await again.say(['subscribed', 1, 'counts', ['E', 7], 'resumed'], count(7, 'c', 3));
  expect(next.read()).toEqual({ state: { a: 1, b: 2, c: 3 }, position: ['E', 7] });
  stop();
});

test('is read with its position after its last listener has left, and from within one that hears of it', async () => {
  const { counts, socket, stop } = await listened();
  const heard: unknown[] = [];
  const events = counts.subscribe({
    event: (_, position) => heard.push([position, counts.read()]),
  });
  await begin(socket);
  await socket.say(count(6, 'b', 2), count(7, 'b', 3));
  expect(heard).toEqual([
    [['E', 6], { state: { a: 1, b: 2 }, position: ['E', 6] }],
    [['E', 7], { state: { a: 1, b: 3 }, position: ['E', 7] }],
  ]);
  stop();
  events.unsubscribe();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(counts.read()).toEqual({ state: { a: 1, b: 3 }, position: ['E', 7] });
});

test('is not there to be read while it lacks an event: to go on from there would be to lose that for good', async () => {
  const { counts, socket, stop } = await listened();
  await begin(socket);
  await socket.say(['event', 'counts', 6, 'what']);
  expect([counts.state.get(), counts.read()]).toEqual([{ a: 1 }, undefined]);
  const [, n] = socket.all('subscribe').at(-1)!;
  await socket.say(['subscribed', n, 'counts', ['E', 6], 'live'], ['snapshot', 'counts', ['E', 6], { a: 2 }]);
  expect(counts.read()).toEqual({ state: { a: 2 }, position: ['E', 6] });
  stop();
});

test('the next user can’t read what was the former’s', async () => {
  const { counts, socket, stop } = await listened();
  await begin(socket);
  world.connection.setAuth(() => 'bob');
  expect(counts.read()).toBeUndefined();
  await settle();
  stop();
});
