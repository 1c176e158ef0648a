import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { inJson, Program, type Engine } from './engine.ts';
import { firefoxPreferences } from './firefox-preferences.ts';
import { startRecordingProxy } from './recording-proxy.ts';

/** An {@link Engine} of which more can be asked. */
export interface Firefox extends Engine {
  /** As when its user works offline, or no more. */
  offline(yes: boolean): Promise<void>;
}

/** Firefox with a fresh profile, over WebDriver BiDi: https://w3c.github.io/webdriver-bidi/ */
export async function startFirefox(): Promise<Firefox> {
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(await startRecordingProxy());
  const profile = mkdtempSync(join(tmpdir(), 'tautline-firefox-'));
  stack.defer(() => rmSync(profile, { recursive: true, force: true, maxRetries: 10 }));
  writeFileSync(
    join(profile, 'user.js'),
    Object.entries(firefoxPreferences(proxy.port))
      .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
      .join(''),
  );
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'];
  const program = stack.use(
    new Program('firefox-esr', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // It ends itself rather than to connect to another machine.
      env: { ...process.env, HOME: profile, MOZ_DISABLE_NONLOCAL_CONNECTIONS: '1', MOZ_CRASHREPORTER_DISABLE: '1' },
    }),
  );
  const bidi = stack.use(await Bidi.connect(`${await program.says('stderr', /ws:\/\/[\d.:]+/)}/session`));
  await bidi.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  const { contexts } = await bidi.send<{ contexts: [{ context: string }] }>('browsingContext.getTree', {});
  const { context } = contexts[0];
  let front: string | undefined;
  const resources = stack.move();
  return {
    strays: proxy.asked,
    go: (url) => bidi.send('browsingContext.navigate', { context, url, wait: 'complete' }),
    async run<T>(expression: string) {
      const { result } = await bidi.send<{ result: { value: string } }>('script.evaluate', {
        expression: inJson(expression),
        target: { context },
        awaitPromise: true,
      });
      return JSON.parse(result.value) as T;
    },
    async hide(yes) {
      if (yes) ({ context: front } = await bidi.send<{ context: string }>('browsingContext.create', { type: 'tab' }));
      else if (front !== undefined) await bidi.send('browsingContext.close', { context: front });
    },
    offline: (yes) =>
      bidi.send('emulation.setNetworkConditions', { networkConditions: yes ? { type: 'offline' } : null }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly result: unknown;
}

/** Commands and their answers. */
class Bidi implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      this.#waiting.get(answer.id ?? -1)?.(answer);
    });
    socket.on('close', () => this.#waiting.forEach((settle) => settle(undefined)));
  }

  static async connect(url: string): Promise<Bidi> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new Bidi(socket);
  }

  async send<T>(method: string, params: object): Promise<T> {
    const id = ++this.#last;
    const answer = await new Promise<Answer | undefined>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    this.#waiting.delete(id);
    if (answer?.type !== 'success')
      throw new Error(`${method}: ${answer === undefined ? 'Firefox ended' : JSON.stringify(answer)}`);
    return answer.result as T;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}
