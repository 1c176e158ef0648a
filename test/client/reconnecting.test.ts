import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import type { ConnectOptions } from '../../src/client/connect-options.ts';
import type { Connection } from '../../src/client/kernel/connection.ts';
import { hostLifecycle } from '../../src/transport/lifecycle/lifecycle-host.ts';
import { StopReconnecting } from '../../src/transport/stop-reconnecting.ts';
import { fakePage } from '../helpers/fake-page.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(options: ConnectOptions = {}): { server: ScriptedServer; connection: Connection } {
  const server = new ScriptedServer();
  const connection = connect('ws://server.test', { WebSocket: server.WebSocket, random: () => 0, ...options });
  return { server, connection };
}

async function connected(options: ConnectOptions = {}) {
  const { server, connection } = begin(options);
  const socket = await server.socket();
  await socket.welcome();
  return { server, connection, socket };
}

describe('a connection', () => {
  test('that was told goaway comes back within the window, not after the pause of a restart', async () => {
    const { connection, socket } = await connected();
    await socket.say(['goaway', { reason: 'deploy', afterMs: 700, withinMs: 300 }]);
    await socket.close(1012);
    expect(connection.status).toMatchObject({ state: 'waiting', retryAt: Date.now() + 700 });
    await connection.close();
  });

  test('passes lifecycle and suspendAfterHiddenMs on; a call made meanwhile waits', async () => {
    const lifecycle = hostLifecycle();
    const { connection, server } = await connected({ lifecycle, suspendAfterHiddenMs: 0 });
    lifecycle.tell('hidden');
    await settle();
    expect(connection.status).toEqual({ state: 'suspended', reason: 'hidden' });
    lifecycle.tell('wake');
    await settle();
    expect(server.sockets).toHaveLength(2);
    await connection.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('leaves no listener on the page when it is closed', async () => {
    const page = fakePage();
    const { connection } = await connected();
    expect(page.listeners).toBeGreaterThan(0);
    await connection.close();
    expect(page.listeners).toBe(0);
  });

  test('ends with the error of an auth function that says to stop', async () => {
    const stop = new StopReconnecting('the session is over');
    const { connection } = begin({ auth: () => Promise.reject(stop) });
    await settle();
    expect(connection.status).toMatchObject({ state: 'closed', cause: { by: 'provider', error: stop } });
  });

  test('obeys a rule for a close code', async () => {
    const { connection, socket } = await connected({ reconnect: { onClose: { 4403: { delayMs: 1_234 } } } });
    await socket.close(4403);
    expect(connection.status).toMatchObject({ state: 'waiting', retryAt: Date.now() + 1_234 });
    await connection.close();
  });
});

describe('listeners that throw', () => {
  test('at every status: the next listener runs, the connection goes on, each is reported', async () => {
    const { server, connection } = begin();
    const states: string[] = [];
    const reported: unknown[] = [];
    connection.on('status', ({ state }) => {
      throw new Error(state);
    });
    connection.on('status', ({ state }) => states.push(state));
    connection.on('error', (error) => reported.push((error as Error).message));
    await (await server.socket()).welcome();
    await server.sockets[0]!.close(1006);
    await (await server.next()).welcome();
    connection.suspend();
    connection.wake();
    await connection.close();
    const expected = ['connected', 'waiting', 'connecting', 'connected', 'suspended', 'connecting', 'closed'];
    expect(states).toEqual(expected);
    expect(reported).toEqual(expected);
  });

  test('at an error: the host hears of it, and the connection goes on', async () => {
    const reportError = vi.fn();
    vi.stubGlobal('reportError', reportError);
    const { connection, socket } = await connected();
    const thrown = new Error('from the listener');
    connection.on('error', () => {
      throw thrown;
    });
    await socket.raw('no frame');
    expect(reportError).toHaveBeenCalledWith(thrown);
    expect(connection.status.state).toBe('waiting');
    await connection.close();
  });
});

describe('what the server says of its clients', () => {
  const waits = async (...said: unknown[][]) => {
    const { connection, socket } = await connected({ random: () => 0.999_999 });
    await socket.say(...said);
    await vi.advanceTimersByTimeAsync(10_000);
    await socket.cut();
    const { status } = connection;
    await connection.close();
    return status.state === 'waiting' ? status.retryAt - Date.now() : status.state;
  };

  test('in its newest ping is how wide the window is in which the client comes back', async () => {
    expect(await waits(['ping', 1])).toBe(5_100);
    expect(await waits(['ping', 1, 2_000])).toBe(2_100);
    expect(await waits(['ping', 1, 2_000], ['ping', 2, 300], ['ping', 3])).toBe(400);
  });

  test('in its welcome, as well', async () => {
    const { server, connection } = begin({ random: () => 0.999_999 });
    await (await server.socket()).welcome({ spreadMs: 200 });
    await vi.advanceTimersByTimeAsync(3_000);
    await server.sockets[0]!.cut();
    expect(connection.status).toMatchObject({ state: 'waiting', attempt: 1, retryAt: Date.now() + 300 });
    await connection.close();
  });
});
