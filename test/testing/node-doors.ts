import { setupServer } from 'msw/node';
import WebSocket from 'ws';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { faultProxy } from '../../src/testing/faults.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { mockServer } from '../../src/testing/msw.ts';
import { REAL } from './fault-stories.ts';
import type { Door, Faults, Remote } from './story.ts';
import { chat, startApp, storyContract } from './story-app.ts';

/* The doors whose apps run in this process. */

async function memory(): Promise<Door> {
  const { chat: shown, handlers } = chat((text) => pair.topic('room').publish(text));
  const pair = connectedPair(storyContract, handlers, { connect: { lazy: true } });
  const app = startApp('ws://memory.test/', { WebSocket: pair.WebSocket });
  return {
    app,
    chat: shown,
    line: pair,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await pair[Symbol.asyncDispose]();
    },
  };
}

/** To be listening while there are doors of msw. */
export const interceptor = setupServer();

async function msw(): Promise<Door> {
  const { chat: shown, handlers } = chat((text) => mock.topic('room').publish(text));
  const mock = mockServer(storyContract, { url: 'ws://doors.test/ws', handlers });
  interceptor.use(...mock.handlers);
  const app = startApp('ws://doors.test/ws');
  return {
    app,
    chat: shown,
    line: mock,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await mock.close();
      interceptor.resetHandlers();
    },
  };
}

/** A server behind bad lines, for apps anywhere. Another engine takes the place of the one that is restarted. */
export async function realServer() {
  const { chat: shown, handlers } = chat((text) => engine.topic('room').publish(text));
  const engineOf = () => createServer(storyContract, { handlers });
  let engine = engineOf();
  const listener = await listen(
    {
      limits: engine.limits,
      accept: (socket, request) => engine.accept(socket, request),
      close: (options) => engine.close(options),
    },
    { origins: ['*'] },
  );
  const proxy = await faultProxy({ to: listener.url });
  const line: Remote<Faults> = {
    cut: () => proxy.kill(),
    refuse: () => proxy.refuse(),
    accept: () => proxy.accept(),
    freeze: () => proxy.freeze(),
    thaw: () => proxy.thaw(),
    delay: (ms) => proxy.delay(ms),
    restart: () => {
      const old = engine;
      engine = engineOf();
      return old.close();
    },
  };
  const close = async () => {
    await proxy.close();
    await listener.close();
  };
  return { url: proxy.url, chat: shown, line, close };
}

async function real(): Promise<Door> {
  const { url, close, ...server } = await realServer();
  const app = startApp(url, { WebSocket });
  return {
    ...server,
    app,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await close();
    },
  };
}

export const NODE_DOORS: Readonly<Record<string, () => Promise<Door>>> = {
  [REAL]: real,
  memory,
  'msw in Node': msw,
};
