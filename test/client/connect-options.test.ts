import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CONNECT_DEFAULTS, connect, type ConnectOptions } from '../../src/index.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';
import { resolveConnectOptions } from '../../src/client/connect-options.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('options of connect', () => {
  test.each([
    [{ timeoutMs: 0 }, 'timeoutMs must be a number above 0, not 0'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs must be a number above 0, not NaN'],
    [{ queue: { maxMessages: -1 } }, 'queue.maxMessages must be a number above 0, not -1'],
    [{ queue: { maxBytes: '1' } }, 'queue.maxBytes must be a number above 0, not 1'],
    [{ queue: 5 }, 'queue must be an object, not 5'],
    [{ flow: false }, 'flow must be an object, not false'],
    [{ topics: 100 }, 'topics must be an object, not 100'],
    [{ topics: { lingerMs: 0 } }, 'topics.lingerMs must be a number above 0, not 0'],
    [{ topics: { keepMs: Number.NaN } }, 'topics.keepMs must be a number above 0, not NaN'],
    [{ topics: { keep: -1 } }, 'topics.keep must be a whole number, 0 or more, not -1'],
    [{ topics: { keep: 1.5 } }, 'topics.keep must be a whole number, 0 or more, not 1.5'],
    [
      { flow: { highWaterMark: 10, lowWaterMark: 10 } },
      'flow.lowWaterMark must be below flow.highWaterMark (10), not 10',
    ],
    [{ reconnect: true }, 'reconnect must be an object or false, not true'],
    [{ heartbeat: null }, 'heartbeat must be an object or false, not null'],
    [{ lazy: 'yes' }, 'lazy must be true or false, not "yes"'],
    [{ lazy: false, idleMs: 1_000 }, 'idleMs needs lazy: true'],
    [{ lazy: true, idleMs: 0 }, 'idleMs must be a number above 0, not 0'],
    [{ whileOffline: 'perhaps' }, "whileOffline must be 'wait' or 'fail', not \"perhaps\""],
  ])('%j is refused, with the value in the message', (options, message) => {
    expect(() => connect('ws://test/', options as never)).toThrow(message);
  });

  test('an empty URL is refused: it would be the page itself', () => {
    expect(() => connect('')).toThrow("url is empty: give '/ws', or a whole URL");
  });

  test('that are undefined erase no default', () => {
    vi.stubGlobal('document', {});
    const resolved = resolveConnectOptions({ timeoutMs: undefined, queue: { maxBytes: undefined }, flow: undefined });
    expect(resolved).toEqual(CONNECT_DEFAULTS);
  });

  test.each([
    ['on a server', {}, {}, true],
    ['on a server that says otherwise', {}, { lazy: false }, false],
    ['on a server, with a WebSocket of its own', {}, { WebSocket: class {} }, false],
    ['in a page', { document: {} }, {}, false],
    ['in a worker of a page', { process: undefined }, {}, false],
    ['where a bundler stands in for process', { process: { versions: {} } }, {}, false],
  ])('lazy: %s', (_, globals, options, lazy) => {
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    expect(resolveConnectOptions(options as ConnectOptions).lazy).toBe(lazy);
  });

  test('setAuth refuses what is no function, and changes nothing then', async () => {
    const server = new ScriptedServer();
    const connection = connect('ws://test/', { WebSocket: server.WebSocket, auth: () => 'token' });
    const socket = await server.socket();
    await socket.welcome();
    expect(() => {
      connection.setAuth('token' as never);
    }).toThrow('auth must be a function, not "token"');
    await settle();
    expect(socket.closedWith).toBeUndefined();
    await connection.close();
  });
});
