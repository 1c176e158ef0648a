import { describe, expect, test, vi } from 'vitest';
import { connect, createClient, defineContract, mutation, query } from '../../src/index.ts';
import { dated, plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { saying } from '../helpers/saying.ts';

const world = scripted({ random: () => 0 });

describe('a call', () => {
  test('made before the socket opened is sent after the welcome and gets its own answer', async () => {
    const client = world.start();
    const first = client.add({ by: 1 });
    const second = client.add({ by: 2 });
    const socket = await world.server.socket();
    expect(socket.all('call')).toEqual([]);
    await socket.welcome();
    expect(socket.all('call')).toEqual([
      ['call', 1, 'add', { deadlineMs: 30_000 }, { by: 1 }],
      ['call', 2, 'add', { deadlineMs: 30_000 }, { by: 2 }],
    ]);
    await socket.say(['reply', 2, 20], ['reply', 1, 10]);
    expect(await Promise.all([first, second])).toEqual([10, 20]);
  });

  test('of a burst is on its way while the app makes more: the server need not wait for the last', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 100 } });
    const greeted = socket.frames.length;
    for (let by = 0; by < 40; by++) void client.add({ by }).safe();
    await settle();
    const frames = socket.frames.slice(greeted).map((frame) => JSON.parse(frame) as unknown[][]);
    expect(frames.map((messages) => messages.length)).toEqual([16, 16, 8]);
    expect(socket.all('call').map(([, , , , input]) => input)).toEqual(Array.from({ length: 40 }, (_, by) => ({ by })));
  });

  test('without input or output sends and reads absent slots', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const answer = client.ping();
    await settle();
    expect(socket.all('call')).toEqual([['call', 1, 'ping', { deadlineMs: 30_000 }]]);
    await socket.say(['reply', 1]);
    expect(await answer).toBeUndefined();
  });

  test('sends the value as it was when the call was made', async () => {
    const client = world.start();
    const input = { by: 1 };
    void client.add(input).safe();
    input.by = 99;
    const socket = await world.server.socket();
    await socket.welcome();
    expect(socket.all('call')[0]?.[4]).toEqual({ by: 1 });
  });

  test('tells the server the time that is left when it is written, not when it was made', async () => {
    const client = world.start();
    void client.add({ by: 1 }, { timeoutMs: 9_000 }).safe();
    const socket = await world.server.socket();
    await vi.advanceTimersByTimeAsync(4_000);
    await socket.welcome();
    expect(socket.all('call')[0]?.[3]).toEqual({ deadlineMs: 5_000 });
  });

  test('that may take for ever tells the server no time, and waits', async () => {
    const client = world.start({ heartbeat: false });
    const socket = await world.welcomed();
    const answer = client.add({ by: 1 }, { timeoutMs: Infinity });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(socket.all('call')[0]?.[3]).toBeNull();
    await socket.say(['reply', 1, 1]);
    expect(await answer).toBe(1);
  });

  test('whose input does not fit fails with the issues, and nothing is sent', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const frames = socket.frames.length;
    const { error } = await client.add({ by: 'one' as never }).safe();
    await settle();
    expect(error).toMatchObject({ code: 'BAD_INPUT', outcome: 'not-sent', path: 'add', issues: [{ path: ['by'] }] });
    expect(socket.frames.length).toBe(frames);
  });

  test('whose value can’t be encoded fails with the remedy, and nothing is sent', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const { error } = await client.add({ by: 1, when: new Date(0) } as never).safe();
    await settle();
    expect(error).toMatchObject({ code: 'BAD_PAYLOAD', outcome: 'not-sent' });
    expect(error?.message).toEqual(saying('superjson'));
    expect(socket.all('call')).toEqual([]);
  });

  test('carries dates under the superjson codec, named in the greeting', async () => {
    world.connect();
    const client = createClient(dated, world.connection);
    const socket = await world.server.socket();
    expect(socket.hello.codec).toBe('superjson');
    await socket.welcome();
    const answer = client.remind({ at: new Date(0) });
    await settle();
    const [, , , , json, meta] = socket.all('call')[0]!;
    await socket.say(['reply', 1, json, meta]);
    expect(await answer).toEqual({ at: new Date(0) });
  });

  test('that the server refuses with a declared error has its data', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const answer = client.add({ by: 1 }).safe();
    await settle();
    await socket.say(['error', 1, { code: 'LIMIT', message: 'enough' }, { max: 3 }]);
    const { error } = await answer;
    expect(error).toMatchObject({ code: 'LIMIT', outcome: 'rejected', data: { max: 3 } });
    expect(error?.message).toBe('LIMIT: enough');
  });

  test('that ends with a code of a later version arrives as UNKNOWN, outcome open', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const answer = client.add({ by: 1 }).safe();
    await settle();
    await socket.say(['error', 1, { code: 'NEWS', message: 'what' }]);
    expect((await answer).error).toMatchObject({ code: 'UNKNOWN', outcome: 'unknown' });
  });

  test('whose answer does not fit is BAD_OUTPUT for that call alone', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const bad = client.get({ id: 1 }).safe();
    const good = client.get({ id: 2 });
    await settle();
    await socket.say(['reply', 1, { name: 7 }], ['reply', 2, { name: 'Ada' }]);
    expect((await bad).error).toMatchObject({ code: 'BAD_OUTPUT', outcome: 'unknown', issues: [{ path: ['name'] }] });
    expect(await good).toEqual({ name: 'Ada' });
  });

  test('of 20 MB is TOO_LARGE, and nothing else is disturbed', async () => {
    const client = world.start();
    const offline = client.note({ text: 'x'.repeat(20 * 1024 * 1024) }).safe();
    const other = client.add({ by: 1 });
    expect((await offline).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'not-sent' });
    const socket = await world.server.socket();
    await socket.welcome();
    expect((await client.note({ text: 'x'.repeat(20 * 1024 * 1024) }).safe()).error).toMatchObject({
      code: 'TOO_LARGE',
    });
    await socket.say(['reply', 1, 1]);
    expect(await other).toBe(1);
    expect(world.server.sockets).toHaveLength(1);
  });

  test('that was queued before the limits were known is TOO_LARGE when it comes to be written', async () => {
    const client = world.start();
    const large = Array.from({ length: 8 }, () => client.note({ text: 'x'.repeat(20_000) }).safe());
    const other = client.add({ by: 1 });
    const socket = await world.server.socket();
    await socket.welcome({ limits: { frameBytes: 16 * 1024 } });
    for (const { error } of await Promise.all(large)) {
      expect(error).toMatchObject({ code: 'TOO_LARGE', outcome: 'not-sent' });
    }
    // They gave their slots back: all eight of the server's are free.
    await socket.say(['reply', 9, 1]);
    expect(await other).toBe(1);
    expect(world.connection.stats().inFlight).toBe(0);
  });

  test('that does not fit into the queue is QUEUE_FULL, and says which bound', async () => {
    const client = world.start({ queue: { maxMessages: 2 } });
    void client.add({ by: 1 }).safe();
    void client.add({ by: 2 }).safe();
    const { error } = await client.add({ by: 3 }).safe();
    expect(error).toMatchObject({ code: 'QUEUE_FULL', outcome: 'not-sent', retryable: true });
    expect(error?.message).toEqual(saying('messages'));
  });

  test('ends at its deadline when no socket ever opens: not sent', async () => {
    world.connection = connect('ws://test/', {
      WebSocket: class {
        readyState = 0;
        send = () => undefined;
        close = () => undefined;
      } as never,
    });
    const answer = createClient(plain, world.connection).add({ by: 1 }, { timeoutMs: 3_000 }).safe();
    let settled = false;
    void answer.then(() => (settled = true));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await answer).error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent', retryable: true });
    expect(world.connection.stats().queued.messages).toBe(0);
  });

  test('that was never sent says at its deadline why: no attempt came to a connection, and what it failed with', async () => {
    const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
    world.connection = connect('ws://test/', {
      WebSocket: function () {
        throw refused;
      } as never,
    });
    const answer = createClient(plain, world.connection).add({ by: 1 }, { timeoutMs: 3_000 }).safe();
    await vi.advanceTimersByTimeAsync(3_000);
    const { error } = await answer;
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent', cause: refused });
    expect(error!.message).toEqual(saying(`no connection (waiting, no connection could be made: ${refused.message})`));
  });

  test('that was never sent says at its deadline what it waited for on a connection', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 8 } });
    const first = client.set({ to: 1 }).safe();
    const held = [first, ...Array.from({ length: 7 }, () => client.add({ by: 1 }).safe())];
    const answer = client.add({ by: 1 }, { timeoutMs: 3_000 }).safe();
    await vi.advanceTimersByTimeAsync(3_000);
    expect((await answer).error!.message).toEqual(
      saying('the server takes 8 calls at a time, and 8 wait for their end, set the longest'),
    );
    await socket.say(...held.map((_, index) => ['reply', index + 1, 1]));
    expect((await held[7])!.data).toBe(1);
  });

  test('ends at its deadline when the server is silent: unknown, and cancelled there', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const answer = client.add({ by: 1 }, { timeoutMs: 3_000 }).safe();
    await vi.advanceTimersByTimeAsync(3_000);
    expect((await answer).error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
  });

  test('is refused at once without a connection where whileOffline is fail', async () => {
    const client = world.start({ whileOffline: 'fail' });
    expect((await client.add({ by: 1 }).safe()).error).toMatchObject({ code: 'OFFLINE', outcome: 'not-sent' });
    await (await world.server.socket()).welcome();
    void client.add({ by: 1 }).safe();
    await settle();
    expect(world.server.sockets[0]!.all('call')).toHaveLength(1);
  });
});

