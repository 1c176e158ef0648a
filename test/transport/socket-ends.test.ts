import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('one end, whatever the engine does', () => {
  test('an error followed by a close is one loss, with the true code', async () => {
    const { connect, words, told } = harness();
    const socket = await connect();
    socket.fail(3, { message: 'reset by peer' });
    socket.end(1013, 'busy');
    expect(words().slice(3)).toEqual(['lost 1013', 'waiting']);
    expect(told[3]![1]).toMatchObject({ reason: 'busy', error: new Error('reset by peer') });
    expect(vi.getTimerCount()).toBe(1);
  });

  test('an error on a closed socket without a close after it ends the attempt in the next macrotask', async () => {
    // Chromium, when the content security policy of the page blocks the URL.
    const { dial, transport, settle } = harness();
    (await dial()).fail(3);
    expect(transport.status.state).toBe('connecting');
    await settle();
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { code: 1006, opened: false, by: 'peer' } });
  });

  test('an error on a socket that is closing gets a second for its close', async () => {
    const { connect, transport } = harness();
    (await connect()).fail(2);
    await vi.advanceTimersByTimeAsync(999);
    expect(transport.status.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { code: 1006, opened: true } });
  });

  test('a close during the wait for it leaves no timer of the error behind', async () => {
    const { dial, transport } = harness();
    const socket = await dial();
    socket.fail(3);
    socket.fail(3);
    transport.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([0, undefined])('a close event with code %s is 1006', async (code) => {
    const { connect, told } = harness();
    (await connect()).emit('close', { code });
    expect(told.at(-2)).toEqual(['lost', { code: 1006, reason: '', opened: true, by: 'peer' }]);
  });

  test('a close before the open is no loss of a link', async () => {
    const { dial, words } = harness();
    (await dial()).end(1006);
    expect(words()).toEqual(['connecting', 'waiting']);
  });
});

describe('abandoned sockets', () => {
  test('nothing that an abandoned socket reports is taken for news of its successor', async () => {
    const { connect, transport, fake, settle, told } = harness();
    const old = await connect();
    const { onopen, onmessage, onclose, onerror } = old;
    transport.reconnect();
    await settle();
    const before = told.length;
    const timers = vi.getTimerCount();
    for (const late of [onopen, onmessage, onerror, onclose]) late?.({ code: 1000, data: 'late' } as never);
    expect(vi.getTimerCount()).toBe(timers);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toHaveLength(before);
    expect(transport.status.state).toBe('connecting');
    expect(fake.live()).toEqual([fake.last()]);
  });

  test('an abandoned socket keeps an error handler: an unheard error of an emitter would end the process', async () => {
    const { dial, transport } = harness();
    const socket = await dial();
    transport.close();
    expect([socket.onopen, socket.onmessage, socket.onclose]).toEqual([null, null, null]);
    expect(() => socket.emit('error', {})).not.toThrow();
    expect(socket.onerror).not.toBeNull();
  });

  test('a socket whose close throws is forgotten all the same', async () => {
    const { connect, transport } = harness();
    const socket = await connect();
    socket.close = () => {
      throw new Error('broken');
    };
    transport.close();
    expect(transport.status.state).toBe('closed');
  });

  test('a code that close() would refuse is not handed to it', async () => {
    const { connect, links, told } = harness();
    const socket = await connect();
    links[0]!.drop(1002, 'protocol');
    expect(socket.closedWith).toEqual({ code: 4000, reason: 'protocol' });
    expect(told.at(-2)).toMatchObject(['lost', { code: 1002 }]);
  });

  test('send says false when the socket is closing, throws or is gone', async () => {
    const { connect, links, transport } = harness();
    const socket = await connect();
    const link = links[0]!;
    socket.send = () => {
      throw new Error('full');
    };
    expect(link.send('x')).toBe(false);
    Reflect.deleteProperty(socket, 'send');
    expect(link.send('x')).toBe(true);
    socket.readyState = 2;
    expect(link.send('x')).toBe(false);
    transport.reconnect();
    socket.readyState = 1;
    expect(link.send('x')).toBe(false);
    expect(socket.sent).toEqual(['x']);
  });
});

