import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { opened, pass, thrown, watched } from './reconnecting-harness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('reconnect()', () => {
  test('of an open socket closes it, tells so, and makes another at once; what is sent then waits for that', () => {
    const { socket, fake, told, inner } = opened();
    socket.reconnect(4001, 'new token');
    expect(inner.closedWith).toEqual({ code: 4001, reason: 'new token' });
    expect([told, socket.readyState, fake.made.length]).toEqual([['open 1', 'close 3 4001'], 0, 2]);
    socket.send('x');
    inner.message('late');
    inner.end(1000);
    fake.last().open();
    expect(fake.last().sent).toEqual(['x']);
    expect(told.slice(2)).toEqual(['open 1']);
    expect(fake.mostLive).toBe(1);
  });

  test.each([
    ['it gave up', 4403],
    ['it had one life', 1001],
  ])('after %s is another life', (_, code) => {
    const { socket, fake, told, inner } = opened({ reopen: false });
    inner.end(code);
    expect(socket.readyState).toBe(3);
    socket.reconnect();
    expect(socket.readyState).toBe(0);
    socket.send('x');
    fake.last().open();
    expect([fake.made.length, fake.last().sent, told.at(-1)]).toEqual([2, ['x'], 'open 1']);
  });

  test('after close() begins anew, whether the peer has answered or not', () => {
    const { socket, fake, told } = opened();
    socket.close();
    socket.reconnect();
    expect(told).toEqual(['open 1', 'error 3', 'close 3 1006']);
    fake.last().open();
    socket.close();
    fake.last().end(1000);
    socket.reconnect();
    fake.last().open();
    expect([fake.made.length, socket.readyState, vi.getTimerCount()]).toEqual([3, 1, 0]);
  });

  test('of one that waits makes the attempt now, and forgets that others failed', async () => {
    const { socket, fake, inner, reconnecting } = opened();
    inner.end(1006);
    for (let times = 0; times < 3; times++) {
      await pass(reconnecting.at(-1)!.delayMs);
      fake.last().end(1006);
    }
    socket.reconnect();
    expect(fake.made).toHaveLength(5);
    fake.last().end(1006);
    expect(reconnecting.at(-1)!.attempt).toBe(2);
  });

  test('in a close listener takes the place of what would follow', async () => {
    const { socket, fake, told, inner } = opened();
    socket.addEventListener('close', () => socket.reconnect(), { once: true });
    inner.end(1006);
    expect([fake.made.length, told]).toEqual([2, ['open 1', 'error 3', 'close 3 1006']]);
    await pass(100_000);
    expect(fake.mostLive).toBe(1);
  });

  test('is not made more than ten times a minute', async () => {
    const { socket, fake } = opened();
    for (let times = 0; times < 50; times++) socket.reconnect();
    expect(fake.made).toHaveLength(10);
    await pass(59_000);
    expect(fake.made).toHaveLength(10);
    await pass(2_000);
    expect(fake.made).toHaveLength(11);
    socket.close();
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('with a code that close() does not take throws as close() does, and changes nothing', () => {
    const { socket, fake } = opened();
    expect(thrown(() => socket.reconnect(1001))).toBe('DOMException InvalidAccessError');
    expect([socket.readyState, fake.made.length]).toEqual([1, 1]);
  });
});

describe('startClosed', () => {
  test('makes no attempt until reconnect(), and keeps what is sent', async () => {
    const { socket, fake, told } = watched({ startClosed: true });
    socket.send('x');
    await pass(100_000);
    expect([socket.readyState, fake.made.length, vi.getTimerCount()]).toEqual([3, 0, 0]);
    socket.reconnect();
    expect(socket.readyState).toBe(0);
    fake.last().open();
    expect([fake.last().sent, told]).toEqual([['x'], ['open 1']]);
  });

  test('and close() is the end of what waited, without a word', () => {
    const { socket, fake, told } = watched({ startClosed: true });
    socket.send('x');
    socket.close();
    expect([told, vi.getTimerCount()]).toEqual([[], 0]);
    socket.reconnect();
    fake.last().open();
    expect(fake.last().sent).toEqual([]);
  });
});
