import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { findPostgres, postgresUser } from '../support/find-postgres.ts';

/** A PostgreSQL of one test file, on a socket file in a folder of its own. */
export class PostgresServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tautline-postgres-'));
  readonly config: pg.ClientConfig = { host: this.#folder, port: 5432, user: 'test', database: 'postgres' };
  readonly #programs = findPostgres()!;
  readonly #user = postgresUser();
  #process: ChildProcess | undefined;
  #frozen: number[] = [];
  /** Is there as long as the server runs. */
  admin!: pg.Client;

  get #data(): string {
    return join(this.#folder, 'data');
  }

  /** Makes the database. */
  async create(): Promise<void> {
    if (this.#user !== undefined) chownSync(this.#folder, this.#user.uid, this.#user.gid);
    const args = ['-D', this.#data, '-U', 'test', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    const child = spawn(join(this.#programs, 'initdb'), args, {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number];
    if (code !== 0) throw new Error(`initdb ended with ${code}`);
    await this.start();
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const settings = {
      listen_addresses: '',
      unix_socket_directories: this.#folder,
      fsync: 'off',
      max_connections: 200,
      // What a test that failed has left open holds up the others no longer than this.
      idle_in_transaction_session_timeout: '5s',
    };
    const args = ['-D', this.#data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    const child = spawn(join(this.#programs, 'postgres'), args, {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    for await (const line of createInterface(child.stderr)) {
      if (line.includes('ready to accept connections')) break;
    }
    child.stderr.resume();
    this.admin = new pg.Client(this.config);
    this.admin.on('error', () => undefined);
    await this.admin.connect();
  }

  /** Ends it, without a word to its clients. */
  async kill(): Promise<void> {
    this.thaw();
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGQUIT');
    await exited;
    await this.admin.end();
  }

  /** It answers nothing, and takes no connections, until it is thawed. */
  async freeze(): Promise<void> {
    const main = this.#process!.pid!;
    // First who starts others: then there are no more of them.
    process.kill(main, 'SIGSTOP');
    this.#frozen = [main];
    const own = 'pg_backend_pid()';
    const sql = `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' ORDER BY pid = ${own}`;
    const { rows } = await this.admin.query<{ pid: number }>(sql);
    for (const { pid } of rows) process.kill(pid, 'SIGSTOP');
    this.#frozen.push(...rows.map(({ pid }) => pid));
  }

  thaw(): void {
    for (const pid of this.#frozen.splice(0)) process.kill(pid, 'SIGCONT');
  }

  /** Ends the lines of all others: of those that listen, or of all. */
  async cut(which: 'listening' | 'all'): Promise<void> {
    const those = which === 'all' ? '' : `AND query LIKE 'LISTEN%' OR query LIKE 'WITH used%'`;
    await this.admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' ${those}`,
    );
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
