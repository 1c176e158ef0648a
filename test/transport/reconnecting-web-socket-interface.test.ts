import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ReconnectingWebSocket } from '../../src/transport/web-socket/reconnecting-web-socket.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import { opened, pass, thrown, url, watched } from './reconnecting-harness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const { prototype } = ReconnectingWebSocket;
const descriptor = (name: string) => Object.getOwnPropertyDescriptor(prototype, name);

describe('the class', () => {
  test('has the constants, on itself and on its instances, which nothing can change', () => {
    for (const owner of [ReconnectingWebSocket, prototype]) {
      const expected = { writable: false, enumerable: true, configurable: false };
      for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
        expect(Object.getOwnPropertyDescriptor(owner, name)).toEqual({ value, ...expected });
      }
    }
  });

  test.each(['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'])(
    'has %s as a read-only accessor',
    (name) => {
      expect(descriptor(name)).toMatchObject({ get: expect.any(Function), set: undefined, enumerable: true });
      expect(thrown(() => Reflect.get(prototype, name))).toBe('TypeError');
    },
  );

  test.each(['onopen', 'onerror', 'onclose', 'onmessage', 'binaryType'])('has %s as an accessor', (name) => {
    const found = descriptor(name);
    expect(found).toMatchObject({ get: expect.any(Function), set: expect.any(Function), enumerable: true });
    expect(thrown(() => found?.set?.call({}, null))).toBe('TypeError');
  });

  test('counts required arguments as Web IDL does', () => {
    expect([ReconnectingWebSocket.length, prototype.close.length, prototype.send.length]).toEqual([1, 0, 1]);
  });

  test('needs new, and an argument', () => {
    const callable = ReconnectingWebSocket as unknown as (...args: unknown[]) => unknown;
    const anyClass = ReconnectingWebSocket as unknown as new () => unknown;
    expect(thrown(() => callable(url))).toBe('TypeError');
    expect(thrown(() => new anyClass())).toBe('TypeError');
    const preset = ReconnectingWebSocket.with({}) as unknown as new () => unknown;
    expect(thrown(() => new preset())).toBe('TypeError');
  });

  test('makes event targets that look like the native ones', () => {
    const { socket } = watched();
    expect(socket).toBeInstanceOf(EventTarget);
    expect(Object.prototype.toString.call(socket)).toBe('[object WebSocket]');
    expect([socket.protocol, socket.extensions, socket.bufferedAmount, socket.binaryType]).toEqual(['', '', 0, 'blob']);
  });
});

describe('the URL', () => {
  test.each([
    ['ws://server.test', 'ws://server.test/'],
    ['HTTP://server.test:8080/a b?c=ä', 'ws://server.test:8080/a%20b?c=%C3%A4'],
    ['https://server.test:443/', 'wss://server.test/'],
    [new URL('wss://server.test/x'), 'wss://server.test/x'],
    ['ws://user:word@server.test/', 'ws://user:word@server.test/'],
  ])('%s is told as %s at once', (given, expected) => {
    const { socket, fake } = watched({ at: given });
    expect(socket.url).toBe(expected);
    expect(fake.last().url).toBe(expected);
  });

  test.each([
    '/relative',
    'ftp://server.test/',
    'mailto:me',
    'ws://server.test/#',
    'ws://server.test/#a',
    'ws://a b/',
    '',
  ])('%j is a SyntaxError, and no socket is made', (given) => {
    const fake = fakeWebSockets();
    expect(thrown(() => watched({ at: given, fake }))).toBe('DOMException SyntaxError');
    expect(fake.made).toEqual([]);
  });

  test('is resolved against the page, and its base where it has one', () => {
    vi.stubGlobal('location', { href: 'https://page.test/a/b' });
    expect(watched({ at: '../line' }).socket.url).toBe('wss://page.test/line');
    vi.stubGlobal('document', { baseURI: 'http://base.test/x/' });
    expect(watched({ at: 'line', lifecycle: false }).socket.url).toBe('ws://base.test/x/line');
  });

  test('can not be a symbol', () => {
    expect(thrown(() => watched({ at: Symbol('url') as never }))).toBe('TypeError');
  });
});

