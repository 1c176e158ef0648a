import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('a wall clock that is set an hour %s', (_, by) => {
  const jump = () => vi.setSystemTime(Date.now() + by);

  test('neither ends the wait for a hello, nor makes it longer', () => {
    const peer = new Peer(start().server);
    jump();
    vi.advanceTimersByTime(9_999);
    expect(peer.closedWith).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('neither ends a call before its deadline, nor lets it run on', async () => {
    const gate = new Gate<string>();
    const aborted = vi.fn();
    const echo = ({ signal }: { signal: AbortSignal }) => (signal.addEventListener('abort', aborted), gate.opened);
    const peer = new Peer(start({ echo }).server).hello(clientName());
    await settle();
    peer.write(['call', 1, 'echo', { deadlineMs: 5_000 }, 'x']);
    await settle();
    jump();
    vi.advanceTimersByTime(4_999);
    expect(aborted).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(aborted).toHaveBeenCalled();
  });

  test('neither pings or closes a peer early, nor late', async () => {
    const peer = new Peer(start().server).hello(clientName());
    await settle();
    jump();
    vi.advanceTimersByTime(24_999);
    expect(peer.all('ping')).toEqual([]);
    vi.advanceTimersByTime(1);
    await settle();
    expect(peer.all('ping')).toHaveLength(1);
    jump();
    vi.advanceTimersByTime(9_999);
    expect(peer.closedWith).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('neither forgets a client before its window is over, nor keeps it', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.vanish();
    jump();
    vi.advanceTimersByTime(119_999);
    expect(server.stats().clients).toBe(1);
    vi.advanceTimersByTime(1);
    expect(server.stats().clients).toBe(0);
  });

  test('neither fills the budget of messages, nor holds it back', async () => {
    const limits = { messagesPerSecond: 10, calls: 8, subscriptions: 5, messageBurst: 200 };
    const peer = new Peer(start({}, { limits }).server).hello(clientName());
    await settle();
    for (let n = 0; n < 205; n++) peer.write(['ping', n]);
    jump();
    peer.write(['call', 1, 'echo', null, 'x']);
    await settle();
    vi.advanceTimersByTime(600);
    await settle();
    expect(peer.answers(1)).toEqual([]);
    vi.advanceTimersByTime(100);
    await settle();
    expect(peer.answers(1)).toEqual([['reply', 1, 'x']]);
  });
});
