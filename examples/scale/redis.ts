import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@redis/client';

/** A Redis on a socket file, that keeps nothing on disk. */
export class Redis {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tautline-scale-'));
  readonly socket: string = join(this.#folder, 'redis.sock');
  readonly #process: ChildProcess;

  private constructor(program: string) {
    const args = [
      '--port',
      '0',
      '--unixsocket',
      this.socket,
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      this.#folder,
    ];
    this.#process = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Starts one. @throws Error saying what to install */
  static async start(): Promise<Redis> {
    for (const program of ['redis-server', 'valkey-server']) {
      const redis = new Redis(program);
      if (await redis.#isUp()) return redis;
      rmSync(redis.#folder, { recursive: true });
    }
    throw new Error('This needs Redis: apt-get install redis-server, or brew install redis.');
  }

  async #isUp(): Promise<boolean> {
    const child = this.#process;
    const failed = once(child, 'error').then(
      () => false,
      () => false,
    );
    const lines = async (): Promise<boolean> => {
      for await (const line of createInterface(child.stdout!)) {
        if (!line.includes('eady to accept connections')) continue;
        child.stdout!.resume();
        return true;
      }
      return false;
    };
    return Promise.race([failed, lines()]);
  }

  /** All that it knows is gone. */
  async empty(): Promise<void> {
    const client = createClient({ socket: { path: this.socket, tls: false } });
    client.on('error', () => undefined);
    await client.connect();
    await client.sendCommand(['FLUSHALL']);
    client.destroy();
  }

  /** It takes connections and answers nothing, until it is thawed. */
  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process.kill('SIGCONT');
  }

  close(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
