import { expect, test, vi } from 'vitest';
import { scripted } from '../helpers/scripted-client.ts';

const world = scripted();

test('one listener stands for all calls, publishes and loops of a signal, and none is left when they have ended', async () => {
  const client = world.start();
  const socket = await world.server.socket();
  await socket.welcome({ limits: { calls: 32 } });
  const { signal } = new AbortController();
  const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
  const calls = Array.from({ length: 20 }, () => client.ping(undefined, { signal }));
  await vi.advanceTimersByTimeAsync(0);
  expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 0]);
  await socket.say(...calls.map((_, index) => ['reply', index + 1]));
  await Promise.all(calls);
  expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 1]);
  const another = client.ping(undefined, { signal });
  await socket.say(['reply', 21]);
  await another;
  expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([2, 2]);
});

test('a call that is aborted before there is a connection is never sent, and leaves no listener on its signal', async () => {
  const client = world.start();
  const controller = new AbortController();
  const removed = vi.spyOn(controller.signal, 'removeEventListener');
  const answer = client.ping(undefined, { signal: controller.signal }).safe();
  controller.abort();
  expect((await answer).error).toMatchObject({ code: 'ABORTED', outcome: 'not-sent' });
  expect(removed).toHaveBeenCalledTimes(1);
  const socket = await world.welcomed();
  expect(socket.all('call')).toEqual([]);
});

test('an abort reaches all of them, also where one leaves another by it', async () => {
  const client = world.start();
  await world.welcomed();
  const controller = new AbortController();
  const { signal } = controller;
  const settled = [
    client.ping(undefined, { signal }).safe(),
    client.note({ text: 'a' }, { signal }).safe(),
    client.news({ channel: 'a' }).publish({ text: 'a' }, { signal }).safe(),
  ];
  const loop = client.news({ channel: 'a' }).events({ signal }).next();
  controller.abort(new Error('enough'));
  const codes = (await Promise.all(settled)).map(({ error }) => error?.code);
  expect(codes).toEqual(['ABORTED', 'ABORTED', 'ABORTED']);
  await expect(loop).rejects.toMatchObject({ code: 'ABORTED' });
});
