import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, createClient, StopReconnecting } from '../../src/index.ts';
import type { AuthOption, AuthRequest, Connection, ConnectOptions } from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';

let server: ScriptedServer;
let connection: Connection;
let errors: unknown[];

function start(auth: AuthOption | undefined, options: ConnectOptions = {}) {
  const { WebSocket } = server;
  connection = connect('ws://test/', { WebSocket, auth, random: () => 0.5, heartbeat: false, ...options });
  connection.on('error', (error) => errors.push(error));
  return createClient(plain, connection);
}

/** Gives T1, T2, … that live 100 s. */
function issuing() {
  return vi.fn((_request: AuthRequest) => ({
    token: `T${String(auth.mock.calls.length)}`,
    expiresAt: Date.now() + 100_000,
  }));
}
let auth: ReturnType<typeof issuing>;

async function welcomed(options: { readonly identity?: string } = {}) {
  const socket = await server.socket();
  await socket.welcome(options);
  return socket;
}

/** Calls that the scripted server lets run at a time. */
const SLOTS = 8;
const reasons = () => auth.mock.calls.map(([{ reason }]) => reason);
const refused = { code: 'UNAUTHENTICATED', message: 'the credentials were refused' };

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  server = new ScriptedServer();
  errors = [];
  auth = issuing();
});

