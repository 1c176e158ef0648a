import { describe, expect, test, vi } from 'vitest';
import { createClient, defineContract, topic, type ConnectOptions } from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

/** An asynchronous schema that says yes to everything when it is told to. */
function slowSchema() {
  const checks: Array<() => void> = [];
  const validate = (value: unknown): Promise<unknown> =>
    new Promise((done) =>
      checks.push(() => {
        done({ value });
      }),
    );
  return { checks, schema: { '~standard': { version: 1, vendor: 'test', validate } } };
}

describe('a listener that acts in the middle of a flush', () => {
  test('may drop the socket: nothing more is written to it, and what waits goes with the next', async () => {
    const client = world.start({ timeoutMs: 600_000 });
    const large = client.note({ text: 'x'.repeat(20_000) }).safe();
    const after = client.add({ by: 1 });
    const stop = world.connection.on('happening', ({ what }) => {
      if (what !== 'failed') return;
      stop();
      world.connection.reconnect();
    });
    const first = await world.server.socket();
    await first.welcome({ limits: { frameBytes: 16 * 1024 } });
    expect((await large).error).toMatchObject({ code: 'TOO_LARGE' });
    expect(first.all('call')).toEqual([]);
    const second = await world.server.socket();
    await second.welcome({ memory: 'another' });
    const [, id] = second.all('call')[0]!;
    await second.say(['reply', id, 1]);
    expect(await after).toBe(1);
  });

  test('may close the connection: what was being queued takes up no room', async () => {
    const client = world.start({ queue: { maxMessages: 10 } });
    const socket = await world.server.socket();
    await socket.welcome({ limits: { frameBytes: 2_000 } });
    world.connection.on('happening', ({ what, details }) => {
      if (what === 'failed' && details.code === 'TOO_LARGE') void world.connection.close();
    });
    const news = client.news({ channel: 'a' });
    void news.publish({ text: 'lossy' }, { delivery: 'lossy' });
    void client.note({ text: 'x'.repeat(1_970) }).safe();
    // It lets the others go first, and one of them ends everything.
    expect((await news.publish({ text: 'reliable' }).safe()).error).toMatchObject({ code: 'CLOSED' });
    expect(world.connection.stats().queued).toEqual({ messages: 0, bytes: 0 });
  });
});

describe('a listener that drops the socket that was just welcomed', () => {
  test.each(['move', 'failed', 'welcome'])(
    'when it is told of %s: no call waits on a socket that is gone',
    async (told) => {
      const client = world.start({ timeoutMs: 600_000 });
      const first = await world.welcomed();
      const acts = client.add({ by: 1 }).safe();
      await settle();
      const reads = client.get({ id: 2 });
      await settle();
      world.connection.reconnect({ seamless: true });
      await (await world.server.socket()).welcome({ memory: 'M2' });
      const stop = world.connection.on('happening', ({ what }) => {
        if (what !== told) return;
        stop();
        world.connection.reconnect();
      });
      world.connection.reconnect({ seamless: true });
      const third = await world.server.socket();
      await third.welcome({ memory: 'M3' });
      const later = client.add({ by: 3 });
      const fourth = await world.server.socket();
      await fourth.welcome({ memory: 'M3' });
      expect((await acts).error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
      expect(third.closedWith).toBe(4000);
      expect(first.closedWith).toBe(4000);
      expect(fourth.all('call').map(([, id, path]) => [id, path])).toEqual([
        [2, 'get'],
        [3, 'add'],
      ]);
      await fourth.say(['reply', 2, { name: 'two' }], ['reply', 3, 3]);
      expect(await Promise.all([reads, later])).toEqual([{ name: 'two' }, 3]);
    },
  );
});

describe('lossy publishes with an asynchronous schema', () => {
  test('are checked as they were given, and take up room while they are checked', async () => {
    const { checks, schema } = slowSchema();
    const contract = defineContract({ slow: topic('slow', { event: schema }) });
    world.connect({ queue: { maxMessages: 2 } });
    const handle = createClient(contract, world.connection).slow();
    const outcomes = [1, 2, 3].map((event) => handle.publish(event, { delivery: 'lossy' }));
    expect(checks).toHaveLength(3);
    expect(world.connection.stats()).toMatchObject({ queued: { messages: 2 }, evicted: 1 });
    expect(await outcomes[2]).toBe('evicted');
    for (const check of checks) check();
    const socket = await world.welcomed();
    expect(socket.all('publish').map(([, , , event]) => event)).toEqual([1, 2]);
    expect(await Promise.all(outcomes.slice(0, 2))).toEqual(['sent', 'sent']);
  });
});

describe('a lossy publish', () => {
  const flow: ConnectOptions = { flow: { highWaterMark: 1_000, lowWaterMark: 200 }, heartbeat: false };

  test('is not superseded by a reliable one that the queue refuses', async () => {
    const client = world.start({ ...flow, queue: { maxBytes: 300 } });
    const news = client.news({ channel: 'a' });
    void client.note({ text: 'x'.repeat(80) }).safe();
    const lossy = news.publish({ text: 'lossy' }, { delivery: 'lossy' });
    const { error } = await news.publish({ text: 'x'.repeat(250) }).safe();
    expect(error).toMatchObject({ code: 'QUEUE_FULL' });
    await world.welcomed();
    expect(await lossy).toBe('sent');
  });

  test('that is aborted by whoever is told of the congestion leaves nothing behind', async () => {
    const client = world.start({ ...flow, queue: { maxMessages: 10 } });
    const socket = await world.server.socket();
    const abort = new AbortController();
    world.connection.on('congested', () => {
      abort.abort();
    });
    const news = client.news({ channel: 'a' });
    const aborted = news
      .publish({ text: 'x'.repeat(2_000) }, { delivery: 'lossy', conflate: 'k', signal: abort.signal })
      .safe();
    expect((await aborted).error).toMatchObject({ code: 'ABORTED' });
    const next = news.publish({ text: 'next' }, { delivery: 'lossy', conflate: 'k' });
    await socket.welcome();
    expect(await next).toBe('sent');
  });
});

describe('a drain', () => {
  test('that was cut short does not close a connection that was revived since', async () => {
    const client = world.start();
    const first = await world.welcomed();
    const answer = client.add({ by: 1 }).safe();
    await settle();
    const draining = world.connection.close({ drain: true });
    void world.connection.close();
    world.connection.reconnect();
    await draining;
    expect((await answer).error).toMatchObject({ code: 'CLOSED' });
    const second = await world.welcomed();
    expect(second).not.toBe(first);
    expect(world.connection.status.state).toBe('connected');
  });
});

/** Thrown, it does not let itself be looked at. */
const strange: unknown = Object.defineProperty({}, 'name', {
  get: () => {
    throw new Error('no');
  },
});

function throwStrange(): never {
  throw strange;
}

test.each<[string, ConnectOptions]>([
  ['a credential function', { auth: throwStrange }],
  ['a WebSocket constructor', { WebSocket: throwStrange as never }],
])('something strange thrown by %s ends the connection like anything else', async (_, options) => {
  const client = createClient(plain, world.connect({ reconnect: false, ...options }));
  const answer = client.add({ by: 1 }).safe();
  const subscription = client.news({ channel: 'a' }).subscribe({});
  await vi.advanceTimersByTimeAsync(0);
  expect(world.connection.status.state).toBe('closed');
  expect((await answer).error).toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
  expect(subscription.state).toBe('ended');
});
