import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, createClient, type ConnectOptions, type Connection, type Happening } from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';

let server: ScriptedServer;
let connection: Connection;

function start(options: ConnectOptions = {}) {
  connection = connect('ws://test/line?token=secret-in-url', {
    WebSocket: server.WebSocket,
    random: () => 0,
    auth: () => 'secret-token',
    ...options,
  });
  connection.on('error', () => undefined);
  return createClient(plain, connection);
}

const told = (happenings: readonly Happening[]) => happenings.map(({ what, details }) => [what, details]);
const named = (...names: string[]) => told(connection.record()).filter(([what]) => names.includes(what as string));

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  server = new ScriptedServer();
});

afterEach(async () => {
  await connection.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('The record of a connection', () => {
  test('is silent: attempts that fail, and messages that can’t be read, print nothing', async () => {
    const prints = (['debug', 'log', 'info', 'warn', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockReset(),
    );
    start();
    const heard: string[] = [];
    connection.on('happening', ({ what }) => heard.push(what));
    const socket = await server.socket();
    await socket.cut();
    const next = await server.next();
    await next.welcome();
    await next.say(['nonsense']);
    await next.cut();
    expect(prints.flatMap(({ mock }) => mock.calls)).toEqual([]);
    expect(heard.filter((what) => what === 'status').length).toBeGreaterThan(3);
  });

  test('tells states with their causes and delays, sockets, probes and what the app asked for, with wall time', async () => {
    start();
    const socket = await server.socket();
    await socket.welcome();
    connection.wake();
    await vi.advanceTimersByTimeAsync(500);
    await socket.close(1012, 'restart');
    connection.suspend('pocket');
    await connection.close();
    const limits = { frameBytes: 1024 * 1024, calls: 8, streams: 8, items: 32, subscriptions: 1000 };
    const lost = { code: 1012, reason: 'restart', opened: true, by: 'peer' };
    expect(told(connection.record())).toEqual([
      ['status', { state: 'connecting', attempt: 1 }],
      ['opened', { socket: 1 }],
      ['welcome', { resumed: false, heartbeatMs: 25_000, ...limits }],
      ['status', { state: 'connected', since: 1_000_000, resumed: false }],
      ['wake', {}],
      ['probe', {}],
      ['lost', lost],
      ['status', { state: 'waiting', attempt: 2, delayMs: 5_000, ...lost }],
      ['status', { state: 'suspended', reason: 'pocket' }],
      ['status', { state: 'closed', code: 1000, reason: '', opened: false, by: 'app' }],
    ]);
    expect(connection.record().map(({ at }) => at)).toEqual([
      ...Array.from({ length: 6 }, () => 1_000_000),
      ...Array.from({ length: 4 }, () => 1_000_500),
    ]);
  });

  test('tells that a connection closes when it has drained, once', async () => {
    const client = start();
    const socket = await server.socket();
    await socket.welcome();
    const answer = client.add({ by: 1 });
    await settle();
    const closing = [connection.close({ drain: true }), connection.close({ drain: true })];
    await socket.say(['reply', 1, 1]);
    await Promise.all([...closing, answer]);
    expect(named('close')).toEqual([['close', { drain: true }]]);
  });

  test('tells levels at congestion, gaps, failed calls and errors', async () => {
    const client = start({ flow: { highWaterMark: 1_000, lowWaterMark: 200 }, queue: { maxMessages: 2 } });
    const socket = await server.socket();
    await socket.welcome();
    client.news({ channel: 'a' }).subscribe(() => {
      throw new RangeError('secret in an error');
    });
    await settle();
    await socket.say(['subscribed', 1, 'news/a', ['E', 1], 'live'], ['subscribed', 1, 'news/a', ['F', 5], 'gap']);
    await socket.say(['event', 'news/a', 6, { text: 'x' }]);
    for (let n = 0; n < 3; n++) void client.note({ text: 'x'.repeat(900) }).safe();
    await settle();
    for (let n = 0; n < 5; n++) await socket.say(['pong', socket.all('ping').at(-1)![1]]);
    await socket.say(['error', 1, { code: 'FORBIDDEN', message: 'not you' }]);
    expect(named('gap', 'error', 'failed', 'congested', 'drained')).toEqual([
      ['gap', { topic: 'news/a', from: 'E:1', to: 'F:5' }],
      ['error', { error: 'TautlineError', errorCode: 'GAP' }],
      ['error', { error: 'RangeError' }],
      ['congested', { messages: 2, bytes: 1_822, unanswered: 26 }],
      ['failed', { code: 'QUEUE_FULL', path: 'note', outcome: 'not-sent' }],
      ['drained', { messages: 0, bytes: 0, unanswered: 0 }],
      ['failed', { code: 'FORBIDDEN', path: 'note', outcome: 'rejected' }],
    ]);
  });

  test('never holds a payload, a token or the query of a URL, and is plain JSON', async () => {
    const client = start({
      url: undefined,
      auth: ({ reason }) => {
        if (reason === 'refused') throw new Error('secret of a provider');
        return 'secret-token';
      },
    } as ConnectOptions);
    const socket = await server.socket();
    await socket.welcome();
    const call = client.note({ text: 'secret payload' }).safe();
    await settle();
    await socket.say(['error', 1, { code: 'INTERNAL', message: 'secret message' }]);
    await call;
    await socket.close(4401, 'see https://example.com/a?token=secret-in-reason#x for more, token=secret Bearer secret');
    await settle();
    const record = connection.record();
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    expect(JSON.stringify(record)).not.toContain('secret');
    expect(named('lost')[0]?.[1]).toMatchObject({ reason: 'see https://example.com/a?… for more, … …' });
    expect(named('status').at(-1)?.[1]).toMatchObject({ by: 'provider', error: 'Error' });
  });

  test('keeps the last 300, and counts equal ones in a row instead of pushing others out', async () => {
    const client = start({ whileOffline: 'fail' });
    await server.socket();
    for (let n = 0; n < 1_000; n++) await client.add({ by: 1 }).safe();
    expect(connection.record()).toEqual([
      { at: 1_000_000, what: 'status', details: { state: 'connecting', attempt: 1 } },
      { at: 1_000_000, what: 'opened', details: { socket: 1 } },
      { at: 1_000_000, what: 'failed', times: 1_000, details: { code: 'OFFLINE', path: 'add', outcome: 'not-sent' } },
    ]);
    const before = connection.record();
    await client.add({ by: 1 }).safe();
    expect(before.at(-1)?.times).toBe(1_000);
    for (let n = 0; n < 400; n++) {
      connection.reconnect();
      connection.suspend(`nap ${n}`);
    }
    const record = connection.record();
    expect(record).toHaveLength(300);
    expect(record.at(-1)?.details).toEqual({ state: 'suspended', reason: 'nap 399' });
    expect(before).toHaveLength(3);
  });

  test('is told as it happens, also where a listener throws', async () => {
    start();
    const heard: string[] = [];
    const errors: unknown[] = [];
    connection.on('error', (error) => errors.push(error));
    connection.on('happening', () => {
      throw new Error('listener');
    });
    const stop = connection.on('happening', ({ what }) => heard.push(what));
    const socket = await server.socket();
    await socket.welcome();
    expect(heard).toContain('welcome');
    expect(errors).toHaveLength(heard.length);
    expect(connection.record().map(({ what }) => what)).toEqual(['status', ...heard]);
    stop();
    const before = heard.length;
    connection.wake();
    expect(heard).toHaveLength(before);
  });
});