describe('the subprotocols', () => {
  test.each([
    [undefined, undefined],
    [[], undefined],
    ['chat', ['chat']],
    [new Set(['a', 'b']) as never, ['a', 'b']],
    [null as never, ['null']],
    [[1, null] as never, ['1', 'null']],
    [{ toString: () => 'object' } as never, ['object']],
  ])('%j are asked for as %j', (asks, expected) => {
    expect(watched({ asks }).fake.last().protocols).toEqual(expected);
  });

  test.each(['', 'a b', 'a,b', 'ä', 'a\n', ['ok', 'not ok'], ['a', 'b', 'A'], [[]], '(', '"'])(
    '%j are a SyntaxError',
    (asks) => {
      expect(thrown(() => watched({ asks: asks as never }))).toBe('DOMException SyntaxError');
    },
  );

  test('can not be symbols', () => {
    expect(thrown(() => watched({ asks: Symbol('chat') as never }))).toBe('TypeError');
    expect(thrown(() => watched({ asks: [Symbol('chat')] as never }))).toBe('TypeError');
  });

  test('the one of the live socket is told', () => {
    const { socket, inner } = opened({ asks: ['a', 'b'] });
    Object.assign(inner, { protocol: 'b', extensions: 'permessage-deflate' });
    expect([socket.protocol, socket.extensions]).toEqual(['b', 'permessage-deflate']);
  });
});

describe('arguments of close()', () => {
  test.each([
    [[1001], 'InvalidAccessError'],
    [[1005], 'InvalidAccessError'],
    [[2999], 'InvalidAccessError'],
    [[5000], 'InvalidAccessError'],
    [[0], 'InvalidAccessError'],
    [[null], 'InvalidAccessError'],
    [[Number.NaN], 'InvalidAccessError'],
    [[65_536 + 1000], 'InvalidAccessError'],
    [['code'], 'InvalidAccessError'],
    [[1000, 'x'.repeat(124)], 'SyntaxError'],
    [[1000, 'ä'.repeat(62)], 'SyntaxError'],
    [[undefined, '\ud800'.repeat(42)], 'SyntaxError'],
  ])('%j are a DOMException %s in every state, and change nothing', (args, name) => {
    const { socket, inner } = opened();
    const { socket: connecting } = watched();
    const { socket: over, inner: ended } = opened();
    ended.end(1000);
    for (const each of [socket, connecting, over]) {
      const before = each.readyState;
      expect(thrown(() => each.close(...(args as [number, string])))).toBe(`DOMException ${name}`);
      expect(each.readyState).toBe(before);
    }
    expect(inner.closedWith).toBeUndefined();
  });

  test.each([
    [['3000', 7], { code: 3000, reason: '7' }],
    [[1000.5, null], { code: 1000, reason: 'null' }],
    [[999.5], { code: 1000, reason: '' }],
    [[2999.5, 'ä'.repeat(61)], { code: 3000, reason: 'ä'.repeat(61) }],
  ])('%j are converted as Web IDL says', (args, expected) => {
    const { socket, inner } = opened();
    socket.close(...(args as [number, string]));
    expect(inner.closedWith).toEqual(expected);
  });

  test('can not be symbols or bigints', () => {
    const { socket } = opened();
    expect(thrown(() => socket.close(Symbol('code') as never))).toBe('TypeError');
    expect(thrown(() => socket.close(1000n as never))).toBe('TypeError');
    expect(thrown(() => socket.close(1000, Symbol('reason') as never))).toBe('TypeError');
  });
});

describe('handlers', () => {
  test('run in the order of listeners, at the place where they were first set', () => {
    const { socket, fake } = watched();
    const order: string[] = [];
    socket.onopen = () => order.push('never');
    socket.addEventListener('open', () => order.push('listener'));
    socket.onopen = () => order.push('handler');
    fake.last().open();
    expect(order).toEqual(['handler', 'listener']);
  });

  test('go to the end when set again after null', () => {
    const { socket, fake } = watched();
    const order: string[] = [];
    socket.onopen = () => order.push('handler');
    socket.addEventListener('open', () => order.push('listener'));
    const handler = socket.onopen;
    socket.onopen = null;
    expect(socket.onopen).toBeNull();
    socket.onopen = handler;
    fake.last().open();
    expect(order).toEqual(['listener', 'handler']);
  });

  test.each([1, 'text', undefined, true])('are null when set to %j', (value) => {
    const { socket } = watched();
    socket.onmessage = () => {};
    socket.onmessage = value as never;
    expect(socket.onmessage).toBeNull();
  });

  test('that are objects are kept and do nothing, also with a handleEvent', () => {
    const { socket, fake, told } = watched();
    const handleEvent = vi.fn();
    const handler = { handleEvent };
    socket.onopen = handler as never;
    expect(socket.onopen).toBe(handler);
    fake.last().open();
    expect(handleEvent).not.toHaveBeenCalled();
    expect(told).toEqual(['open 1']);
  });

  test('get the socket as this, and cancel an event by false', () => {
    const { socket } = watched();
    const seen: unknown[] = [];
    socket.onerror = function (this: unknown, event) {
      seen.push(this, event.target);
      return false;
    };
    const event = new Event('error', { cancelable: true });
    expect(socket.dispatchEvent(event)).toBe(false);
    expect(seen).toEqual([socket, socket]);
  });

  test('are the same after a reconnect', async () => {
    const { socket, fake, inner } = opened();
    const onmessage = vi.fn();
    socket.onmessage = onmessage;
    inner.end(1001);
    await pass(1_000);
    fake.last().open();
    fake.last().message('again');
    expect(socket.onmessage).toBe(onmessage);
    expect(onmessage).toHaveBeenCalledTimes(1);
  });
});

