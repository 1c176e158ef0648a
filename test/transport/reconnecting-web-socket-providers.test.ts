import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ReconnectingWebSocket } from '../../src/transport/web-socket/reconnecting-web-socket.ts';
import { StopReconnecting } from '../../src/transport/stop-reconnecting.ts';
import type { UrlRequest } from '../../src/transport/transport-options.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import type { Construction } from './reconnecting-harness.ts';
import { pass, thrown, url, watched } from './reconnecting-harness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('functions that give URL and subprotocols', () => {
  test.each([
    ['the arguments, sync', { at: () => 'http://a.test/1', asks: () => 'chat' }],
    ['the arguments, async', { at: async () => new URL('http://a.test/1'), asks: async () => ['chat'] }],
    [
      'the options, over the arguments',
      { url: async () => 'http://a.test/1', protocols: () => ['chat'], asks: 'other' },
    ],
    ['both', { url: 'http://a.test/1', asks: async () => 'chat' }],
  ] satisfies ReadonlyArray<[string, Construction]>)('may be in %s', async (_title, construction) => {
    const { socket, fake } = watched(construction);
    expect([fake.made.length, socket.readyState, socket.url]).toEqual([0, 0, '']);
    await pass(0);
    expect(fake.last()).toMatchObject({ url: 'ws://a.test/1', protocols: ['chat'] });
    expect(socket.url).toBe('ws://a.test/1');
  });

  test('are asked anew for every attempt, with its number', async () => {
    const at = vi.fn(({ attempt }: UrlRequest) => `ws://host${attempt}.test/`);
    const { socket, fake } = watched({ at });
    await pass(0);
    fake.last().end(1006);
    expect(socket.url).toBe('ws://host1.test/');
    await pass(100);
    expect(fake.last().url).toBe('ws://host2.test/');
    expect(at.mock.calls.map(([{ attempt, signal }]) => [attempt, signal.aborted])).toEqual([
      [1, false],
      [2, false],
    ]);
  });

  const failing = () => {
    throw new Error('no ticket');
  };

  test.each<[string, () => string | Promise<string>]>([
    ['throws', failing],
    ['rejects', async () => failing()],
    ['gives no URL', () => 'relative'],
    ['gives nothing', () => undefined as never],
  ])('that %s makes a failed attempt, which is repeated', async (_title, at) => {
    const { told, reconnecting } = watched({ at });
    await pass(0);
    expect(told).toEqual(['error 3', 'close 3 1006', 'reconnecting 0']);
    expect(reconnecting[0]?.cause).toMatchObject({ by: 'provider', error: expect.any(Error) });
  });

  test('can stop it', async () => {
    const stop = (): string => {
      throw new StopReconnecting('logged out');
    };
    const { socket, told } = watched({ at: stop });
    const errors: Event[] = [];
    socket.onerror = (event) => errors.push(event);
    await pass(0);
    expect(told).toEqual(['error 3', 'close 3 1006']);
    expect(errors).toMatchObject([{ error: { message: 'logged out' } }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that hang run into the limit of the attempt, and are told', async () => {
    const signals: AbortSignal[] = [];
    const hang = ({ signal }: UrlRequest) => {
      signals.push(signal);
      return new Promise<string>(() => {});
    };
    const { told } = watched({ at: hang, connectTimeoutMs: 500 });
    await pass(500);
    expect(told).toEqual(['error 3', 'close 3 1006', 'reconnecting 0']);
    expect(signals[0]?.aborted).toBe(true);
  });

  test('that answer after close() make no socket, and may fail unheard', async () => {
    let answer = (_url: string) => {};
    let fail = (_error: Error) => {};
    const { socket, fake, told } = watched({ at: () => new Promise<string>((resolve) => (answer = resolve)) });
    const second = watched({ at: () => new Promise<string>((_resolve, reject) => (fail = reject)) });
    await pass(0);
    for (const each of [socket, second.socket]) each.close();
    answer(url);
    fail(new Error('late'));
    await pass(60_000);
    expect([...fake.made, ...second.fake.made]).toEqual([]);
    expect([told, second.told]).toEqual([
      ['error 3', 'close 3 1006'],
      ['error 3', 'close 3 1006'],
    ]);
  });

  test('earn one more attempt at once when credentials are refused', async () => {
    const dynamic = watched({ at: () => url });
    const fixed = watched();
    await pass(0);
    for (const { fake } of [dynamic, fixed]) {
      fake.last().open();
      fake.last().end(4401);
    }
    await pass(0);
    expect([dynamic.fake.made.length, dynamic.socket.readyState]).toEqual([2, 0]);
    expect([fixed.fake.made.length, fixed.socket.readyState]).toEqual([1, 3]);
  });
});

