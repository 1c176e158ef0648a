import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findRedis } from '../support/find-redis.ts';

/** A Redis of one test file, on a socket file, that keeps nothing on disk. As a node of a cluster it has a port, too. */
export class RedisServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tautline-redis-'));
  readonly path: string = join(this.#folder, 'redis.sock');
  readonly #port: number | undefined;
  #process: ChildProcess | undefined;

  constructor({ port }: { readonly port?: number } = {}) {
    this.#port = port;
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const args = ['--unixsocket', this.path, '--save', '', '--appendonly', 'no', '--dir', this.#folder];
    const ofCluster = ['--bind', '127.0.0.1', '--cluster-enabled', 'yes', '--port', String(this.#port)];
    const all = [...args, ...(this.#port === undefined ? ['--port', '0'] : ofCluster)];
    const child = spawn(findRedis()!, all, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    for await (const line of createInterface(child.stdout)) {
      if (line.includes('eady to accept connections')) break;
    }
    child.stdout.resume();
  }

  /** Ends it, without a word to its clients. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** It takes connections and answers nothing, until it is thawed. */
  freeze(): void {
    this.#process!.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process!.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
