/**
 * Keeps the server of the chat and the board running: starts it, and starts it again when it stops. The server is a process of its own,
 * so that stopping it is a real stop: sockets die, memory is gone.
 */
import { randomBytes } from 'node:crypto';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { STOP_ASKED } from './server/stop.ts';

const HOST = process.env.HOST ?? '127.0.0.1';
const STOP_MS = Number(process.env.STOP_MS ?? 10_000);
/** After a crash. */
const AGAIN_MS = 1_000;

/** The port that was asked for, else 3000, else any that is free; from then on the same for every start. */
let port = Number(process.env.PORT ?? ((await isFree(3000)) ? 3000 : 0));

/** The board's tickets outlive a server. */
const BOARD_KEY = randomBytes(32).toString('hex');

let server: ChildProcess | undefined;
let ending = false;
let told = false;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    ending = true;
    if (server === undefined) process.exit();
    server.kill(signal);
  });
}
start();

function start(): void {
  server = fork(fileURLToPath(new URL('server/main.ts', import.meta.url)), {
    env: { BOARD_KEY, ...process.env, HOST, PORT: String(port) },
    execArgv: [...process.execArgv, `--import=${new URL('../from-source.ts', import.meta.url).href}`],
  });
  server.once('message', tell);
  server.once('exit', (code) => {
    server = undefined;
    if (ending) process.exit();
    // It never came up: trying again would fail in the same way.
    if (!told) process.exit(code ?? 1);
    const pauseMs = code === STOP_ASKED ? STOP_MS : AGAIN_MS;
    console.log(
      `The server stopped${code === STOP_ASKED ? ', as asked' : ''}. It starts again in ${pauseMs / 1000} s.`,
    );
    setTimeout(start, pauseMs);
  });
}

/** The server is up. */
function tell(address: unknown): void {
  if (told) return console.log('The server runs again, and remembers nothing.');
  told = true;
  port = (address as AddressInfo).port;
  const here = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;
  const url = `http://${here.includes(':') ? `[${here}]` : here}:${port}/`;
  const other = here === '127.0.0.1' && HOST === here ? 'HOST=0.0.0.0 npm start, then ' : '';
  console.log(`
Tautline chat runs at  ${url}
and a shared board, in React and TanStack Query, at  ${url}board/

What to try
  1. Open it in two tabs, choose a name in each, and chat.
  2. Press "Stop the server" and go on typing in both tabs. What you type waits, and is
     sent when the server is back: once, and in order.
  3. Press "Cut the line" while you type: you have to look closely to see it happen.
  4. Press "Slow line" and watch the round trip, and your messages wait.
  5. On a phone in the same Wi-Fi: ${other}http://<address of this computer>:${port}/
     Then switch its Wi-Fi off and on.

Ctrl-C ends it.
`);
}

/** Whether nobody listens at this port yet. */
async function isFree(candidate: number): Promise<boolean> {
  const probe = createServer().listen(candidate, HOST);
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
