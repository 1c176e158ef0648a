import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Balancer } from './balancer.ts';
import type { Node } from './contract.ts';

/** The hook that lets the examples import `tautline` by its name. */
export const FROM_SOURCE = [`--import=${new URL('../from-source.ts', import.meta.url).href}`];
/** After a crash. */
const AGAIN_MS = 1_000;

/** A node that is started again whenever it has ended. */
export class NodeProcess {
  readonly #name: string;
  readonly #socket: string;
  readonly #balancer: Balancer;
  #process!: ChildProcess;
  #port: number | undefined;
  #state: Node['state'] = 'starting';
  #clients = 0;
  #isOver = false;

  constructor(name: string, socket: string, balancer: Balancer) {
    this.#name = name;
    this.#socket = socket;
    this.#balancer = balancer;
    this.#start();
  }

  get figures(): Node {
    return { name: this.#name, state: this.#state, clients: this.#clients };
  }

  /** Takes no new lines, asks its clients to go, and ends. Another takes its place. */
  stop(): void {
    this.#state = 'leaving';
    this.#balancer.ports.delete(this.#port!);
    this.#process.kill('SIGTERM');
  }

  /** Dies without a word. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  close(): void {
    this.#isOver = true;
    this.kill();
  }

  #start(): void {
    this.#state = 'starting';
    const child = fork(fileURLToPath(new URL('node.ts', import.meta.url)), {
      env: { ...process.env, REDIS_SOCKET: this.#socket },
      execArgv: FROM_SOURCE,
    });
    this.#process = child;
    child.on('message', ({ port, clients }: { readonly port?: number; readonly clients?: number }) => {
      this.#clients = clients ?? this.#clients;
      if (port === undefined) return;
      this.#port = port;
      this.#state = 'serving';
      this.#balancer.ports.add(port);
    });
    child.once('exit', () => {
      this.#balancer.ports.delete(this.#port!);
      const pauseMs = this.#state === 'leaving' ? 0 : AGAIN_MS;
      this.#state = 'starting';
      this.#clients = 0;
      if (!this.#isOver) setTimeout(() => this.#isOver || this.#start(), pauseMs);
    });
  }
}
