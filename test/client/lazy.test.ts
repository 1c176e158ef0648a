import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createClient } from '../../src/index.ts';
import type { AuthRequest, ConnectOptions, LifecycleSignal } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';

const world = scripted({ lazy: true, heartbeat: false });

let states: string[];

beforeEach(() => {
  states = [];
});

function start(options: ConnectOptions = {}) {
  const client = world.start(options);
  world.connection.on('status', ({ state }) => states.push(state));
  return client;
}

/** A client that made one call and has its answer. */
async function used(options: ConnectOptions = {}) {
  const client = start(options);
  const answer = client.ping();
  const socket = await world.welcomed();
  await socket.say(['reply', 1, null]);
  await answer;
  return { client, socket };
}

const idle = { state: 'idle' };

describe('a lazy connection', () => {
  test('makes no socket, no timer and no listener before it is used', async () => {
    const listen = vi.fn(() => () => {});
    start({ lifecycle: { hidden: () => false, listen } });
    await settle();
    expect(world.connection.status).toEqual(idle);
    expect(world.server.sockets).toEqual([]);
    expect(listen).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each<[string, (client: ReturnType<typeof start>) => unknown]>([
    ['a query', (client) => client.ping().safe()],
    ['a mutation', (client) => client.add({ by: 1 }).safe()],
    ['a publish', (client) => client.news({ channel: 'a' }).publish({ text: 'x' }).safe()],
    ['a lossy publish', (client) => client.news({ channel: 'a' }).publish({ text: 'x' }, { delivery: 'lossy' })],
    ['a subscription', (client) => client.counts().subscribe({})],
    ['a listener of a state', (client) => client.counts().state.subscribe(() => {})],
    ['the first step of a loop over events', (client) => client.counts().events().next().catch(String)],
    ['the first step of a stream', () => createClient(streaming, world.connection).talk().next().catch(String)],
    ['reconnect()', () => world.connection.reconnect()],
  ])('connects with %s', async (_, use) => {
    void use(start());
    expect(world.connection.status).toEqual({ state: 'connecting', attempt: 1 });
    await world.welcomed();
    expect(world.connection.status.state).toBe('connected');
    expect(world.server.sockets).toHaveLength(1);
  });

  test('does not connect for handles, streams and loops that nobody reads, nor for what is refused', async () => {
    const client = start();
    client.counts().events();
    createClient(streaming, world.connection).talk();
    expect(await client.add({ by: 'one' } as never).safe()).toMatchObject({ error: { code: 'BAD_INPUT' } });
    expect(await client.ping(undefined, { signal: AbortSignal.abort() }).safe()).toMatchObject({
      error: { code: 'ABORTED' },
    });
    await settle();
    expect(world.connection.status).toEqual(idle);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('becomes idle after idleMs without use: closed with 1000, nothing left; the next use connects at once', async () => {
    const { client, socket } = await used({ idleMs: 5_000 });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(world.connection.status.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(1);
    expect(world.connection.status).toEqual(idle);
    expect(socket.closedWith).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
    const answer = client.add({ by: 1 });
    const second = await world.welcomed();
    await second.say(['reply', 2, 7]);
    expect(await answer).toBe(7);
    expect(second.hello.floor).toEqual([2]);
    expect(states).toEqual(['connecting', 'connected', 'idle', 'connecting', 'connected']);
  });

  test('becomes idle after a minute where idleMs says nothing, and never with Infinity', async () => {
    await used();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(world.connection.status.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(1);
    expect(world.connection.status).toEqual(idle);
    await used({ idleMs: Infinity });
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(world.connection.status.state).toBe('connected');
  });

  test('counts the time from the end of the last use, whatever it was', async () => {
    const { client, socket } = await used({ idleMs: 1_000 });
    await vi.advanceTimersByTimeAsync(999);
    const query = client.ping();
    await vi.advanceTimersByTimeAsync(20_000);
    await socket.say(['reply', 2, null]);
    await query;
    await vi.advanceTimersByTimeAsync(999);
    expect(world.connection.status.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(1);
    expect(world.connection.status).toEqual(idle);
  });

  test('stays while a topic is listened to, its linger included, and while a loop that is slow pauses it', async () => {
    const client = start({ idleMs: 1_000 });
    const events = client.news({ channel: 'a' }).events({ buffer: 1 });
    const first = events.next();
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'resumed'], ['event', 'news/a', 1, { text: 'x' }]);
    await first;
    await socket.say(['event', 'news/a', 2, { text: 'y' }]);
    expect(socket.all('unsubscribe')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.connection.status.state).toBe('connected');
    await events.return();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(world.connection.status.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(1);
    expect(world.connection.status).toEqual(idle);
  });

  test('stays while a stream runs', async () => {
    start({ idleMs: 1_000 });
    const words = createClient(streaming, world.connection).talk();
    const first = words.next();
    const socket = await world.welcomed();
    await socket.say(['item', 1, 1, { word: 'a' }]);
    await first;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.connection.status.state).toBe('connected');
    await words.return();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.connection.status).toEqual(idle);
  });

  test('stays while a lossy publish waits for room', async () => {
    const client = start({ idleMs: 1_000, flow: { highWaterMark: 2_000 } });
    const handle = client.news({ channel: 'a' });
    void handle.publish({ text: 'x'.repeat(1_500) }, { delivery: 'lossy' });
    const socket = await world.welcomed();
    const outcome = handle.publish({ text: 'y'.repeat(1_500) }, { delivery: 'lossy' });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(world.connection.status.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toBe('expired');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.connection.status).toEqual(idle);
    expect(socket.closedWith).toBe(1000);
  });

  test('gives up its attempts when nobody waits for them any more', async () => {
    const client = start({ idleMs: 1_000, timeoutMs: 500, connectTimeoutMs: 5_000 });
    const answer = client.add({ by: 1 }).safe();
    await vi.advanceTimersByTimeAsync(500);
    expect((await answer).error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent' });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.connection.status).toEqual(idle);
    expect(vi.getTimerCount()).toBe(0);
    const other = client.ping();
    const socket = await world.welcomed();
    await socket.say(['reply', 1, null]);
    await other;
  });

  test('a use just before the rest keeps the socket', async () => {
    const client = start({ idleMs: 1_000 });
    const first = client.ping();
    const socket = await world.welcomed();
    let second: Promise<unknown> | undefined;
    setTimeout(() => {
      second = client.add({ by: 1 });
    }, 1_000);
    await socket.say(['reply', 1, null]);
    await first;
    await vi.advanceTimersByTimeAsync(1_000);
    await socket.say(['reply', 2, 7]);
    expect(await second).toBe(7);
    expect(world.server.sockets).toHaveLength(1);
  });

  test.each(['lost', 'idle', 'after'])(
    'a use in the moment of the rest, %s, is served by the next socket',
    async (at) => {
      const { client } = await used({ idleMs: 1_000 });
      let answer: Promise<unknown> | undefined;
      const use = (): void => {
        answer ??= client.add({ by: 1 });
      };
      world.connection.on('happening', ({ what }) => {
        if (what === at) use();
      });
      world.connection.on('status', ({ state }) => {
        if (state === at) use();
      });
      if (at === 'after') setTimeout(use, 1_000);
      await vi.advanceTimersByTimeAsync(1_000);
      const socket = await world.welcomed();
      await socket.say(['reply', 2, 7]);
      expect(await answer).toBe(7);
      expect(world.server.sockets).toHaveLength(2);
      expect(states.slice(2)).toEqual(
        at === 'lost' ? ['connecting', 'connected'] : ['idle', 'connecting', 'connected'],
      );
    },
  );
});

describe('while it is idle', () => {
  test('whileOffline “fail” waits for the first socket, and fails after a failed attempt', async () => {
    const client = start({ whileOffline: 'fail' });
    const first = client.ping();
    const second = client.add({ by: 1 });
    const third = client.news({ channel: 'a' }).publish({ text: 'x' }, { delivery: 'lossy' });
    const socket = await world.welcomed();
    await socket.say(['reply', 1, null], ['reply', 2, 1]);
    expect([await first, await second, await third]).toEqual([undefined, 1, 'sent']);
    await socket.cut();
    expect((await client.ping().safe()).error).toMatchObject({ code: 'OFFLINE' });
    await world.server.next();
    expect(world.connection.status.state).toBe('connecting');
    expect((await client.ping().safe()).error).toMatchObject({ code: 'OFFLINE' });
  });

  test('suspend, wake and setAuth do nothing; the next greeting has the new token', async () => {
    const { client } = await used({ idleMs: 1_000, auth: () => 'old' });
    await vi.advanceTimersByTimeAsync(1_000);
    world.connection.suspend();
    world.connection.wake();
    world.connection.setAuth(() => 'new');
    await settle();
    expect(world.connection.status).toEqual(idle);
    expect(vi.getTimerCount()).toBe(0);
    void client.ping().safe();
    const socket = await world.server.socket();
    expect(socket.hello).toMatchObject({ token: 'new', n: 1 });
  });

  test('the host is not listened to', async () => {
    const listeners = new Set<(signal: LifecycleSignal) => void>();
    const lifecycle = {
      hidden: () => false,
      listen: (tell: (signal: LifecycleSignal) => void) => {
        listeners.add(tell);
        return () => listeners.delete(tell);
      },
    };
    await used({ idleMs: 1_000, lifecycle });
    expect(listeners.size).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(listeners.size).toBe(0);
  });

  test('no refresh of credentials is due, and one under way is aborted', async () => {
    const signals: AbortSignal[] = [];
    const auth = vi.fn(({ reason, signal }: AuthRequest) => {
      signals.push(signal);
      return reason === 'connect' ? { token: 'T', expiresAt: Date.now() + 10_000 } : new Promise<string>(() => {});
    });
    await used({ idleMs: 9_000, auth });
    await vi.advanceTimersByTimeAsync(9_000);
    expect(auth.mock.calls.map(([{ reason }]) => reason)).toEqual(['connect', 'refresh']);
    expect(world.connection.status).toEqual(idle);
    expect(signals[1]!.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('close ends it, with drain too, and reconnect() begins anew', async () => {
    const client = start();
    await world.connection.close({ drain: true });
    expect(states).toEqual(['closing', 'closed']);
    expect((await client.ping().safe()).error).toMatchObject({ code: 'CLOSED' });
    expect(world.server.sockets).toEqual([]);
    world.connection.reconnect();
    await world.welcomed();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.connection.status).toEqual(idle);
  });

  test('a call and a close in one turn settle, and leave nothing', async () => {
    const client = start();
    const answer = client.ping().safe();
    await world.connection.close();
    expect((await answer).error).toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
    expect(world.connection.status.state).toBe('closed');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a use while the connection is being closed does not revive it', async () => {
    const client = start();
    const calls = [client.ping().safe(), client.ping().safe()];
    await world.welcomed();
    const outcomes: Array<Promise<unknown>> = [];
    world.connection.on('happening', ({ what }) => {
      if (what === 'failed') outcomes.push(client.news({ channel: 'a' }).publish({ text: 'x' }, { delivery: 'lossy' }));
    });
    await world.connection.close();
    expect(world.connection.status.state).toBe('closed');
    expect((await Promise.all(calls)).map(({ error }) => error?.code)).toEqual(['CLOSED', 'CLOSED']);
    expect(await Promise.all(outcomes)).toEqual(['closed', 'closed']);
  });

  test('drained() does not wait, and what is asked for a suspended connection waits for its wake', async () => {
    const { client } = await used();
    world.connection.suspend();
    const answer = client.ping();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(world.server.sockets).toHaveLength(1);
    world.connection.wake();
    const socket = await world.welcomed();
    await socket.say(['reply', 2, null]);
    await answer;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.connection.status).toEqual(idle);
    await expect(world.connection.drained()).resolves.toBeUndefined();
  });
});

test('the real server forgets a client that rests, and knows it as a new one when it comes back', async () => {
  const closed: unknown[] = [];
  await using pair = connectedPair(
    plain,
    {
      get: () => ({ name: 'a' }),
      ping: () => undefined,
      add: ({ input }) => input.by,
      set: ({ input }) => input.to,
      note: () => undefined,
      news: { authorize: () => true },
      counts: { authorize: () => true, snapshot: () => ({}) },
      board: { authorize: () => true, snapshot: () => ({ size: 1 }) },
    },
    { connect: { lazy: true, idleMs: 1_000 } },
  );
  world.connection = pair.connection;
  pair.connection.on('status', (status) => closed.push(status));
  expect(await pair.client.add({ by: 1 })).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(pair.connection.status).toEqual(idle);
  expect(pair.server.stats()).toMatchObject({ peers: 0 });
  expect(await pair.client.add({ by: 2 })).toBe(2);
  expect(pair.connection.status).toMatchObject({ state: 'connected', resumed: false });
});