describe('the native class', () => {
  test('is the global one of the moment, looked up for every attempt', async () => {
    const [first, second] = [fakeWebSockets(), fakeWebSockets()];
    vi.stubGlobal('WebSocket', first.WebSocket);
    const socket = new ReconnectingWebSocket(url, [], { random: () => 0 });
    vi.stubGlobal('WebSocket', second.WebSocket);
    first.last().end(1006);
    await pass(100);
    expect([first.made.length, second.made.length]).toEqual([1, 1]);
    socket.close();
  });

  test.each([
    ['the class', () => ReconnectingWebSocket],
    ['a subclass', () => class extends ReconnectingWebSocket {}],
    ['a preset', () => ReconnectingWebSocket.with({ reopen: false })],
    ['a wrapper around it', () => new Proxy(ReconnectingWebSocket, {})],
  ])('is still found when the global one is %s', (_title, make) => {
    const fake = fakeWebSockets();
    vi.stubGlobal('WebSocket', fake.WebSocket);
    new ReconnectingWebSocket(url).close();
    vi.stubGlobal('WebSocket', make());
    const socket = new WebSocket(url);
    expect(socket).toBeInstanceOf(ReconnectingWebSocket);
    expect(fake.made).toHaveLength(2);
    fake.last().open();
    expect(socket.readyState).toBe(1);
  });

  test('is still found when the global one was replaced before the first socket was made', async () => {
    const fake = fakeWebSockets();
    vi.stubGlobal('WebSocket', fake.WebSocket);
    vi.resetModules();
    const alone = await import('../../src/transport/web-socket/reconnecting-web-socket.ts');
    vi.stubGlobal('WebSocket', alone.ReconnectingWebSocket);
    new WebSocket(url).close();
    expect(fake.made).toHaveLength(1);
  });

  test('that is nowhere is a TypeError which says what to do', async () => {
    vi.stubGlobal('WebSocket', undefined);
    vi.resetModules();
    const alone = await import('../../src/transport/web-socket/reconnecting-web-socket.ts');
    expect(() => new alone.ReconnectingWebSocket(url)).toThrow(/option `WebSocket`/);
    expect(() => new alone.ReconnectingWebSocket(async () => url)).toThrow(/option `WebSocket`/);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('subclasses', () => {
  test('are made with the options of with(), which the third argument overrides', () => {
    const fake = fakeWebSockets();
    const options = { WebSocket: fake.WebSocket, reopen: false, queue: { maxMessages: 1 } };
    const Preset = ReconnectingWebSocket.with(options);
    options.queue = { maxMessages: 5 };
    const socket = new Preset(url, 'chat');
    socket.send('one');
    expect(thrown(() => socket.send('two'))).toBe('DOMException QuotaExceededError');
    const other = new Preset(url, 'chat', { queue: { maxMessages: 2 }, WebSocket: undefined });
    other.send('one');
    other.send('two');
    expect(fake.made).toHaveLength(2);
    fake.last().open();
    expect(fake.last().protocols).toEqual(['chat']);
    expect(Preset.OPEN).toBe(1);
  });

  test('can be derived again, and have fields and overrides of their own', () => {
    const fake = fakeWebSockets();
    class Counting extends ReconnectingWebSocket.with({ WebSocket: fake.WebSocket }) {
      sent = 0;
      override send(data: string): void {
        this.sent++;
        super.send(data);
      }
    }
    const socket = new Counting(url);
    socket.send('text');
    fake.last().open();
    expect([socket.sent, fake.last().sent]).toEqual([1, ['text']]);
    expect(socket).toBeInstanceOf(Counting);
  });
});
