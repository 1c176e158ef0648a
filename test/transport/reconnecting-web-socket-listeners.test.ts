import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ReconnectingWebSocket } from '../../src/transport/web-socket/reconnecting-web-socket.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import { opened, pass, url, watched } from './reconnecting-harness.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

afterEach(() => {
  vi.useRealTimers();
});

describe('listeners', () => {
  test('that are objects are called by their handleEvent, on every socket, until they are removed', async () => {
    vi.useFakeTimers();
    const { socket, fake, inner } = opened();
    const listener = { handleEvent: vi.fn<(event: Event) => void>() };
    socket.addEventListener('message', listener);
    inner.message('first');
    inner.end(1001);
    await pass(1_000);
    fake.last().open();
    fake.last().message('second');
    socket.removeEventListener('message', listener);
    fake.last().message('third');
    expect(listener.handleEvent.mock.calls.map(([event]) => (event as MessageEvent).data as string)).toEqual([
      'first',
      'second',
    ]);
    socket.close();
  });

  test('that are added twice are called once, and gone when they are removed once', () => {
    vi.useFakeTimers();
    const { socket, inner } = opened();
    const listener = vi.fn();
    socket.addEventListener('message', listener);
    socket.addEventListener('message', listener);
    inner.message('heard');
    expect(listener).toHaveBeenCalledTimes(1);
    socket.removeEventListener('message', listener);
    inner.message('not heard');
    expect(listener).toHaveBeenCalledTimes(1);
    socket.close();
  });
});

describe('the address', () => {
  test('is still told when it is over', () => {
    vi.useFakeTimers();
    const { socket, inner } = opened();
    socket.close();
    inner.end(1000);
    expect([socket.readyState, socket.url]).toEqual([3, url]);
  });

  test.each(['ws://[::1]/line', 'ws://[2001:db8::1]:8080/line'])('may be one of IPv6: %s', (address) => {
    vi.useFakeTimers();
    const { socket, fake } = watched({ at: address });
    expect([socket.url, fake.last().url]).toEqual([address, address]);
    socket.close();
  });
});

test('sockets that are over hold nothing: what was made of them can be collected', async () => {
  const fake = fakeWebSockets();
  const references = Array.from({ length: 20 }, () => {
    const socket = new ReconnectingWebSocket(url, [], { WebSocket: fake.WebSocket });
    socket.addEventListener('close', () => socket.removeEventListener('open', null));
    fake.last().open();
    socket.close();
    fake.last().end(1000);
    return new WeakRef(socket);
  });
  // A WeakRef holds its object until the current job ends.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(references.filter((reference) => reference.deref() !== undefined)).toEqual([]);
  expect(fake.made).toHaveLength(20);
});
