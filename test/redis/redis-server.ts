import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findRedis } from '../support/find-redis.ts';

/** A Redis of one test file, on a socket file, that keeps nothing on disk. */
export class RedisServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tautline-redis-'));
  readonly path: string = join(this.#folder, 'redis.sock');
  #process: ChildProcess | undefined;

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const args = ['--port', '0', '--unixsocket', this.path, '--save', '', '--appendonly', 'no', '--dir', this.#folder];
    const child = spawn(findRedis()!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
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
