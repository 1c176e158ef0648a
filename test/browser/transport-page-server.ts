import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { selfSigned } from './engines/self-signed.ts';
import { contract } from './transport-page-contract.ts';
import type { Seen, Settings } from './transport-page.ts';

/** The page without its script. */
export const HTML =
  '<!doctype html><html lang="en"><title>transport</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
/** Goes back where one came from, when it has been shown. */
const AWAY = `<!doctype html><html lang="en"><title>away</title><link rel="icon" href="data:,">
<script>addEventListener('load', () => setTimeout(() => history.back(), 100));</script>`;

/** Serves the page and what it talks to, on one HTTP server. */
export interface PageServer extends AsyncDisposable {
  readonly port: number;
  /** How often each key ran. */
  readonly ran: ReadonlyMap<string, number>;
  /** What the page reported last, since it was left. */
  readonly reported: Seen | undefined;
  /** How often the page was left. */
  readonly left: number;
  /** Texts that came to `/echo`. */
  readonly echoed: readonly string[];
  /** Address of the page with these settings. */
  url(settings?: Settings, policy?: string): string;
  /** Ends every line to a page without a word. */
  cut(): void;
  /** Reads nothing more from the lines that there are: they look alive and are not. */
  freeze(): void;
  /** Ends every line, and each new one at once, as when nobody listens; or is back. */
  leave(gone: boolean): void;
  /** Answers calls of the key `slow`, which wait for this. */
  release(): void;
}

/** The script of a page, bundled in memory from the sources. */
export async function bundlePage(page = 'transport-page.ts'): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      lib: { entry: fileURLToPath(new URL(page, import.meta.url)), formats: ['es'], fileName: 'page' },
    },
  });
  const [bundle] = Array.isArray(result) ? result : [];
  const file = bundle?.output[0];
  if (file?.type !== 'chunk' || bundle?.output.length !== 1) throw new TypeError('the page is not one script');
  return file.code;
}

/** Starts it at a free port of the loopback address. `https:` with a certificate that nobody vouches for. */
export async function servePage(script: string, scheme: 'http' | 'https' = 'http'): Promise<PageServer> {
  const ran = new Map<string, number>();
  const lines = new Set<Duplex>();
  const echoed: string[] = [];
  let reported: Seen | undefined;
  let left = 0;
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));

  const answers = answer(script, (seen) => {
    if (seen === undefined) left += 1;
    reported = seen;
  });
  const http = scheme === 'http' ? createHttpServer(answers) : createHttpsServer(selfSigned(), answers);
  let gone = false;
  http.on('connection', (line: Duplex) => {
    if (gone) line.destroy();
  });
  http.on('upgrade', (_request, line) => {
    lines.add(line);
    line.once('close', () => lines.delete(line));
  });
  const engine = createServer(contract, {
    handlers: {
      run: async ({ input: { key } }) => {
        ran.set(key, (ran.get(key) ?? 0) + 1);
        if (key === 'slow') await released;
        return key;
      },
    },
  });
  http.on('upgrade', echoTo(echoed));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const listener = await listen(engine, { server: http });
  const { port } = http.address() as AddressInfo;

  return {
    port,
    ran,
    echoed,
    get reported() {
      return reported;
    },
    get left() {
      return left;
    },
    url: (settings = {}, policy = '') =>
      `${scheme}://127.0.0.1:${port}/?${new URLSearchParams({ settings: JSON.stringify(settings), policy }).toString()}`,
    cut: () => lines.forEach((line) => line.destroy()),
    leave(leaves) {
      gone = leaves;
      if (gone) http.closeAllConnections();
      if (gone) lines.forEach((line) => line.destroy());
    },
    freeze: () => lines.forEach((line) => line.pause()),
    release,
    async [Symbol.asyncDispose]() {
      release();
      await listener.close();
      for (const line of lines) line.destroy();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** @param report - Gets `undefined` when the page was left. */
function answer(script: string, report: (seen: Seen | undefined) => void): RequestListener {
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const policy = searchParams.get('policy');
    if (pathname === '/report') void text(request).then((body) => report(JSON.parse(body) as Seen));
    if (pathname === '/away') report(undefined);
    if (policy) response.setHeader('content-security-policy', policy);
    response.setHeader('content-type', pathname === '/page.js' ? 'text/javascript' : 'text/html');
    response.end({ '/': HTML, '/away': AWAY, '/page.js': script }[pathname]);
  };
}

/** Says everything back, but ends the line at `cut me`. */
function echoTo(echoed: string[]): (request: IncomingMessage, line: Duplex, head: Buffer) => void {
  const echo = new WebSocketServer({ noServer: true });
  return (request, line, head) => {
    if (request.url !== '/echo') return;
    echo.handleUpgrade(request, line, head, (socket) => {
      socket.on('message', (data: Buffer) => {
        const said = data.toString();
        echoed.push(said);
        if (said === 'cut me') socket.terminate();
        else socket.send(said);
      });
    });
  };
}
