import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findMiniBrowser } from '../../support/engines.ts';
import { freePort } from '../../support/free-port.ts';
import { inJson, Program, type Engine } from './engine.ts';
import { startRecordingProxy } from './recording-proxy.ts';

/** WebKitGTK, over WebDriver (https://w3c.github.io/webdriver/), on a screen of its own. */
export async function startWebKit(): Promise<Engine> {
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(await startRecordingProxy());
  const home = mkdtempSync(join(tmpdir(), 'tautline-webkit-'));
  stack.defer(() => rmSync(home, { recursive: true, force: true, maxRetries: 10 }));
  const screen = stack.use(
    new Program('Xvfb', ['-displayfd', '1', '-screen', '0', '800x600x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const DISPLAY = `:${(await screen.says('stdout', /\d+\n/)).trim()}`;
  const port = await freePort();
  const program = stack.use(
    new Program('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
      stdio: 'ignore',
      env: {
        ...process.env,
        DISPLAY,
        HOME: home,
        // No sandbox: it refuses to run in containers. What we load is our own.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
        NO_AT_BRIDGE: '1',
        // Without a graphics card the renderer that shares its memory dies now and then at the start of WebKitGTK 2.50,
        // and the driver waits for it for ever.
        WEBKIT_DISABLE_DMABUF_RENDERER: '1',
      },
    }),
  );
  const driver = new Driver(`http://127.0.0.1:${port}`);
  await driver.ready(program);
  const address = `127.0.0.1:${proxy.port}`;
  const { sessionId } = await driver.send<{ sessionId: string }>('POST', '/session', {
    capabilities: {
      alwaysMatch: {
        acceptInsecureCerts: true,
        'webkitgtk:browserOptions': { binary: findMiniBrowser(), args: ['--automation'] },
        proxy: { proxyType: 'manual', httpProxy: address, sslProxy: address, noProxy: ['127.0.0.1'] },
      },
    },
  });
  const session = `/session/${sessionId}`;
  stack.defer(() => driver.send('DELETE', session));
  const resources = stack.move();
  return {
    strays: proxy.asked,
    go: (url) => driver.send('POST', `${session}/url`, { url }),
    async run<T>(expression: string) {
      const script = `${inJson(expression)}.then(arguments[0]);`;
      return JSON.parse(await driver.send<string>('POST', `${session}/execute/async`, { script, args: [] })) as T;
    },
    // Its tabs hide nothing.
    hide: (yes) => driver.send('POST', `${session}/window/${yes ? 'minimize' : 'maximize'}`, {}),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** A WebDriver server. */
class Driver {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error with what the driver says */
  async send<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T };
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(value)}`);
    return value;
  }

  /** It does not tell when it listens. */
  async ready(program: Program): Promise<void> {
    while (program.isRunning) {
      const up = await fetch(`${this.#url}/status`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (up) return;
    }
    throw new Error('WebKitWebDriver ended before it listened: its port may have been taken');
  }
}
