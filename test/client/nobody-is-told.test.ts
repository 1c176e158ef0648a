import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionStatus } from '../../src/index.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { saying } from '../helpers/saying.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

const world = scripted();

afterEach(() => {
  vi.restoreAllMocks();
});

const codes = () => world.errors.map((error) => (error as { code?: string }).code ?? String(error));

async function gap(socket: ScriptedSocket): Promise<void> {
  await socket.say(['subscribed', 1, 'news/a', ['E', 1], 'live'], ['subscribed', 1, 'news/a', ['F', 5], 'gap']);
}

async function refuse(socket: ScriptedSocket, n = 1): Promise<void> {
  await socket.say(['unsubscribed', n, 'news/a', { code: 'FORBIDDEN', message: 'no' }]);
}

describe('a gap', () => {
  test('that no listener takes goes to error, once, with where it is', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    client.news({ channel: 'a' }).subscribe(() => undefined);
    client.news({ channel: 'a' }).subscribe({ event: () => undefined });
    await settle();
    await gap(socket);
    expect(world.errors).toMatchObject([{ code: 'GAP', path: 'news', data: { from: ['E', 1], to: ['F', 5] } }]);
    expect(String(world.errors[0])).toEqual(saying('Subscribe with `gap`'));
  });

  test('that one of them takes does not, also when that one leaves then', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    client.news({ channel: 'a' }).subscribe(() => undefined);
    const taker = client.news({ channel: 'a' }).subscribe({ gap: () => taker.unsubscribe() });
    await settle();
    await gap(socket);
    expect(world.errors).toEqual([]);
  });

  test('that a view takes does not, while somebody listens to that', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const { subscribe, view } = client.news({ channel: 'a' });
    subscribe(() => undefined);
    const stop = view.listen(() => undefined);
    await settle();
    await gap(socket);
    expect([codes(), view.get().gap?.to]).toEqual([[], ['F', 5]]);
    stop();
    stop();
    await socket.say(['subscribed', 1, 'news/a', ['H', 5], 'gap']);
    expect(codes()).toEqual(['GAP']);
  });

  test('behind which a state comes that somebody takes does not', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const snapshot = vi.fn();
    client.board().subscribe({ snapshot });
    await settle();
    for (const epoch of ['E', 'F']) {
      await socket.say(
        ['subscribed', 1, 'board', [epoch, 1], epoch === 'E' ? 'live' : 'gap'],
        ['snapshot', 'board', [epoch, 1], { size: 1 }],
      );
    }
    expect(snapshot).toHaveBeenCalledTimes(2);
    expect([world.connection.stats().gaps, world.errors]).toEqual([1, []]);
  });
});

describe('the end of a subscription', () => {
  test('that nobody hears of goes to error, once', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    for (let n = 0; n < 3; n++) client.news({ channel: 'a' }).subscribe(() => n);
    await settle();
    await refuse(socket);
    expect(codes()).toEqual(['FORBIDDEN']);
  });

  test('long after it was ready does too, though somebody waited for that', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
    await socket.say(['subscribed', 1, 'news/a', ['E', 1], 'live']);
    await subscription.ready;
    await refuse(socket);
    expect(codes()).toEqual(['FORBIDDEN']);
  });

  test('of a state does too: a store has no other way to tell it', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    client.counts().state.subscribe(() => undefined);
    await settle();
    await socket.say(['unsubscribed', 1, 'counts', { code: 'FORBIDDEN', message: 'no' }]);
    expect(codes()).toEqual(['FORBIDDEN']);
  });

  test('which all had left does not', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
    await settle();
    subscription.unsubscribe();
    await refuse(socket);
    expect(world.errors).toEqual([]);
  });

  test('does not where a status listener, or who waits until it is ready, hears of it', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    const status = vi.fn();
    client.news({ channel: 'a' }).subscribe({ status });
    await settle();
    await refuse(socket);
    expect(status).toHaveBeenCalledWith('ended', expect.objectContaining({ code: 'FORBIDDEN', path: 'news' }));
    const { ready } = client.news({ channel: 'a' }).subscribe(() => undefined);
    await settle();
    await refuse(socket, 2);
    await expect(ready).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(world.errors).toEqual([]);
  });

  test('with a connection that the app closes does not', async () => {
    const client = world.start();
    await world.welcomed();
    client.news({ channel: 'a' }).subscribe(() => undefined);
    client.counts().state.subscribe(() => undefined);
    await world.connection.close();
    client.news({ channel: 'a' }).subscribe(() => undefined);
    await settle();
    expect(world.errors).toEqual([]);
  });
});

test('an async listener that rejects is reported as one that throws', async () => {
  const client = world.start();
  const fail = (what: string) => (() => Promise.reject(new Error(what))) as () => void;
  world.connection.on('status', fail('connection'));
  const socket = await world.welcomed();
  client.news({ channel: 'a' }).subscribe(fail('function'));
  client.news({ channel: 'a' }).subscribe({ event: fail('event'), gap: fail('gap'), status: fail('status') });
  client.board().subscribe({ snapshot: fail('snapshot') });
  await settle();
  await socket.say(['subscribed', 1, 'news/a', ['E', 1], 'live'], ['event', 'news/a', 2, { text: 'x' }]);
  await socket.say(['subscribed', 1, 'news/a', ['F', 5], 'gap']);
  await socket.say(['subscribed', 2, 'board', ['E', 1], 'live'], ['snapshot', 'board', ['E', 1], { size: 1 }]);
  await settle();
  expect(new Set(codes())).toEqual(
    new Set(['connection', 'function', 'event', 'gap', 'status', 'snapshot'].map((what) => `Error: ${what}`)),
  );
});

test('a listener that is there twice hears it twice, and each undo takes back its own, once', async () => {
  world.start();
  const heard: string[] = [];
  const listener = ({ state }: ConnectionStatus) => void heard.push(state);
  const [undo] = [world.connection.on('status', listener), world.connection.on('status', listener)];
  const socket = await world.welcomed();
  expect(heard.filter((state) => state === 'connected')).toHaveLength(2);
  undo();
  undo();
  heard.length = 0;
  await socket.cut();
  expect(heard.filter((state) => state === 'waiting')).toHaveLength(1);
});

test('a listener that is subscribed again with each connection is warned of, once, in development', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  const client = world.start();
  const heard = vi.fn();
  world.connection.on('status', ({ state }) => {
    if (state === 'connected') client.news({ channel: 'a' }).subscribe(heard);
  });
  let socket = await world.welcomed();
  expect(warn).not.toHaveBeenCalled();
  for (let times = 0; times < 2; times++) {
    await socket.cut();
    socket = await world.server.next();
    await socket.welcome();
    expect(warn).toHaveBeenCalledTimes(DEVELOPMENT ? 1 : 0);
  }
  const told = ['news/a is subscribed twice with the same listener'].map((text) => [expect.stringContaining(text)]);
  expect(warn.mock.calls).toEqual(DEVELOPMENT ? told : []);
});

test('a listener that leaves and comes back is not', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  const client = world.start();
  const listener = () => undefined;
  client.news({ channel: 'a' }).subscribe(listener).unsubscribe();
  client.news({ channel: 'a' }).subscribe({ event: listener });
  client.news({ channel: 'b' }).subscribe(listener);
  await world.welcomed();
  expect(warn).not.toHaveBeenCalled();
});
