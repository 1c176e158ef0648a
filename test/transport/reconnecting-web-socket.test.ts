import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Lifecycle, LifecycleSignal } from '../../src/transport/lifecycle.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import { opened, pass, thrown, watched } from './reconnecting-harness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a socket that is lost', () => {
  test('is told by its own close, and another follows it', async () => {
    const { socket, fake, told, reconnecting, inner } = opened();
    inner.end(1012, 'restart');
    expect(told).toEqual(['open 1', 'close 3 1012', 'reconnecting 0']);
    expect(reconnecting[0]).toMatchObject({ attempt: 2, delayMs: 5_000, cause: { code: 1012, reason: 'restart' } });
    await pass(5_000);
    expect(fake.made).toHaveLength(2);
    fake.last().open();
    fake.last().message('back');
    expect(told.slice(3)).toEqual(['open 1', 'message back']);
    expect(socket.readyState).toBe(1);
    expect(fake.mostLive).toBe(1);
  });

  test('tells an error before its close where the engine reported one', async () => {
    const { told, inner } = opened();
    inner.end(1006);
    expect(told).toEqual(['open 1', 'error 3', 'close 3 1006', 'reconnecting 0']);
  });

  test('does not come back when close() is called in its close event, and tells nothing more', async () => {
    const { socket, fake, told, inner } = opened();
    socket.addEventListener('close', () => socket.close());
    inner.end(1006);
    expect(socket.readyState).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
    await pass(100_000);
    expect(told).toEqual(['open 1', 'error 3', 'close 3 1006']);
    expect(fake.made).toHaveLength(1);
  });

  test.each([1000, 1008, 3003, 3500, 4403, 4500])('stays lost after code %i', (code) => {
    const { socket, told, inner } = opened();
    inner.emit('close', { code, reason: '', wasClean: true });
    expect(told).toEqual(['open 1', `close 3 ${code} clean`]);
    expect(socket.readyState).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('follows the rules of the app', () => {
    const { told, inner } = opened({ reconnect: { onClose: { 4001: 'stop' } } });
    inner.end(4001);
    expect(told).toEqual(['open 1', 'close 3 4001']);
  });

  test('is the end where reconnecting is switched off', () => {
    const { told, inner } = opened({ reconnect: false });
    inner.end(1006);
    expect(told).toEqual(['open 1', 'error 3', 'close 3 1006']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an attempt that fails', () => {
  test('tells error and close, and is repeated', async () => {
    const { fake, told } = watched();
    fake.last().end(1006);
    expect(told).toEqual(['error 3', 'close 3 1006', 'reconnecting 0']);
    await pass(100);
    expect(fake.made).toHaveLength(2);
  });

  test('is an error also where the engine reported none', () => {
    const { fake, told } = watched();
    fake.last().emit('close', { code: 0 });
    expect(told.slice(0, 2)).toEqual(['error 3', 'close 3 1006']);
  });

  test('is known by an error alone, as Chromium has it for a forbidden address', async () => {
    const { fake, told } = watched();
    fake.last().fail(3, { error: new Error('forbidden') });
    await pass(0);
    expect(told).toEqual(['error 3', 'close 3 1006', 'reconnecting 0']);
  });

  test('is told once where close follows the error', async () => {
    const { fake, told } = watched();
    fake.last().fail(3);
    fake.last().end(1006);
    await pass(50);
    expect(told.filter((word) => word.startsWith('close'))).toEqual(['close 3 1006']);
  });

  test('says in its error event what the engine knew of the cause', () => {
    const { socket, fake } = watched();
    const events: Event[] = [];
    socket.addEventListener('error', (event) => events.push(event));
    const error = new Error('refused');
    fake.last().emit('error', { error });
    fake.last().emit('close', { code: 1006 });
    expect(events).toMatchObject([{ type: 'error', error }]);
  });

  test('that hangs ends at its limit', async () => {
    const { fake, told, reconnecting } = watched({ connectTimeoutMs: 3_000 });
    await pass(2_999);
    expect(told).toEqual([]);
    await pass(1);
    expect(told).toEqual(['error 3', 'close 3 1006', 'reconnecting 0']);
    expect(reconnecting[0]?.cause).toMatchObject({ by: 'timeout' });
    expect(fake.live()).toEqual([]);
    fake.last().end(1006);
    await pass(50);
    expect(told).toHaveLength(3);
  });

  test('is the last of as many as are allowed', async () => {
    const { socket, fake, told } = watched({ reconnect: { maxAttempts: 2 } });
    fake.last().end(1006);
    await pass(10_000);
    fake.last().end(1006);
    expect(told).toEqual(['error 3', 'close 3 1006', 'reconnecting 0', 'error 3', 'close 3 1006']);
    expect(socket.readyState).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('throws where it is the first and the native constructor throws, and leaves nothing behind', () => {
    const fake = fakeWebSockets(() => {
      throw new DOMException('mixed content', 'SecurityError');
    });
    expect(thrown(() => watched({ fake }))).toBe('DOMException SecurityError');
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ['SecurityError', 'error 3,close 3 1006'],
    ['NS_ERROR_CONTENT_BLOCKED', 'error 3,close 3 1006'],
    ['OperationError', 'error 3,close 3 1006,reconnecting 0'],
  ])('later, with a constructor that throws a %s, tells %s', async (name, expected) => {
    const fake = fakeWebSockets(() => {
      if (fake.made.length > 1) throw new DOMException('no', name);
    });
    const { told } = opened({ fake });
    fake.last().end(1001);
    await pass(100);
    expect(told.slice(3)).toEqual(expected.split(','));
  });
});

describe('the policy of attempts', () => {
  test('counts from one again after a connection that was stable', () => {
    const { reconnecting, inner } = opened();
    vi.advanceTimersByTime(10_000);
    inner.end(1012);
    expect(reconnecting[0]?.attempt).toBe(1);
  });

  test('lets at most ten attempts begin in a minute, whatever delays are drawn', async () => {
    const { fake } = watched({ reconnect: { onClose: () => ({ delayMs: 0 }) } });
    for (let waited = 0; waited < 59_000; waited += 1_000) {
      fake.last().end(1006);
      await pass(1_000);
    }
    expect(fake.made).toHaveLength(10);
  });
});

describe('with reopen: false', () => {
  test('attempts that fail are hidden and repeated until one opens', async () => {
    const { socket, fake, told } = watched({ reopen: false });
    fake.last().end(1006);
    expect(told).toEqual(['reconnecting 0']);
    expect(socket.readyState).toBe(0);
    await pass(100);
    fake.last().open();
    expect(told).toEqual(['reconnecting 0', 'open 1']);
  });

  test('a lost socket is the end', async () => {
    const { told, inner } = opened({ reopen: false });
    inner.end(1012);
    expect(told).toEqual(['open 1', 'close 3 1012']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('the last attempt that fails is told', () => {
    const { fake, told } = watched({ reopen: false, reconnect: { maxAttempts: 1 } });
    fake.last().end(1006);
    expect(told).toEqual(['error 3', 'close 3 1006']);
  });
});

describe('close()', () => {
  test('of an open socket hands code and reason on and waits for the answer', () => {
    const { socket, told, inner } = opened();
    socket.close(4002, 'enough');
    expect(inner.closedWith).toEqual({ code: 4002, reason: 'enough' });
    expect(socket.readyState).toBe(2);
    socket.close(4003);
    inner.message('too late');
    inner.emit('close', { code: 4002, reason: 'enough', wasClean: true });
    expect(told).toEqual(['open 1', 'close 3 4002 clean']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('without a code sends none, and no reason either', () => {
    const { socket, inner } = opened();
    socket.close(undefined, 'why');
    expect(inner.closedWith).toEqual({ code: undefined, reason: '' });
  });

  test('that a peer does not answer ends after 30 s', async () => {
    const { socket, told } = opened();
    socket.close();
    await pass(29_999);
    expect(socket.readyState).toBe(2);
    await pass(1);
    expect(told).toEqual(['open 1', 'error 3', 'close 3 1006']);
  });

  test('while connecting tells error and close in a later task, and leaves no socket', async () => {
    const { socket, fake, told } = watched();
    socket.close();
    expect(socket.readyState).toBe(2);
    expect(told).toEqual([]);
    expect(fake.live()).toEqual([]);
    fake.last().open();
    await pass(0);
    expect(told).toEqual(['error 3', 'close 3 1006']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('while waiting for the next attempt ends it', async () => {
    const { socket, fake, told, inner } = opened();
    inner.end(1001);
    socket.close();
    await pass(100_000);
    expect(told).toEqual(['open 1', 'close 3 1001', 'reconnecting 0', 'error 3', 'close 3 1006']);
    expect(fake.made).toHaveLength(1);
  });

  test('in the listener of any event ends it with at most one more close', async () => {
    for (const type of ['open', 'error', 'close', 'reconnecting']) {
      const { socket, fake, told } = watched();
      socket.addEventListener(type, () => socket.close());
      fake.last().open();
      fake.last().end(1006);
      await pass(100_000);
      expect([type, socket.readyState, fake.made.length, fake.live().length]).toEqual([type, 3, 1, 0]);
      expect(told.filter((word) => word.startsWith('close')).length).toBe(type === 'reconnecting' ? 2 : 1);
    }
  });
});

describe('signals of the host', () => {
  function host(): Lifecycle & { tell: (signal: LifecycleSignal) => void; left: boolean } {
    const lifecycle = {
      tell: (_signal: LifecycleSignal) => {},
      left: false,
      hidden: () => false,
      listen(tell: (signal: LifecycleSignal) => void) {
        lifecycle.tell = tell;
        return () => {
          lifecycle.left = true;
        };
      },
    };
    return lifecycle;
  }

  test('a wake ends the wait, at most once a second', () => {
    const lifecycle = host();
    const { fake, inner } = opened({ lifecycle });
    inner.end(1012);
    lifecycle.tell('wake');
    expect(fake.made).toHaveLength(2);
    fake.last().end(1012);
    lifecycle.tell('wake');
    expect(fake.made).toHaveLength(2);
    vi.advanceTimersByTime(1_000);
    lifecycle.tell('wake');
    expect(fake.made).toHaveLength(3);
  });

  test('a wake gives an attempt that hangs two seconds, and then another', async () => {
    const lifecycle = host();
    const { fake, reconnecting } = watched({ lifecycle, random: () => 0.9 });
    lifecycle.tell('wake');
    await pass(1_999);
    expect(fake.made).toHaveLength(1);
    await pass(2);
    expect(fake.live()).toEqual([fake.made[1]]);
    expect(reconnecting).toMatchObject([{ attempt: 1, delayMs: 0 }]);
    fake.last().open();
    // That wake is over and done with: the next loss waits as any other does.
    await pass(60_000);
    fake.last().end(1006);
    expect(reconnecting[1]?.delayMs).toBe(4_600);
  });

  test('a wake in an attempt that succeeds changes nothing of a later loss', async () => {
    const lifecycle = host();
    const { fake, reconnecting } = watched({ lifecycle, random: () => 0.9 });
    lifecycle.tell('wake');
    fake.last().open();
    await pass(60_000);
    fake.last().end(1006);
    expect(reconnecting).toMatchObject([{ delayMs: 4_600 }]);
  });

  test('an attempt that a wake began counts for nothing when it fails', () => {
    const lifecycle = host();
    const { fake, reconnecting } = watched({ lifecycle });
    fake.last().end(1006);
    lifecycle.tell('wake');
    fake.last().end(1006);
    expect(fake.made).toHaveLength(2);
    expect(reconnecting.map(({ attempt }) => attempt)).toEqual([2, 2]);
  });

  test('after a freeze the old socket is dropped and another made at once', () => {
    const lifecycle = host();
    const { fake, told } = opened({ lifecycle });
    lifecycle.tell('restored');
    expect(told).toEqual(['open 1', 'close 3 1006', 'reconnecting 0']);
    expect(fake.made).toHaveLength(2);
    expect(fake.mostLive).toBe(1);
  });

  test('after a freeze in which it waited the next attempt is made at once, and nothing is told', () => {
    const lifecycle = host();
    const { fake, told, inner } = opened({ lifecycle });
    inner.end(1012);
    lifecycle.tell('restored');
    expect(fake.made).toHaveLength(2);
    expect(told).toHaveLength(3);
  });

  test('are not listened to any more when it is over', () => {
    const lifecycle = host();
    const { inner } = opened({ lifecycle });
    expect(lifecycle.left).toBe(false);
    inner.end(1000);
    expect(lifecycle.left).toBe(true);
  });
});

describe('an app that closes it while it is told of something', () => {
  test('in a rule for a loss hears close at once: there is no peer to wait for', async () => {
    const onClose = (): undefined => {
      all.socket.close();
    };
    const all = opened({ reconnect: { onClose } });
    all.inner.end(1011);
    await pass(0);
    expect(all.told.filter((line) => line.startsWith('close'))).toHaveLength(1);
    expect([all.socket.readyState, vi.getTimerCount()]).toEqual([3, 0]);
  });

  test('by a write that fails hears of no open any more', async () => {
    const all = watched({ onError: () => all.socket.close() });
    all.socket.send('x');
    all.fake.last().send = () => {
      throw new Error('cannot');
    };
    all.fake.last().open();
    await pass(0);
    expect(all.told.filter((line) => line.startsWith('open'))).toEqual([]);
  });

  test('or a write that ends the socket: there is no open behind the loss', () => {
    const all = watched();
    all.socket.send('x');
    const inner = all.fake.last();
    inner.send = () => {
      inner.end(1006);
    };
    inner.open();
    expect(all.told.filter((line) => line.startsWith('open'))).toEqual([]);
    all.socket.close();
  });
});
