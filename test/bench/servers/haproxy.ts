import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';
import type { FrontDoor } from './balancers.ts';
import type { NodeProcess } from './start.ts';

/** A port that was free may be taken when it starts. */
const MOST_ATTEMPTS = 10;
/** Until it takes connections it is asked again after this time, ms. */
const AGAIN_MS = 20;

/**
 * HAProxy, as it is. It passes on what comes over TCP, and finds out by itself who takes sockets: it asks each node for its
 * health. Nobody tells it that one leaves.
 */
export class HaProxy implements FrontDoor {
  readonly name = 'HAProxy';
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, port: number, process: ChildProcess) {
    this.#folder = folder;
    this.port = port;
    this.#process = process;
  }

  /** Resolves when it takes connections. */
  static async start(program: string, nodes: readonly string[]): Promise<HaProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-haproxy-'));
    const file = join(folder, 'haproxy.cfg');
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const port = await freePort();
      writeFileSync(file, configuration(folder, port, nodes));
      const child = spawn(program, ['-db', '-q', '-f', file], { stdio: 'ignore' });
      const started = new HaProxy(folder, port, child);
      if (await started.#isUp()) return started;
      // Somebody else took the port meanwhile.
    }
    throw new Error(`HAProxy ends at its start. To see why: ${program} -c -f ${file}`);
  }

  path(node: string): string {
    return join(this.#folder, `${node}.sock`);
  }

  async join(node: NodeProcess): Promise<void> {
    await node.ask('checked');
  }

  async leave(): Promise<void> {}

  async close(): Promise<void> {
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
    rmSync(this.#folder, { recursive: true });
  }

  async #isUp(): Promise<boolean> {
    while (this.#process.exitCode === null) {
      if (await isTaken(this.port)) return true;
      await delay(AGAIN_MS);
    }
    return false;
  }
}

function configuration(folder: string, port: number, nodes: readonly string[]): string {
  return [
    'defaults',
    '  mode tcp',
    '  timeout connect 10s',
    '  timeout check 10s',
    '  timeout client 1h',
    '  timeout server 1h',
    '  option redispatch 1',
    'frontend sockets',
    `  bind 127.0.0.1:${port}`,
    '  default_backend nodes',
    'backend nodes',
    '  balance roundrobin',
    '  option httpchk GET /health',
    '  default-server check inter 100ms fall 1 rise 1',
    ...nodes.map((node) => `  server ${node} unix@${join(folder, `${node}.sock`)}`),
    '',
  ].join('\n');
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