describe('events', () => {
  test('are those of the standard', () => {
    const { socket, inner } = opened({ at: 'http://server.test:81/x' });
    const seen: Event[] = [];
    for (const type of ['message', 'close']) socket.addEventListener(type, (event) => seen.push(event));
    inner.emit('message', { data: 'text', origin: 'ws://server.test:81/x' });
    inner.emit('close', { code: 1000, reason: 'done', wasClean: true });
    const [message, close] = seen;
    expect(message).toBeInstanceOf(MessageEvent);
    expect(message).toMatchObject({ data: 'text', origin: 'ws://server.test:81', lastEventId: '', source: null });
    expect(close).toBeInstanceOf(CloseEvent);
    expect(close).toMatchObject({ code: 1000, reason: 'done', wasClean: true, bubbles: false, cancelable: false });
  });

  test('have a stand-in where the runtime has no CloseEvent', () => {
    vi.stubGlobal('CloseEvent', undefined);
    const { socket, inner } = opened();
    const seen: Event[] = [];
    socket.onclose = (event) => seen.push(event);
    inner.emit('close', { code: 1000, reason: 'done', wasClean: true });
    expect(seen[0]).toBeInstanceOf(Event);
    expect(seen[0]).toMatchObject({ type: 'close', code: 1000, reason: 'done', wasClean: true });
    expect(seen[0]?.constructor.name).toBe('CloseEvent');
  });
});

describe('binaryType', () => {
  test('is handed to the live socket and to its successors', async () => {
    const { socket, fake, inner } = opened();
    expect(inner).toMatchObject({ binaryType: 'blob' });
    socket.binaryType = 'arraybuffer';
    expect(inner).toMatchObject({ binaryType: 'arraybuffer' });
    inner.end(1001);
    await pass(1_000);
    expect(fake.made).toHaveLength(2);
    expect(fake.last()).toMatchObject({ binaryType: 'arraybuffer' });
  });

  test.each(['text', '', null, 'Blob'])('ignores %j', (value) => {
    const { socket } = watched();
    socket.binaryType = 'arraybuffer';
    socket.binaryType = value as never;
    expect(socket.binaryType).toBe('arraybuffer');
  });
});

describe('options', () => {
  test('are not changed, and later changes to them are not seen', () => {
    const queue = Object.freeze({ maxMessages: 1 });
    const options = Object.freeze({ WebSocket: fakeWebSockets().WebSocket, queue, reconnect: Object.freeze({}) });
    const socket = new ReconnectingWebSocket(url, 'chat', options);
    socket.send('fits');
    expect(thrown(() => socket.send('does not'))).toBe('DOMException QuotaExceededError');
  });

  test.each([
    [{ connectTimeoutMs: 0 }, 'RangeError'],
    [{ reconnect: { maxAttempts: 0 } }, 'RangeError'],
    [{ queue: { maxMessages: 0 } }, 'RangeError'],
    [{ queue: { maxBytes: Number.NaN } }, 'RangeError'],
    [{ WebSocket: 'ws' as never }, 'TypeError'],
    [{ WebSocket: ReconnectingWebSocket as never }, 'TypeError'],
    [{ WebSocket: ReconnectingWebSocket.with({}) as never }, 'TypeError'],
    [{ reopen: 'no' as never }, 'TypeError'],
  ])('%j are a %s', (options, name) => {
    expect(thrown(() => watched(options))).toBe(name);
    expect(vi.getTimerCount()).toBe(0);
  });
});
