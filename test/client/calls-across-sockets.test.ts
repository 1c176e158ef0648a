import { describe, expect, test, vi } from 'vitest';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted({ timeoutMs: 600_000 });

describe('a mutation without an answer when its socket is lost', () => {
  test('is sent again under its id where the server names the same memory, before new ones', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome();
    const sent = [client.add({ by: 1 }), client.add({ by: 2 })];
    await settle();
    await first.cut();
    const later = client.add({ by: 3 });
    const second = await world.server.next();
    expect(second.all('call')).toEqual([]);
    expect(second.hello).toMatchObject({ client: first.hello.client, n: 2, floor: [3, 1, 2] });
    await second.welcome();
    expect(second.all('call').map(([, id, , , input]) => [id, input])).toEqual([
      [1, { by: 1 }],
      [2, { by: 2 }],
      [3, { by: 3 }],
    ]);
    await second.say(['reply', 1, 1], ['reply', 2, 2], ['reply', 3, 3]);
    expect(await Promise.all([...sent, later])).toEqual([1, 2, 3]);
    expect(world.connection.status).toMatchObject({ state: 'connected', resumed: true });
  });

  test('ends unknown where the server names another memory; an idempotent one is sent again and noted anew', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ memory: 'M1' });
    const add = client.add({ by: 1 }).safe();
    const set = client.set({ to: 5 });
    await settle();
    await first.cut();
    const second = await world.server.next();
    await second.welcome({ memory: 'M2' });
    expect((await add).error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown', path: 'add' });
    expect(second.all('call').map(([, id]) => id)).toEqual([2]);
    expect(world.connection.status).toMatchObject({ state: 'connected', resumed: false });
    await second.cut();
    const third = await world.server.next();
    await third.welcome({ memory: 'M2' });
    expect(third.all('call').map(([, id]) => id)).toEqual([2]);
    await third.say(['reply', 2, 5]);
    expect(await set).toBe(5);
  });

  test('may have been done under the memory before, whatever the next server says of it', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ memory: 'M1' });
    const set = client.set({ to: 5 }).safe();
    await settle();
    await first.cut();
    const second = await world.server.next();
    await second.welcome({ memory: 'M2' });
    await second.say(['error', 1, { code: 'RATE_LIMITED', message: 'too much' }]);
    expect((await set).error).toMatchObject({ code: 'RATE_LIMITED', outcome: 'unknown' });
  });

  test('was not done where the server of the same memory rejects it', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ memory: 'M1' });
    const set = client.set({ to: 5 }).safe();
    await settle();
    await first.cut();
    const second = await world.server.next();
    await second.welcome({ memory: 'M1' });
    await second.say(['error', 1, { code: 'RATE_LIMITED', message: 'too much' }]);
    expect((await set).error).toMatchObject({ code: 'RATE_LIMITED', outcome: 'rejected' });
  });

  test('is judged by the memory under which it was sent, not by the last one seen', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ memory: 'M1' });
    const answer = client.add({ by: 1 });
    await settle();
    await first.cut();
    // A socket that dies before its welcome proves nothing.
    await (await world.server.next()).cut();
    await (await world.server.next()).welcome({ memory: 'M1' });
    const third = world.server.sockets.at(-1)!;
    expect(third.all('call').map(([, id]) => id)).toEqual([1]);
    await third.say(['reply', 1, 1]);
    expect(await answer).toBe(1);
  });

  test('never goes with the greeting, nor does one that was never sent', async () => {
    const client = world.start();
    void client.add({ by: 1 }).safe();
    const first = await world.server.socket();
    expect(first.received.map(([name]) => name)).toEqual(['hello']);
    await first.welcome();
    expect(first.all('call')).toHaveLength(1);
  });

  test('that was aborted meanwhile is not sent again, and the floor of the next greeting settles it', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome();
    const abort = new AbortController();
    const answer = client.add({ by: 1 }, { signal: abort.signal }).safe();
    await settle();
    await first.cut();
    abort.abort();
    expect((await answer).error).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    const second = await world.server.next();
    await second.welcome();
    expect(second.hello.floor).toEqual([2]);
    expect(second.all('call')).toEqual([]);
    expect(second.all('cancel')).toEqual([]);
  });

  test('is re-sent within the window, lowest id first, the rest as slots become free', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ limits: { calls: 12 } });
    for (let by = 0; by < 12; by++) void client.add({ by }).safe();
    await settle();
    expect(first.all('call')).toHaveLength(12);
    await first.cut();
    const second = await world.server.next();
    await second.welcome({ limits: { calls: 8 } });
    expect(second.all('call').map(([, id]) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await second.say(['reply', 12, 666]); // it was not sent on this socket
    expect(world.connection.stats().inFlight).toBe(12);
    await second.say(['reply', 3, 0], ['reply', 1, 0]);
    expect(second.all('call').map(([, id]) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('a query without an answer when its socket is lost', () => {
  test('goes with the next greeting, at most eight of them', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ limits: { calls: 20 } });
    const answers = Array.from({ length: 10 }, (_, id) => client.get({ id }));
    await settle();
    await first.cut();
    const second = await world.server.next();
    expect(second.received.map(([name]) => name)).toEqual(['hello', ...Array.from({ length: 8 }, () => 'call')]);
    await second.welcome({ memory: 'another', limits: { calls: 20 } });
    const ids = second.all('call').map(([, id]) => id);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await second.say(...ids.map((id) => ['reply', id, { name: String(id) }]));
    expect(await Promise.all(answers)).toHaveLength(10);
  });

  test('is not answered before the welcome: the answer may be another identity’s', async () => {
    const client = world.start();
    const answer = client.get({ id: 1 });
    const socket = await world.server.socket();
    expect(socket.all('call')).toHaveLength(1);
    await socket.say(['reply', 1, { name: 'early' }]);
    expect(world.connection.stats().inFlight).toBe(1);
    await socket.welcome();
    await socket.say(['reply', 1, { name: 'Ada' }]);
    expect(await answer).toEqual({ name: 'Ada' });
  });

  test('that is queued rides along unless something that acts was queued before it', async () => {
    const client = world.start();
    void client.get({ id: 1 }).safe();
    void client.add({ by: 1 }).safe();
    void client.get({ id: 2 }).safe();
    const socket = await world.server.socket();
    expect(socket.all('call').map(([, , path]) => path)).toEqual(['get']);
    await socket.welcome();
    expect(socket.all('call').map(([, , path]) => path)).toEqual(['get', 'add', 'get']);
  });
});

describe('answers', () => {
  test('of ids never asked, asked on another socket, or given twice settle nothing', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome();
    let settled = false;
    const answer = client.add({ by: 1 });
    void answer.finally(() => (settled = true));
    await settle();
    await first.say(['reply', 7, 1], ['error', 9, { code: 'INTERNAL', message: '' }], ['item', 1, 1, 0], ['done', 1]);
    await first.cut();
    const second = await world.server.next();
    await second.say(['reply', 1, 666]); // before the welcome, and before it was sent here
    await second.welcome();
    expect(settled).toBe(false);
    const refused = client.add({ by: 2 }).safe();
    await settle();
    await second.say(['reply', 1, 1], ['reply', 1, 2], ['error', 1, { code: 'INTERNAL', message: '' }]);
    await second.say(['error', 2, { code: 'INTERNAL', message: '' }], ['done', 2], ['reply', 2, 2]);
    expect(await answer).toBe(1);
    expect((await refused).error).toMatchObject({ code: 'INTERNAL' });
    expect(world.connection.stats().inFlight).toBe(0);
  });

  test('settled 64 times are told with a floor, and with every pong', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 100 } });
    for (let by = 0; by < 65; by++) void client.add({ by }).safe();
    await settle();
    await socket.say(...Array.from({ length: 63 }, (_, index) => ['reply', index + 1, 0]));
    expect(socket.all('floor')).toEqual([]);
    await socket.say(['reply', 64, 0]);
    expect(socket.all('floor')).toEqual([['floor', 66, 65]]);
    await socket.say(['ping', 3]);
    expect(socket.all('floor')).toHaveLength(2);
    expect(socket.all('pong')).toEqual([['pong', 3]]);
  });

  test('settled beside many that are pending are told rarely where they were queries, and as often where they acted', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 1_000 } });
    const asked = async (kind: 'ping' | 'add'): Promise<void> => {
      const id = socket.all('call').length + 1;
      void (kind === 'ping' ? client.ping() : client.add({ by: 1 })).safe();
      await settle();
      await socket.say(['reply', id, kind === 'ping' ? undefined : 1]);
    };
    for (let pending = 0; pending < 100; pending++) void client.ping().safe();
    await settle();
    for (let settled = 0; settled < 99; settled++) await asked('ping');
    expect(socket.all('floor')).toEqual([]);
    await asked('ping');
    expect(socket.all('floor')).toEqual([['floor', 201, ...Array.from({ length: 100 }, (_, index) => index + 1)]]);
    for (let settled = 0; settled < 64; settled++) await asked('add');
    expect(socket.all('floor')).toHaveLength(2);
  });
});

