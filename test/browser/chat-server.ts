import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const example = new URL('../../examples/chat/', import.meta.url);

/** A process of the example. */
export interface ChatServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Ends the process at once, without a chance to say goodbye, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts the server of the chat and the board, and waits until it listens. Port 0: any that is free. */
export function startServer(port = 0, env: NodeJS.ProcessEnv = {}): Promise<ChatServer> {
  return startProcess(new URL('server/main.ts', example), port, env);
}

/** Starts a process that tells its address when it listens. */
export async function startProcess(file: URL, port = 0, env: NodeJS.ProcessEnv = {}): Promise<ChatServer> {
  const child = fork(fileURLToPath(file), {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), ...env },
    execArgv: [`--import=${new URL('../from-source.ts', example).href}`],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  const address = await Promise.race([
    once(child, 'message').then(([message]) => message as AddressInfo),
    gone.then(([code]) => Promise.reject(new Error(`the server ended with code ${String(code)}`))),
  ]);
  const kill = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}/`,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

/** What `npm start` runs. */
export interface Started extends AsyncDisposable {
  /** The address that it printed. */
  readonly url: string;
  /** All that it printed so far. */
  readonly printed: string;
}

/** Runs what `npm start` runs, at a free port, and waits until it prints an address. */
export async function start(env: NodeJS.ProcessEnv): Promise<Started> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('start.ts', example))], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(printed);
      if (address) resolve(address[0]);
    });
    void gone.then(() => reject(new Error(`it ended without an address:\n${printed}`)));
  });
  return {
    url,
    get printed() {
      return printed;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      await gone;
    },
  };
}