describe('an abort', () => {
  test('before the call sends nothing', async () => {
    const client = world.start();
    const { error } = await client.add({ by: 1 }, { signal: AbortSignal.abort('no') }).safe();
    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'not-sent', cause: 'no' });
  });

  test('of a queued call takes it back: it is never written', async () => {
    const client = world.start();
    const abort = new AbortController();
    const answer = client.add({ by: 1 }, { signal: abort.signal }).safe();
    abort.abort();
    expect((await answer).error).toMatchObject({ code: 'ABORTED', outcome: 'not-sent' });
    const socket = await world.server.socket();
    await socket.welcome();
    expect(socket.all('call')).toEqual([]);
  });

  test('of a call in flight cancels it, and its slot stays taken until the server has settled it', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome();
    const abort = new AbortController();
    const first = client.add({ by: 0 }, { signal: abort.signal }).safe();
    for (let by = 1; by <= 8; by++) void client.add({ by }).safe();
    await settle();
    expect(socket.all('call')).toHaveLength(8);
    abort.abort();
    expect((await first).error).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
    expect(socket.all('call')).toHaveLength(8);
    await socket.say(['error', 1, { code: 'ABORTED', message: 'cancelled' }]);
    expect(socket.all('call')).toHaveLength(9);
  });
});