describe('who this client is', () => {
  test('another identity ends what is pending, drops the name, and comes back at once', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ identity: 'Ada' });
    const sent = client.add({ by: 1 }).safe();
    await settle();
    await first.cut();
    const queued = client.add({ by: 2 }).safe();
    const second = await world.server.next();
    await second.welcome({ identity: 'Bob' });
    expect(second.all('call')).toEqual([]);
    expect((await sent).error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'unknown' });
    expect((await queued).error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'not-sent' });
    const third = await world.server.socket();
    expect(third.hello.client).not.toBe(first.hello.client);
    expect(third.hello).toMatchObject({ n: 1 });
    await third.welcome({ identity: 'Bob' });
    expect(world.connection.status).toMatchObject({ state: 'connected', resumed: false });
  });

  test('taken over twice in a row it takes a new name; once it keeps it', async () => {
    world.start();
    const names: string[] = [];
    for (let round = 0; round < 3; round++) {
      const socket = round === 0 ? await world.server.socket() : await world.server.next();
      names.push(socket.hello.client);
      await socket.welcome();
      await socket.close(4409);
    }
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
  });

  test('taken over twice with a stable connection in between it keeps its name', async () => {
    world.start();
    const names: string[] = [];
    for (const stable of [false, true, false]) {
      const socket = names.length === 0 ? await world.server.socket() : await world.server.next();
      names.push(socket.hello.client);
      await socket.welcome();
      if (stable) await vi.advanceTimersByTimeAsync(10_000);
      await socket.close(4409);
    }
    expect(new Set(names).size).toBe(1);
  });

  test('the name is 128 random bits and the token goes with every greeting', async () => {
    let asked = 0;
    world.start({ auth: () => `token ${String(++asked)}` });
    const first = await world.server.socket();
    expect(first.hello).toMatchObject({ token: 'token 1', floor: [1] });
    expect(first.hello.client).toMatch(/^[0-9a-f]{32}$/);
    await first.cut();
    expect((await world.server.next()).hello).toMatchObject({ token: 'token 2', n: 2 });
  });
});

