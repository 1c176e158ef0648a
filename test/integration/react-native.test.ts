import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { oneFile } from '../../.ci/one-file.ts';
import { defineContract, mutation, topic, type Client, type Connection } from '../../src/index.ts';
import { createServer, refuse } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';

/* The client among the globals that React Native has on Hermes, and nothing else of the web. */

const contract = defineContract({
  say: mutation({ input: z.string(), output: z.string() }),
  room: topic('rooms/{id}', { event: z.string() }),
});

/** What the language has in V8 and not in Hermes. */
const NOT_IN_HERMES = `
  delete Symbol.dispose; delete Symbol.asyncDispose; delete globalThis.DisposableStack; delete globalThis.AsyncDisposableStack;
  delete globalThis.SuppressedError; delete globalThis.Iterator; delete globalThis.SharedArrayBuffer; delete globalThis.Atomics;
  delete Array.fromAsync; delete Promise.withResolvers; delete Promise.try; delete Object.groupBy; delete Map.groupBy;
  for (const name of ['union', 'intersection', 'difference']) delete Set.prototype[name];
  delete Error.captureStackTrace;`;

/** React Native's URL to 0.83: it ends everything with a slash, and knows no other member well. */
class SlashingUrl {
  readonly href: string;
  constructor(given: string) {
    this.href = given.endsWith('/') ? given : `${given}/`;
  }
}

const EVENTS = ['open', 'message', 'close', 'error'] as const;

/** React Native's WebSocket: handlers, no blobs here, and a line of Node's behind it. */
class NativeWebSocket {
  static readonly dialled: string[] = [];
  binaryType = 'blob';
  onopen?: (event: object) => void;
  onmessage?: (event: object) => void;
  onclose?: (event: object) => void;
  onerror?: (event: object) => void;
  readonly #line: WebSocket;

  constructor(url: string, protocols?: string | string[]) {
    NativeWebSocket.dialled.push(url);
    this.#line = new WebSocket(url, protocols);
    for (const name of EVENTS) {
      this.#line.addEventListener(name, (event) => {
        const { data, code, reason } = event as unknown as { data?: unknown; code?: number; reason?: string };
        this[`on${name}`]?.({ type: name, data, code, reason });
      });
    }
  }

  get readyState(): number {
    return this.#line.readyState;
  }

  get protocol(): string {
    return this.#line.protocol;
  }

  send(text: string): void {
    this.#line.send(text);
  }

  close(code?: number, reason?: string): void {
    this.#line.close(code, reason);
  }
}

const shared = {
  console,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  queueMicrotask,
  performance: { now: () => performance.now() },
  WebSocket: NativeWebSocket,
  AbortController,
  AbortSignal,
  navigator: { product: 'ReactNative' },
  // A polyfill, as the docs say.
  crypto: { getRandomValues: (into: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(into) },
};

/** By version: what each has besides. */
const VERSIONS: Readonly<Record<string, object>> = {
  '0.76': { URL: SlashingUrl },
  '0.81': { URL: SlashingUrl, TextEncoder },
  '0.88': { URL, TextEncoder, EventTarget, Event },
};

const APP = `
const any = { '~standard': { version: 1, vendor: 'app', validate: (value) => ({ value }) } };
const contract = Tautline.defineContract({
  say: Tautline.mutation({ input: any, output: any }),
  room: Tautline.topic('rooms/{id}', { event: any }),
});
let changed;
const AppState = { currentState: 'active', addEventListener: (type, listener) => ((changed = listener), { remove() { changed = undefined; } }) };
const connection = Tautline.connect(url, { lifecycle: Tautline.reactNativeLifecycle({ AppState }), auth: () => 'ann' });
const client = Tautline.createClient(contract, connection);
globalThis.app = {
  connection, client, heard: [],
  sees: (state) => { AppState.currentState = state; changed(state); },
  get listens() { return changed !== undefined; },
};`;

interface App {
  readonly connection: Connection;
  readonly client: Client<(typeof contract)['tree']>;
  readonly listens: boolean;
  sees(state: string): void;
}

describe.each(Object.keys(VERSIONS))('among the globals of React Native %s', (version) => {
  let file: string;
  beforeAll(async () => {
    file = await oneFile(fileURLToPath(new URL('../../src', import.meta.url)), 'ts', 'iife', false);
  });

  function start(url: string): App {
    const context = createContext({ ...shared, ...VERSIONS[version], url });
    runInContext(`${NOT_IN_HERMES}\nglobalThis.global = globalThis;\n${file}\n${APP}`, context);
    return (context as unknown as { app: App }).app;
  }

  test('calls, topics, logins and the end work', async () => {
    await using stack = new AsyncDisposableStack();
    let isHeld = false;
    const server = createServer(contract, {
      authenticate: ({ token }) => (token === undefined ? refuse() : { identity: token, context: { user: token } }),
      handlers: {
        say: ({ input, context }) => (isHeld ? new Promise<never>(() => undefined) : `${context.user}: ${input}`),
        room: { authorize: () => true },
      },
    });
    const listener = await listen(server);
    stack.defer(() => listener.close());
    const app = start(listener.url);
    const { connection, client, sees } = app;
    expect(await client.say('hi')).toBe('ann: hi');
    expect(NativeWebSocket.dialled.at(-1)).toBe(listener.url);
    const events = client.room({ id: '1' }).events()[Symbol.asyncIterator]();
    const first = events.next();
    await expect.poll(() => server.stats().subscriptions).toBe(1);
    await server.topic('room', { id: '1' }).publish('hello');
    expect(await first).toEqual({ done: false, value: 'hello' });
    await events.return();
    sees('background');
    sees('active');
    connection.setAuth(() => 'bob');
    expect(await client.say('hi')).toBe('bob: hi');
    isHeld = true;
    const pending = client.say('never').safe();
    await expect.poll(() => server.stats().calls).toBe(1);
    await connection.close();
    expect(await pending).toMatchObject({ ok: false, error: { code: 'CLOSED' } });
    expect(app.listens).toBe(false);
  });
});