describe('slots', () => {
  test('are all free again after many aborts, whatever the server answers of them', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 100 } });
    for (let round = 0; round < 4; round++) {
      const abort = new AbortController();
      const calls = Array.from({ length: 100 }, (_, by) => client.add({ by }, { signal: abort.signal }).safe());
      await settle();
      abort.abort();
      await Promise.all(calls);
      await settle();
      // The server answers what was cancelled before a floor settled it, and nothing of the rest.
      let below = 0;
      for (const message of socket.received) {
        if (message[0] === 'floor') below = message[1];
        else if (message[0] === 'cancel' && message[1] >= below)
          await socket.say(['error', message[1], { code: 'ABORTED', message: '' }]);
      }
    }
    const before = socket.all('call').length;
    for (let by = 0; by < 100; by++) void client.add({ by }).safe();
    await settle();
    expect(socket.all('call').length - before).toBe(100);
  });
});

describe('a codec that is named after the greeting went out', () => {
  test('brings a new greeting', async () => {
    world.start();
    const first = await world.server.socket();
    expect(first.hello.codec).toBe('json');
    await world.connection.close();
    world.connect();
    const bare = await world.server.socket();
    expect(bare.hello.codec).toBeUndefined();
    await bare.welcome();
    const client = createClient(dated, world.connection);
    const socket = await world.server.socket();
    expect(socket.hello.codec).toBe('superjson');
    await socket.welcome();
    void client.remind({ at: new Date(0) }).safe();
    await settle();
    expect(socket.all('call')).toHaveLength(1);
  });

  test('brings none, and no second token, where the server has told that it speaks the same', async () => {
    const auth = vi.fn(() => 'token');
    world.connect({ auth });
    const socket = await world.server.socket();
    await socket.welcome({ codec: 'superjson' });
    const client = createClient(dated, world.connection);
    const answer = client.remind({ at: new Date(0) });
    await settle();
    const [, id] = socket.all('call')[0] as unknown as [string, number];
    await socket.say(['reply', id, { at: new Date(1).toISOString() }, { values: { at: ['Date'] }, v: 1 }]);
    expect(await answer).toEqual({ at: new Date(1) });
    expect([world.server.sockets.length, auth.mock.calls.length]).toEqual([1, 1]);
  });
});

describe('an input schema that is asynchronous', () => {
  test('keeps the order of calls, and one that never ends holds them up no longer than its own call lives', async () => {
    const checks: Array<(result: unknown) => void> = [];
    const slow = {
      '~standard': { version: 1, vendor: 'test', validate: () => new Promise((done) => checks.push(done)) },
    };
    const contract = defineContract({ slow: mutation({ input: slow }), fast: mutation({}), look: query() });
    world.start();
    const client = createClient(contract, world.connection);
    const socket = await world.server.socket();
    await socket.welcome();
    const hanging = client.slow({}, { timeoutMs: 1_000 }).safe();
    void client.slow({}).safe();
    void client.fast().safe();
    void client.look().safe();
    await vi.advanceTimersByTimeAsync(999);
    // What only reads need not wait for what acts.
    expect(socket.all('call').map(([, , path]) => path)).toEqual(['look']);
    await vi.advanceTimersByTimeAsync(1);
    expect((await hanging).error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent' });
    await settle();
    checks[1]!({ value: {} });
    await settle();
    expect(socket.all('call').map(([, , path]) => path)).toEqual(['look', 'slow', 'fast']);
  });

  test('counts in the bound of the queue while it is at work, and close ends its call', async () => {
    const slow = { '~standard': { version: 1, vendor: 'test', validate: () => new Promise(() => undefined) } };
    world.start({ queue: { maxMessages: 2 } });
    const client = createClient(defineContract({ slow: query({ input: slow }) }), world.connection);
    const held = [client.slow({}).safe(), client.slow({}).safe()];
    expect(world.connection.stats().queued.messages).toBe(2);
    expect((await client.slow({}).safe()).error).toMatchObject({ code: 'QUEUE_FULL', outcome: 'not-sent' });
    await world.connection.close();
    for (const { error } of await Promise.all(held))
      expect(error).toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
  });
});
