import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';

beforeEach(() => {
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test('where the host has no EventTarget the module can be imported, and its class says what to do', async () => {
  vi.stubGlobal('WebSocket', fakeWebSockets().WebSocket);
  vi.stubGlobal('EventTarget', undefined);
  const { ReconnectingWebSocket } = await import('../../src/websocket.ts');
  expect(() => new ReconnectingWebSocket('ws://server.test')).toThrow('import a polyfill of them before this module');
});

test('where the host has no DOMException errors have the names of the standard all the same', async () => {
  vi.stubGlobal('DOMException', undefined);
  const { ReconnectingWebSocket } = await import('../../src/websocket.ts');
  expect(() => new ReconnectingWebSocket('ftp://server.test')).toThrow(
    expect.objectContaining({ name: 'SyntaxError' }),
  );
  const { WebSocket } = fakeWebSockets();
  const socket = new ReconnectingWebSocket('ws://server.test', [], { WebSocket });
  expect(() => socket.close(999)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }));
  socket.close();
});

test('where the URL of the host adds a slash to everything, as React Native, a path is connected to as it was given', async () => {
  vi.stubGlobal(
    'URL',
    class {
      readonly href: string;
      constructor(given: string) {
        this.href = given.endsWith('/') ? given : `${given}/`;
      }
    },
  );
  const { ReconnectingWebSocket } = await import('../../src/websocket.ts');
  const { WebSocket } = fakeWebSockets();
  const urls = ['https://a.test/line', 'wss://a.test/line?x=1', 'wss://a.test'].map((url) => {
    const socket = new ReconnectingWebSocket(url, [], { WebSocket });
    socket.close();
    return socket.url;
  });
  expect(urls).toEqual(['wss://a.test/line', 'wss://a.test/line?x=1', 'wss://a.test/']);
});