describe('a greeting', () => {
  test('names what is settled in fewer words when too many calls are in flight to list them', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome({ limits: { calls: 5_000 } });
    for (let by = 0; by < 4_000; by++) void client.add({ by }).safe();
    await settle();
    await first.say(['reply', 1, 0]);
    await first.cut();
    const second = await world.server.next();
    expect(second.hello.floor).toEqual([2]);
    await second.welcome({ limits: { calls: 5_000 } });
    expect(second.all('call')).toHaveLength(3_999);
  });
});

describe('status listeners', () => {
  test('hear states in their order, also when one of them changes the state', async () => {
    world.start();
    const heard: string[] = [];
    world.connection.on('status', ({ state }) => {
      if (state === 'waiting') world.connection.suspend();
    });
    world.connection.on('status', ({ state }) => heard.push(state));
    const socket = await world.server.socket();
    await socket.welcome();
    await socket.cut();
    expect(heard).toEqual(['connected', 'waiting', 'suspended']);
    expect(world.connection.status.state).toBe('suspended');
  });
});

describe('ends of a connection', () => {
  test('close settles everything at once with its honest outcome', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    await socket.welcome({ limits: { calls: 8 } });
    const calls = Array.from({ length: 9 }, (_, by) => client.add({ by }).safe());
    await settle();
    await world.connection.close();
    const outcomes = (await Promise.all(calls)).map(({ error }) => [error?.code, error?.outcome]);
    expect(outcomes).toEqual([...Array.from({ length: 8 }, () => ['CLOSED', 'unknown']), ['CLOSED', 'not-sent']]);
    expect((await client.add({ by: 1 }).safe()).error).toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
    await settle();
    expect(socket.closedWith).toBe(1000);
  });

  test('a refusal for good says which', async () => {
    const client = world.start();
    const socket = await world.server.socket();
    const answer = client.add({ by: 1 }).safe();
    await socket.close(4403, 'not you');
    expect((await answer).error).toMatchObject({ code: 'FORBIDDEN', outcome: 'not-sent' });
    expect(world.connection.status).toMatchObject({ state: 'closed', cause: { code: 4403, reason: 'not you' } });
  });

  test('1009 fails the largest call without an answer; the rest goes on', async () => {
    const client = world.start();
    const first = await world.server.socket();
    await first.welcome();
    const large = client.note({ text: 'x'.repeat(10_000) }).safe();
    const small = client.add({ by: 1 });
    await settle();
    await first.close(1009);
    expect((await large).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'unknown' });
    const second = await world.server.next();
    await second.welcome();
    expect(second.all('call').map(([, id]) => id)).toEqual([2]);
    await second.say(['reply', 2, 1]);
    expect(await small).toBe(1);
  });
});