afterEach(async () => {
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('a token that expires', () => {
  test('is refreshed at 80 % of its life on the live socket, again and again, in the numbers of the calls', async () => {
    const client = start(auth);
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(79_999);
    expect(socket.all('auth')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.all('auth')).toEqual([['auth', 1, 'T2']]);
    const sum = client.add({ by: 5 });
    await settle();
    expect(socket.all('call')[0]?.[1]).toBe(2);
    await socket.say(['reply', 1], ['reply', 2, 5]);
    expect(await sum).toBe(5);
    await vi.advanceTimersByTimeAsync(80_000);
    expect(socket.all('auth').at(-1)).toEqual(['auth', 3, 'T3']);
    expect(reasons()).toEqual(['connect', 'refresh', 'refresh']);
    expect(server.sockets).toHaveLength(1);
    expect(connection.stats().inFlight).toBe(0);
  });

  test.each([
    [0, 75_000],
    [0.999, 84_990],
  ])('is refreshed with jitter: %d of it after %i ms', async (random, ms) => {
    start(auth, { random: () => random });
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(socket.all('auth')).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(socket.all('auth')).toHaveLength(1);
  });

  test('in a far future does not make the timer fire at once', async () => {
    start(() => ({ token: 'T', expiresAt: Date.now() + 2 ** 33 }));
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(2 ** 33 * 0.79);
    expect(socket.all('auth')).toEqual([]);
    await vi.advanceTimersByTimeAsync(2 ** 33 * 0.02);
    expect(socket.all('auth')).toHaveLength(1);
  });

  test('very soon is refreshed once a second at most', async () => {
    start(() => ({ token: 'T', expiresAt: Date.now() + 10 }));
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(999);
    expect(socket.all('auth')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.all('auth')).toHaveLength(1);
  });

  test('is refreshed also when the queue is full', async () => {
    const client = start(auth, { timeoutMs: 600_000, queue: { maxMessages: 1 } });
    const socket = await welcomed();
    for (let by = 0; by < SLOTS; by++) {
      void client.add({ by }).safe();
      await settle();
    }
    void client.add({ by: SLOTS }).safe();
    await vi.advanceTimersByTimeAsync(80_000);
    expect(socket.all('call')).toHaveLength(SLOTS);
    expect(socket.all('auth')).toHaveLength(1);
  });

  test('is refreshed when calls have taken all slots', async () => {
    const client = start(auth, { timeoutMs: 600_000 });
    const socket = await welcomed();
    for (let by = 0; by < SLOTS; by++) void client.add({ by }).safe();
    await vi.advanceTimersByTimeAsync(80_000);
    expect(socket.all('auth')).toHaveLength(1);
    expect(socket.all('call')).toHaveLength(SLOTS);
  });

  test('that could not be written on its socket is never written on another', async () => {
    const client = start(auth, { timeoutMs: 600_000 });
    const socket = await welcomed();
    for (let by = 0; by < SLOTS + 1; by++) void client.add({ by }).safe();
    await vi.advanceTimersByTimeAsync(80_000);
    expect(socket.all('auth')).toEqual([]);
    await socket.cut();
    const next = await server.next();
    expect(next.hello.token).toBe('T3');
    await next.welcome();
    expect(next.all('call')).toHaveLength(SLOTS);
    await next.say(['reply', 1, 0]);
    expect(next.all('call')).toHaveLength(SLOTS + 1);
    await next.say(['reply', 2, 0]);
    expect(next.all('auth')).toEqual([]);
  });

  test('is asked for once by a refresh and by the attempt that follows when the socket is lost meanwhile', async () => {
    let give = (_token: string) => {};
    const slow = vi.fn(({ reason }: AuthRequest) =>
      reason === 'connect'
        ? { token: 'T1', expiresAt: Date.now() + 100_000 }
        : new Promise<string>((resolve) => (give = resolve)),
    );
    start(slow);
    await welcomed();
    await vi.advanceTimersByTimeAsync(80_000);
    connection.reconnect();
    await settle();
    give('T2');
    await settle();
    expect(slow).toHaveBeenCalledTimes(2);
    const next = await welcomed();
    expect(next.hello.token).toBe('T2');
    expect(next.all('auth')).toEqual([]);
  });
});

describe('a refresh that fails', () => {
  const failing = async (fail: (request: AuthRequest) => never | Promise<never>) => {
    auth.mockImplementation((request) =>
      reasons().length === 2 ? (fail(request) as never) : { token: 'T', expiresAt: Date.now() + 100_000 },
    );
    start(auth);
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(80_000);
    return socket;
  };

  test('is tried again while the old token holds: the socket lives on', async () => {
    const error = new Error('offline');
    const socket = await failing(() => Promise.reject(error));
    expect(errors).toEqual([error]);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(socket.all('auth')).toHaveLength(1);
    expect(connection.status.state).toBe('connected');
  });

  test('because the function hangs is tried again after its 10 s', async () => {
    const socket = await failing(() => new Promise<never>(() => {}));
    await vi.advanceTimersByTimeAsync(10_000 + 1_500);
    expect(auth.mock.calls[1]?.[0].signal.aborted).toBe(true);
    expect(socket.all('auth')).toHaveLength(1);
  });

  test('because there is no use in asking is not tried again', async () => {
    await failing(() => Promise.reject(new StopReconnecting('signed out')));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(auth).toHaveBeenCalledTimes(2);
    expect(connection.status.state).toBe('connected');
  });

  test('at the server, for another reason than the credentials, is tried again', async () => {
    start(auth);
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(80_000);
    await socket.say(['error', 1, { code: 'RATE_LIMITED', message: 'later' }]);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(socket.all('auth')).toHaveLength(2);
    expect(reasons()).toEqual(['connect', 'refresh', 'refresh']);
  });

  test('because they are refused asks for others once; refused again: as 4401, and refused there: the end', async () => {
    start(auth);
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(80_000);
    await socket.say(['error', 1, refused]);
    expect(socket.all('auth').at(-1)).toEqual(['auth', 2, 'T3']);
    await socket.say(['error', 2, refused]);
    expect(socket.closedWith).toBe(4401);
    const next = await server.socket();
    expect(next.hello).toMatchObject({ token: 'T4', client: socket.hello.client });
    await next.close(4401, 'the credentials were refused');
    expect(reasons()).toEqual(['connect', 'refresh', 'refused', 'refused']);
    expect(connection.status).toMatchObject({
      state: 'closed',
      cause: { code: 4401, reason: 'the credentials were refused' },
    });
  });

  test('because the token fits into no frame is tried again', async () => {
    auth.mockImplementation(() => ({
      token: reasons().length === 2 ? 'x'.repeat(2 ** 20) : 'T',
      expiresAt: Date.now() + 100_000,
    }));
    start(auth);
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(80_000);
    expect(errors).toMatchObject([{ name: 'RangeError' }]);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(socket.all('auth')).toMatchObject([['auth', 2, 'T']]);
  });

  test('because they are refused, and then accepted, starts anew', async () => {
    start(auth);
    const socket = await welcomed();
    await vi.advanceTimersByTimeAsync(80_000);
    await socket.say(['error', 1, refused]);
    await socket.say(['reply', 2]);
    await vi.advanceTimersByTimeAsync(80_000);
    await socket.say(['error', 3, refused]);
    expect(reasons()).toEqual(['connect', 'refresh', 'refused', 'refresh', 'refused']);
    expect(connection.status.state).toBe('connected');
  });

  test.each(['suspend', 'close'] as const)('ends with its connection: %s', async (end) => {
    let signal: AbortSignal | undefined;
    await failing((request) => {
      ({ signal } = request);
      return new Promise<never>(() => {});
    });
    void connection[end]();
    expect(signal?.aborted).toBe(true);
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    expect(errors).toEqual([]);
  });
});

describe('setAuth', () => {
  test('leaves the socket at once and comes back as another client with other credentials', async () => {
    start(auth);
    const socket = await welcomed();
    connection.setAuth(() => 'other');
    expect(connection.status).toEqual({ state: 'connecting', attempt: 1 });
    const next = await server.socket();
    expect(socket.closedWith).toBe(4000);
    expect(next.hello).toMatchObject({ token: 'other', n: 1, floor: [1] });
    expect(next.hello.client).not.toBe(socket.hello.client);
    await next.welcome({ identity: 'I2' });
    expect(connection.status).toMatchObject({ state: 'connected', resumed: false });
  });

  test('ends what is pending with its honest outcome; what is asked then belongs to the new identity', async () => {
    const client = start(auth);
    await welcomed();
    for (let by = 1; by < SLOTS; by++) void client.add({ by }).safe();
    const sent = client.add({ by: 1 }).safe();
    const waiting = client.add({ by: 2 }).safe();
    await settle();
    connection.setAuth(null);
    const later = client.add({ by: 3 });
    expect((await sent).error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'unknown' });
    expect((await waiting).error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'not-sent' });
    const next = await welcomed({ identity: 'nobody' });
    expect(next.hello).not.toHaveProperty('token');
    expect(next.all('call').map(([, , , , input]) => input)).toEqual([{ by: 3 }]);
    await next.say(['reply', SLOTS + 1, 3]);
    expect(await later).toBe(3);
  });

  test('twice in a row, and from inside the function that it takes the place of: the latest counts', async () => {
    const asked: string[] = [];
    const named = (token: string) => () => {
      asked.push(token);
      return token;
    };
    start(() => {
      asked.push('first');
      connection.setAuth(named('second'));
      connection.setAuth(named('third'));
      return 'first';
    });
    const socket = await server.socket();
    expect(asked).toEqual(['first', 'third']);
    expect(server.sockets.map(({ hello }) => hello.token)).toEqual(['third']);
    await socket.welcome();
    expect(connection.status.state).toBe('connected');
  });

  test('drops positions and states of topics', async () => {
    const counts = start(auth).counts();
    counts.subscribe({});
    const socket = await welcomed();
    await socket.say(['subscribed', 1, 'counts', ['E', 5], 'live'], ['snapshot', 'counts', ['E', 5], { a: 1 }]);
    expect(counts.state.get()).toEqual({ a: 1 });
    connection.setAuth(null);
    expect(counts.state.get()).toBeUndefined();
    expect((await server.socket()).all('subscribe')).toEqual([['subscribe', 2, 'counts']]);
  });

  test('while the former function runs aborts it, and what it gives late brings nobody back', async () => {
    let give = (_token: string) => {};
    let signal: AbortSignal | undefined;
    start((request) => {
      ({ signal } = request);
      return new Promise((resolve) => (give = resolve));
    });
    await settle();
    connection.setAuth(null);
    expect(signal?.aborted).toBe(true);
    give('old identity');
    const socket = await server.socket();
    expect(server.sockets).toHaveLength(1);
    expect(socket.hello).not.toHaveProperty('token');
  });

  test('during a refresh: the token of the old identity is not written', async () => {
    let give = (_token: string) => {};
    start(({ reason }) =>
      reason === 'connect'
        ? { token: 'T1', expiresAt: Date.now() + 100_000 }
        : new Promise((resolve) => (give = resolve)),
    );
    await welcomed();
    await vi.advanceTimersByTimeAsync(80_000);
    connection.setAuth(null);
    give('T2');
    const next = await welcomed({ identity: 'nobody' });
    await vi.advanceTimersByTimeAsync(200_000);
    expect(next.frames.join()).not.toContain('T2');
    expect(errors).toEqual([]);
  });

  test('with null leaves no way to renew: a refusal closes it; with a function there is one again', async () => {
    start(auth);
    await welcomed();
    connection.setAuth(null);
    await (await server.socket()).close(4401);
    expect(connection.status.state).toBe('closed');
    connection.setAuth(null);
    expect(connection.status.state).toBe('closed');
    connection.setAuth(auth);
    expect(connection.status.state).toBe('connecting');
    await (await server.socket()).close(4401);
    expect((await server.socket()).hello.token).toBe('T3');
  });

  test('does not wake what is suspended', async () => {
    start(auth);
    await welcomed();
    connection.suspend();
    connection.setAuth(() => 'other');
    await settle();
    expect(connection.status.state).toBe('suspended');
    connection.wake();
    expect((await server.socket()).hello).toMatchObject({ token: 'other', n: 1 });
  });

  test('is on record, without tokens', async () => {
    start(auth);
    await welcomed();
    connection.setAuth(null);
    expect(connection.record().filter(({ what }) => what === 'auth')).toMatchObject([{ details: { step: 'removed' } }]);
    expect(JSON.stringify(connection.record())).not.toContain('T1');
  });
});
