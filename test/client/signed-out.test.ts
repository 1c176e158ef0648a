import { describe, expect, test, vi } from 'vitest';
import type { ConnectOptions } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted({ heartbeat: false });
const refusal = 'the credentials were refused';
const live = (n: number, at: number) => ['subscribed', n, 'news/a', ['E', at], 'live'];

/** Ways to have no credentials that the server takes. */
const waysOut: readonly (readonly [how: string, options: ConnectOptions, out: () => Promise<void>])[] = [
  [
    'after a logout',
    { auth: () => 'ann' },
    async () => {
      await world.welcomed();
      world.connection.setAuth(null);
      await (await world.server.socket()).close(4401, refusal);
    },
  ],
  ['from the beginning', {}, async () => (await world.server.socket()).close(4401, refusal)],
  [
    'whose credentials were refused twice',
    { auth: () => 'ann' },
    async () => {
      await (await world.server.socket()).close(4401, refusal);
      await (await world.server.socket()).close(4401, refusal);
    },
  ],
];

describe.each(waysOut)('a connection without credentials, %s', (_how, options, out) => {
  test('rests, and what is called meanwhile ends at once, with what to do', async () => {
    const client = world.start(options);
    const before = client.add({ by: 1 }).safe();
    await out();
    expect(world.connection.status).toMatchObject({ state: 'closed', cause: { code: 4401 } });
    expect((await before).error).toMatchObject({ code: 'UNAUTHENTICATED' });
    const { error } = await client.add({ by: 2 }).safe();
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'not-sent', path: 'add' });
    expect(await client.news({ channel: 'a' }).publish({ text: 'x' }, { delivery: 'lossy' })).toBe('closed');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(world.server.sockets.at(-1)!.closedWith).toBeDefined();
  });

  test('is woken by new ones: calls are answered, and topics asked for that were listened to before and meanwhile', async () => {
    const client = world.start(options);
    const heard: string[] = [];
    const before = client.news({ channel: 'a' }).subscribe(({ text }) => heard.push(`before ${text}`));
    await out();
    const meanwhile = client.news({ channel: 'a' }).subscribe(({ text }) => heard.push(`meanwhile ${text}`));
    await settle();
    expect([before.state, meanwhile.state]).toEqual(['subscribing', 'subscribing']);
    world.connection.setAuth(() => 'bob');
    const answer = client.add({ by: 1 });
    const socket = await world.welcomed();
    expect(socket.hello.token).toBe('bob');
    const [subscribe, ...others] = socket.all('subscribe');
    expect([subscribe?.[2], subscribe?.[3], others]).toEqual(['news/a', undefined, []]);
    const [call] = socket.all('call');
    await socket.say(live(subscribe![1], 4), ['event', 'news/a', 5, { text: 'five' }], ['reply', call![1], 7]);
    await Promise.all([before.ready, meanwhile.ready]);
    expect(heard).toEqual(['before five', 'meanwhile five']);
    expect(await answer).toBe(7);
    expect(world.errors).toEqual([]);
  });

  test('ends its topics when the app closes it', async () => {
    const client = world.start(options);
    const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
    const loop = client.news({ channel: 'a' }).events().next();
    await out();
    await world.connection.close();
    expect(world.connection.status).toMatchObject({ state: 'closed', cause: { by: 'app' } });
    world.connection.setAuth(() => 'bob');
    expect(world.connection.status.state).toBe('closed');
    await expect(subscription.ready).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(loop).rejects.toMatchObject({ code: 'CLOSED' });
    expect(client.news({ channel: 'a' }).subscribe(() => undefined).state).toBe('ended');
  });
});

test('who may never come has no topics that wait', async () => {
  const client = world.start({ auth: () => 'ann' });
  const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
  await (await world.server.socket()).close(4403, 'banned');
  await expect(subscription.ready).rejects.toMatchObject({ code: 'FORBIDDEN' });
  world.connection.setAuth(() => 'bob');
  expect(world.connection.status.state).toBe('closed');
  expect((await client.add({ by: 1 }).safe()).error).toMatchObject({ code: 'CLOSED' });
});
