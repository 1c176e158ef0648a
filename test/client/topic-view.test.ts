import { describe, expect, test, vi } from 'vitest';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];
const live = (n: number, state: object) => [
  ['subscribed', n, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], state],
];

describe('a store', () => {
  test('tells a subscriber the value at once and each change, a listener the changes alone', async () => {
    const { state } = world.start().counts();
    const subscribed: unknown[] = [];
    const listened: unknown[] = [];
    const stops = [state.subscribe((value) => subscribed.push(value)), state.listen((value) => listened.push(value))];
    const socket = await world.welcomed();
    await socket.say(...live(1, { a: 1 }), count(1, 'a', 2));
    expect(subscribed).toEqual([undefined, { a: 1 }, { a: 2 }]);
    expect(listened).toEqual([{ a: 1 }, { a: 2 }]);
    expect(state.value).toBe(listened.at(-1));
    stops.forEach((stop) => stop());
  });

  test('calls no listener before listen has returned, also where the topic is live', async () => {
    const counts = world.start().counts();
    counts.subscribe({});
    const socket = await world.welcomed();
    await socket.say(...live(1, { a: 1 }));
    const listener = vi.fn();
    const stop = counts.view.listen(listener);
    expect(listener).not.toHaveBeenCalled();
    expect(counts.view.get()).toMatchObject({ status: 'live', data: { a: 1 } });
    stop();
  });

  test('a listener that is there twice hears twice, and leaves alone', async () => {
    const { view } = world.start().counts();
    const listener = vi.fn();
    const stop = view.listen(listener);
    const other = view.listen(listener);
    stop();
    stop();
    const socket = await world.welcomed();
    await socket.say(...live(1, { a: 1 }));
    expect(listener.mock.calls.at(-1)).toEqual([expect.objectContaining({ status: 'live', data: { a: 1 } })]);
    other();
  });

  test('one listener that throws keeps no other from hearing; the connection reports it', async () => {
    const { state } = world.start().counts();
    const heard: unknown[] = [];
    const fault = new Error('of the app');
    const throwing = (): never => {
      throw fault;
    };
    const stops = [state.subscribe(throwing), state.listen((value) => heard.push(value))];
    const socket = await world.welcomed();
    await socket.say(...live(1, { a: 1 }));
    expect(heard).toEqual([{ a: 1 }]);
    expect(world.errors).toEqual([fault, fault]);
    stops.forEach((stop) => stop());
  });

  test('is observable', async () => {
    const { state } = world.start().counts() as unknown as {
      state: { '@@observable'(): { subscribe(observer: object): { unsubscribe(): void } } };
    };
    const heard: unknown[] = [];
    const subscription = state['@@observable']().subscribe({ next: (value: unknown) => heard.push(value) });
    const socket = await world.welcomed();
    await socket.say(...live(1, { a: 1 }));
    subscription.unsubscribe();
    await socket.say(count(1, 'a', 2));
    expect(heard).toEqual([undefined, { a: 1 }]);
  });

  test('the status of a connection is one', async () => {
    world.start();
    const heard: string[] = [];
    const stop = world.connection.state.subscribe(({ state }) => heard.push(state));
    await world.welcomed();
    stop();
    expect(heard).toEqual(['connecting', 'connected']);
    expect(world.connection.state.value).toBe(world.connection.status);
  });
});

describe('the view of a topic', () => {
  /** What a listener heard, as far as it changed. */
  function watched(client = world.start()) {
    const { view } = client.counts();
    const heard: unknown[] = [];
    const stop = view.subscribe(({ status, data, error }) => heard.push([status, data, error?.code]));
    return { view, heard, stop };
  }

  test('is pending, live, recovering with its data, live again', async () => {
    const { view, heard, stop } = watched();
    const first = await world.welcomed();
    await first.say(...live(1, { a: 1 }));
    const shown = view.get();
    expect(view.get()).toBe(shown);
    expect(Object.isFrozen(shown)).toBe(true);
    await first.cut();
    const second = await world.server.next();
    await second.welcome();
    await second.say(['subscribed', 2, 'counts', ['E', 0], 'resumed']);
    const data = { a: 1 };
    expect(heard).toEqual([
      ['pending', undefined, undefined],
      ['pending', data, undefined],
      ['live', data, undefined],
      ['recovering', data, undefined],
      ['live', data, undefined],
    ]);
    stop();
    expect(view.get()).toMatchObject({ status: 'idle', data });
  });

  test('tells a gap', async () => {
    const { view, stop } = watched();
    const first = await world.welcomed();
    await first.say(...live(1, { a: 1 }));
    await first.cut();
    const second = await world.server.next();
    await second.welcome();
    await second.say(['subscribed', 2, 'counts', ['E', 9], 'gap'], ['snapshot', 'counts', ['E', 9], { b: 1 }]);
    expect(view.get()).toMatchObject({ status: 'live', data: { b: 1 }, gap: { from: ['E', 0], to: ['E', 9] } });
    expect(world.errors).toEqual([]);
    stop();
  });

  test('shows a refusal, and asks again for the next user', async () => {
    const { heard, stop } = watched(world.start({ auth: () => 'Ada' }));
    const first = await world.server.socket();
    await first.welcome({ identity: 'Ada' });
    await first.say(['unsubscribed', 1, 'counts', { code: 'FORBIDDEN', message: 'not you' }]);
    expect(heard.at(-1)).toEqual(['ended', undefined, 'FORBIDDEN']);
    expect(world.errors).toEqual([]);
    world.connection.setAuth(() => 'Bob');
    expect(heard.at(-1)).toEqual(['pending', undefined, undefined]);
    const second = await world.server.next();
    await second.welcome({ identity: 'Bob' });
    const [asked] = second.all('subscribe');
    await second.say(...live(asked![1], { bob: 1 }));
    expect(heard.at(-1)).toEqual(['live', { bob: 1 }, undefined]);
    stop();
  });

  test('which nobody watches any more is asked for by nobody', async () => {
    const { stop } = watched(world.start({ auth: () => 'Ada' }));
    const first = await world.server.socket();
    await first.welcome({ identity: 'Ada' });
    await first.say(['unsubscribed', 1, 'counts', { code: 'FORBIDDEN', message: 'not you' }]);
    stop();
    world.connection.setAuth(() => 'Bob');
    const second = await world.server.next();
    await second.welcome({ identity: 'Bob' });
    expect(second.all('subscribe')).toEqual([]);
  });

  test('shows nothing of the former user to the next', async () => {
    const { heard, stop } = watched(world.start({ auth: () => 'Ada' }));
    const first = await world.server.socket();
    await first.welcome({ identity: 'Ada' });
    await first.say(...live(1, { secret: 1 }));
    world.connection.setAuth(() => 'Bob');
    expect(heard.at(-1)).toEqual(['pending', undefined, undefined]);
    await (await world.server.next()).welcome({ identity: 'Bob' });
    await settle();
    expect(heard.at(-1)).toEqual(['pending', undefined, undefined]);
    stop();
  });

  test('of a closed connection has ended', async () => {
    const { heard, stop } = watched();
    await world.connection.close();
    expect(heard.at(-1)).toEqual(['ended', undefined, 'CLOSED']);
    stop();
    const late = watched(world.start());
    await world.connection.close();
    late.stop();
    expect(world.errors).toEqual([]);
  });
});
