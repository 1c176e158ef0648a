import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MemoryPeer } from '../../src/transport/memory-transport.ts';
import { memoryWebSocket } from '../../src/transport/memory-transport.ts';
import type { WebSocketLike } from '../../src/transport/web-socket-like.ts';
import type { LinkUser } from '../../src/transport/transport.ts';
import { createWebSocketTransport } from '../helpers/create-transport.ts';

beforeEach(() => {
  // Nothing here needs a macrotask: a pending timer would show.
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Lets everything under way arrive. */
const arrive = () => vi.advanceTimersByTimeAsync(0);

function pair(accept: (peer: MemoryPeer) => void = () => {}, protocols?: string[]) {
  const log: string[] = [];
  const peers: MemoryPeer[] = [];
  const Socket = memoryWebSocket((peer) => {
    peers.push(peer);
    peer.onMessage = (text) => log.push(`server got ${text}`);
    peer.onClose = (code, reason) => log.push(`server closed ${code} ${reason}`);
    accept(peer);
  });
  const socket: WebSocketLike = new Socket('ws://memory/line', protocols);
  socket.onopen = () => log.push('open');
  socket.onmessage = ({ data }: { data: string }) => log.push(`client got ${data}`);
  socket.onerror = () => log.push('error');
  socket.onclose = ({ code, reason }: { code: number; reason: string }) => log.push(`client closed ${code} ${reason}`);
  return { socket, log, peer: () => peers[0]! };
}

describe('memoryWebSocket', () => {
  test('opens in a microtask, with the first protocol asked for', async () => {
    const { socket, log, peer } = pair(undefined, ['tautline.v1', 'other']);
    expect([socket.readyState, socket.protocol, socket.bufferedAmount]).toEqual([0, '', 0]);
    expect(() => socket.send('early')).toThrow('InvalidStateError');
    expect(log).toEqual([]);
    await arrive();
    expect([socket.readyState, socket.protocol]).toEqual([1, 'tautline.v1']);
    expect([peer().url, peer().protocol]).toEqual(['ws://memory/line', 'tautline.v1']);
    expect(log).toEqual(['open']);
  });

  test('delivers both ways in order, never in the stack of the sender', async () => {
    const { socket, log, peer } = pair((peer) => peer.send('hello'));
    await arrive();
    socket.send('1');
    peer().send('a');
    socket.send('2');
    peer().send('b');
    expect(log).toEqual(['open', 'client got hello']);
    await arrive();
    expect(log.slice(2)).toEqual(['server got 1', 'client got a', 'server got 2', 'client got b']);
  });

  test('a close of the client reaches the server after what was sent before it', async () => {
    const { socket, log, peer } = pair();
    await arrive();
    socket.send('last');
    socket.close(3001, 'bye');
    socket.close(3002, 'again');
    socket.send('late');
    peer().send('late');
    expect(socket.readyState).toBe(2);
    await arrive();
    expect(log.slice(1)).toEqual(['server got last', 'server closed 3001 bye', 'client closed 3001 bye']);
    expect(socket.readyState).toBe(3);
  });

  test('a close of the server reaches the client after what was sent before it', async () => {
    const { socket, log, peer } = pair();
    await arrive();
    peer().send('last');
    peer().close(1012, 'restart');
    peer().close(1013, 'again');
    peer().send('late');
    socket.send('late');
    await arrive();
    expect(log.slice(1)).toEqual(['client got last', 'client closed 1012 restart', 'server closed 1012 restart']);
  });

  test('closes that cross end each side once', async () => {
    const { socket, log, peer } = pair();
    await arrive();
    socket.close(3001, 'client');
    peer().close(3002, 'server');
    await arrive();
    expect(log.slice(1)).toEqual(['server closed 3001 client', 'client closed 3001 client']);
  });

  test('a peer closed while it is accepted refuses: an error and 1006, no open', async () => {
    const { socket, log } = pair((peer) => peer.close(1008, 'no'));
    await arrive();
    expect(log).toEqual(['error', 'client closed 1006 ', 'server closed 1008 no']);
    expect(socket.readyState).toBe(3);
  });

  test('a client that closes before the open is never accepted', async () => {
    const { socket, log, peer } = pair();
    socket.close();
    await arrive();
    expect(peer()).toBeUndefined();
    expect(log).toEqual(['error', 'client closed 1006 ']);
  });

  test('a cut loses what is under way and ends both sides with 1006', async () => {
    const { socket, log, peer } = pair();
    await arrive();
    socket.send('lost');
    peer().send('lost');
    peer().cut();
    peer().cut();
    await arrive();
    expect(log.slice(1)).toEqual(['error', 'client closed 1006 ', 'server closed 1006 ']);
    expect(socket.readyState).toBe(3);
  });

  test('a frozen line holds everything back, and delivers it in order when thawed', async () => {
    const { socket, log, peer } = pair();
    await arrive();
    socket.send('0');
    peer().freeze();
    socket.send('1');
    peer().send('a');
    socket.close(1000, 'done');
    await arrive();
    expect(log).toEqual(['open']);
    peer().thaw();
    await arrive();
    expect(log.slice(1)).toEqual([
      'server got 0',
      'server got 1',
      'server closed 1000 done',
      'client closed 1000 done',
    ]);
  });

  test('a frozen line can be cut', async () => {
    const { log, peer } = pair();
    await arrive();
    peer().freeze();
    peer().cut();
    await arrive();
    expect(log.slice(1)).toEqual(['error', 'client closed 1006 ', 'server closed 1006 ']);
  });

  test('the transport runs on it: welcome, frames, a cut, and back', async () => {
    const peers: MemoryPeer[] = [];
    const told: string[] = [];
    const user: LinkUser = {
      opened: (link) => link.send('hello'),
      frame: (link, frame) => {
        told.push(frame);
        link.welcomed({ heartbeatMs: 20_000, resumed: false });
      },
      binary: () => {},
      probe: () => {},
      silent: () => {},
      unanswered: () => 0,
      moveFailed: () => {},
      lost: (_, { code }) => told.push(`lost ${code}`),
      entered: ({ state }) => told.push(state),
    };
    const transport = createWebSocketTransport(user, {
      url: 'ws://memory',
      protocols: ['tautline.v1'],
      random: () => 0,
      WebSocket: memoryWebSocket((peer) => {
        peers.push(peer);
        peer.onMessage = (text) => peer.send(`${text} back`);
      }),
    });
    transport.connect();
    await arrive();
    peers[0]!.cut();
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual([
      ...['connecting', 'hello back', 'connected', 'lost 1006', 'waiting'],
      ...['connecting', 'hello back', 'connected'],
    ]);
    const closed = vi.fn();
    peers[1]!.onClose = closed;
    transport.close();
    await arrive();
    expect(closed).toHaveBeenCalledWith(1000, '');
  });
});