describe('attempts that never get a socket', () => {
  const throwing = (error: unknown) =>
    fakeWebSockets(() => {
      throw error;
    });

  test.each(['SyntaxError', 'SecurityError'])(
    'a fixed URL for which the constructor throws a %s is the end',
    async (name) => {
      const error = new DOMException('no', name);
      const { dial, transport } = harness({}, undefined, throwing(error));
      await dial();
      expect(transport.status).toEqual({
        state: 'closed',
        cause: { code: 1006, reason: '', opened: false, by: 'provider', error },
      });
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test('a fixed URL that the policy of the page blocks is the end in Firefox too, which names it so and says no more', async () => {
    const error = Object.assign(new Error(), { name: 'NS_ERROR_CONTENT_BLOCKED' });
    const fixed = harness({}, undefined, throwing(error));
    await fixed.dial();
    expect(fixed.transport.status).toMatchObject({
      state: 'closed',
      cause: { by: 'provider', error: { cause: error } },
    });
    expect(fixed.transport.status).toHaveProperty('cause.error.message', expect.stringContaining('connect-src'));
    const given = harness({ url: () => 'ws://server.test' }, undefined, throwing(error));
    await given.dial();
    expect(given.transport.status).toMatchObject({ state: 'waiting', cause: { by: 'provider', error } });
  });

  test('another error of the constructor is a failed attempt', async () => {
    const error = new Error('out of sockets');
    const { dial, transport } = harness({}, undefined, throwing(error));
    await dial();
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { by: 'provider', error } });
  });

  test('a fixed URL that is none is the end, one from a function may be better next time', async () => {
    const fixed = harness({ url: 'ftp://server.test' });
    fixed.transport.connect();
    const given = harness({ url: () => 'ftp://server.test' });
    given.transport.connect();
    await given.settle();
    expect(fixed.transport.status).toMatchObject({ state: 'closed', cause: { by: 'provider' } });
    expect(given.transport.status).toMatchObject({ state: 'waiting', cause: { by: 'provider' } });
  });

  test('where there is no WebSocket the status says what to do, and the app is not asked for credentials', () => {
    vi.stubGlobal('WebSocket', undefined);
    const auth = vi.fn();
    const { transport, told } = harness({ WebSocket: undefined, auth });
    transport.connect();
    expect(transport.status).toMatchObject({ state: 'closed', cause: { by: 'provider' } });
    expect(String((told.at(-1) as any)[1].cause.error)).toContain('pass a constructor as the option `WebSocket`');
    expect(auth).not.toHaveBeenCalled();
  });

  test('without the option the global WebSocket of that moment is used', async () => {
    const fake = fakeWebSockets();
    const { transport, settle } = harness({ WebSocket: undefined });
    vi.stubGlobal('WebSocket', fake.WebSocket);
    transport.connect();
    await settle();
    expect(fake.made).toHaveLength(1);
  });

  test('a constructor that calls back and then throws has the last word only about its own attempt', async () => {
    let stop = () => {};
    const fake = fakeWebSockets(() => {
      stop();
      throw new DOMException('no', 'SyntaxError');
    });
    const { dial, transport, words } = harness({}, undefined, fake);
    stop = () => transport.suspend('hidden');
    await dial();
    expect(words()).toEqual(['connecting', 'suspended']);
  });

  test('a constructor that calls back and ends the attempt leaves no live socket', async () => {
    let stop = () => {};
    const fake = fakeWebSockets(() => stop());
    const { dial, transport } = harness({}, undefined, fake);
    stop = () => transport.close();
    await dial();
    expect(fake.live()).toEqual([]);
    expect(transport.status.state).toBe('closed');
  });
});

describe('a socket that was left', () => {
  async function left() {
    const terminate = vi.fn(() => {
      throw new Error('over');
    });
    const { transport, connect } = harness(
      {},
      undefined,
      fakeWebSockets((made) => Object.assign(made, { terminate })),
    );
    const socket = await connect();
    transport.close();
    expect(socket.closedWith).toMatchObject({ code: 1000 });
    return { socket, terminate };
  }

  test('is terminated when its peer does not close it within 2 s', async () => {
    const { terminate } = await left();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(terminate).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(terminate).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not when it was closed', async () => {
    const { socket, terminate } = await left();
    socket.end(1000);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(terminate).not.toHaveBeenCalled();
  });
});
