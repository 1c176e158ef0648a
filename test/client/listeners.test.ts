import { describe, expect, test, vi } from 'vitest';
import type { ConnectOptions } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { saying } from '../helpers/saying.ts';

const world = scripted({ flow: { highWaterMark: 2_000, lowWaterMark: 1_000 } });

/** Has one of all listeners called: on a connection that is welcomed, and must be again where its socket was lost. */
type Provoke = (listener: () => void, client: ReturnType<typeof world.start>) => Promise<void>;

const news = ['subscribed', 1, 'news/a', ['E', 0], 'live'];
const counts = ['subscribed', 1, 'counts', ['E', 0], 'live'];

const provocations: readonly (readonly [what: string, provoke: Provoke])[] = [
  ...(['status', 'happening'] as const).map((event): [string, Provoke] => [
    event,
    async (listener) => {
      world.connection.on(event, listener);
      await world.server.sockets[0]!.cut();
    },
  ]),
  [
    'error',
    async (listener) => {
      world.connection.on('error', listener);
      await world.server.sockets[0]!.raw('no frame');
    },
  ],
  ...(['congested', 'drained'] as const).map((event): [string, Provoke] => [
    event,
    async (listener, client) => {
      world.connection.on(event, listener);
      for (let n = 0; n < 3; n++) void client.note({ text: 'x'.repeat(900) }).safe();
      await settle();
      const socket = world.server.sockets[0]!;
      await socket.say(...socket.all('ping').map(([, n]) => ['pong', n]));
      const notes = socket.all('call').filter(([, , path]) => path === 'note');
      await socket.say(...notes.map(([, id]) => ['reply', id]));
      await socket.say(...socket.all('ping').map(([, n]) => ['pong', n]));
    },
  ]),
  [
    'event of a topic',
    async (event, client) => {
      client.news({ channel: 'a' }).subscribe({ event });
      await world.server.sockets[0]!.say(news, ['event', 'news/a', 1, { text: 'x' }]);
    },
  ],
  [
    'status of a topic',
    async (status, client) => {
      client.news({ channel: 'a' }).subscribe({ status });
      await world.server.sockets[0]!.say(news);
    },
  ],
  [
    'gap of a topic',
    async (gap, client) => {
      client.news({ channel: 'a' }).subscribe({ gap });
      await world.server.sockets[0]!.say(news, ['event', 'news/a', 1, { text: 7 }]);
    },
  ],
  [
    'snapshot of a topic',
    async (snapshot, client) => {
      client.counts().subscribe({ snapshot });
      await world.server.sockets[0]!.say(counts, ['snapshot', 'counts', ['E', 0], {}]);
    },
  ],
  [
    'state of a topic',
    async (state, client) => {
      client.counts().state.subscribe(state);
      await world.server.sockets[0]!.say(counts, ['snapshot', 'counts', ['E', 0], {}]);
    },
  ],
];

describe('A listener', () => {
  test.each(provocations)(
    'of %s may close the connection: nothing is left, and what waits is told',
    async (_, provoke) => {
      const client = world.start();
      await world.welcomed();
      const call = client.add({ by: 1 }).safe();
      await settle();
      let calls = 0;
      await provoke(() => {
        // Once: closing is a happening, too.
        if (++calls > 1) return;
        void world.connection.close();
        void world.connection.close({ drain: true });
      }, client);
      expect(calls).toBeGreaterThan(0);
      expect(world.connection.status).toMatchObject({ state: 'closed', cause: { by: 'app' } });
      expect((await call).error).toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
      await settle();
      expect(world.server.sockets.map(({ closedWith }) => closedWith)).toEqual([expect.any(Number)]);
    },
  );

  test.each<[string, () => void]>([
    ['close', () => void world.connection.close()],
    ['close when it has drained', () => void world.connection.close({ drain: true })],
    ['suspend', () => world.connection.suspend()],
  ])('may %s the connection whenever it is told of anything: that is done once', async (_, end) => {
    world.start();
    await world.welcomed();
    let depth = 0;
    let deepest = 0;
    for (const event of ['status', 'happening', 'error'] as const) {
      world.connection.on(event, () => {
        deepest = Math.max(deepest, ++depth);
        end();
        depth--;
      });
    }
    await world.server.sockets[0]!.raw('no frame');
    await settle();
    expect(['closed', 'suspended']).toContain(world.connection.status.state);
    expect(deepest).toBeLessThan(10);
    expect(world.errors).toEqual([expect.objectContaining({ message: saying('no tautline.v1') })]);
    expect(world.server.sockets[0]!.closedWith).toBeDefined();
  });

  test.each(provocations)('of %s may throw: it is reported, and the connection goes on', async (what, provoke) => {
    const reportError = vi.fn();
    vi.stubGlobal('reportError', reportError);
    const client = world.start();
    await world.welcomed();
    const thrown = new Error(what);
    let calls = 0;
    await provoke(() => {
      // Once: an `error` listener would be told of its own.
      if (++calls === 1) throw thrown;
    }, client);
    expect(calls).toBeGreaterThan(0);
    expect(what === 'error' ? reportError.mock.calls.flat() : world.errors).toContain(thrown);
    if (world.connection.status.state !== 'connected') await (await world.server.next()).welcome();
    const answer = client.add({ by: 1 });
    await settle();
    const socket = world.server.sockets.at(-1)!;
    await socket.say(['reply', socket.all('call').at(-1)![1], 2]);
    expect(await answer).toBe(2);
  });
});

describe('close()', () => {
  const never = () => new Promise<never>(() => undefined);

  const moments: readonly (readonly [string, ConnectOptions, come: () => Promise<void>])[] = [
    ['before there is a socket', {}, () => Promise.resolve()],
    ['before the server has answered', {}, settle],
    ['while it waits', {}, async () => (await world.welcomed()).cut()],
    ['during a credential call', { auth: never }, settle],
  ];

  test.each(moments)('%s, and again, ends it: nothing is left, and what waits is told', async (_, options, come) => {
    const client = world.start(options);
    const call = client.add({ by: 1 }).safe();
    await come();
    await Promise.all([world.connection.close(), world.connection.close(), world.connection.close({ drain: true })]);
    expect(world.connection.status).toMatchObject({ state: 'closed', cause: { by: 'app' } });
    expect((await call).error).toMatchObject({ code: 'CLOSED' });
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    const sockets = world.server.sockets.length;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(world.server.sockets).toHaveLength(sockets);
  });
});
