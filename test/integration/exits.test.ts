import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, topic } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';

const script = fileURLToPath(new URL('../support/close-and-exit.ts', import.meta.url));

/** Closes a connection at each moment, in one process; see there. Rejects when it has to be killed. */
async function expectEnd(port: number, engine: string, moments: readonly string[]): Promise<void> {
  const args = [script, `ws://127.0.0.1:${String(port)}/ws`, engine, ...moments];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 12_000, killSignal: 'SIGKILL' });
  expect(JSON.parse(stdout)).toEqual(Object.fromEntries(moments.map((moment) => [moment, 'closed'])));
}

/** Takes lines and never says a word, or resets them. */
async function badServer(kind: 'hung' | 'resets'): Promise<AsyncDisposable & { readonly port: number }> {
  const lines = new Set<Socket>();
  const server = createTcpServer((line) => {
    line.on('error', () => undefined);
    if (kind === 'resets') line.resetAndDestroy();
    else lines.add(line.resume());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const line of lines) line.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function goodServer(observe?: (happening: { readonly type: string }) => void): ReturnType<typeof listen> {
  const contract = defineContract({
    never: mutation({ input: z.null(), output: z.null() }),
    news: topic('news', { event: z.string() }),
  });
  const engine = createServer(contract, {
    observe,
    handlers: { never: () => new Promise(() => undefined), news: { authorize: () => true } },
  });
  return listen(engine, { port: 0 });
}

describe.each(['global', 'ws'])(
  'A process that closed its connections ends by itself, with the WebSocket class %s',
  (engine) => {
    const any = ['at once', 'during a credential call', 'from inside a listener', 'when an attempt has failed'];

    test('where the server resets every line', async () => {
      await using server = await badServer('resets');
      await expectEnd(server.port, engine, any);
    });

    test('where the server never answers', async () => {
      await using server = await badServer('hung');
      await expectEnd(server.port, engine, any);
    });

    test('where all is well, also with work that never ends', async () => {
      const server = await goodServer();
      try {
        const moments = [...any.slice(0, 3), 'when it is connected', 'with work that never ends'];
        await expectEnd(server.port, engine, moments);
      } finally {
        await server.close({ withinMs: 0 });
      }
    });
  },
);

test('A module that connects opens no socket on a server, and keeps no process: a build that imports it ends', async () => {
  const opened: unknown[] = [];
  const server = await goodServer(({ type }) => opened.push(type));
  const module = `
    import { connect } from '${new URL('../../src/index.ts', import.meta.url).href}';
    const connection = connect('ws://127.0.0.1:${String(server.port)}/ws');
    console.log(connection.status.state);
  `;
  const args = ['--input-type=module', '--eval', module];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 12_000, killSignal: 'SIGKILL' });
  expect([stdout, opened]).toEqual(['idle\n', []]);
  await server.close();
});
