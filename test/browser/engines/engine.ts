import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

/** A browser with one page, driven from here. */
export interface Engine extends AsyncDisposable {
  /** What it asked of any other machine: got no further than a proxy on this one. */
  readonly strays: readonly string[];
  /** Waits until the page has loaded. No certificate is looked at. */
  go(url: string): Promise<void>;
  /** Value of an expression in the page, awaited; through JSON. */
  run<T>(expression: string): Promise<T>;
  /** Puts the page where nobody sees it, or back. */
  hide(yes: boolean): Promise<void>;
}

/** Expression that an engine evaluates to the JSON of another. */
export function inJson(expression: string): string {
  return `(async () => JSON.stringify((await (${expression})) ?? null))()`;
}

/** A program with all that it starts, ended as one; also when this process dies first. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(name: string, args: readonly string[], options: SpawnOptions) {
    // Its own process group; and the kernel tells it when we are gone.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', name, ...args], { ...options, detached: true });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What fits in all that it says on one of its outputs. Rejects when it ends without having said it. */
  says(output: 'stdout' | 'stderr', what: RegExp): Promise<string> {
    let all = '';
    return new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child[output]
        ?.setEncoding('utf8')
        .on('data', (text: string) => {
          all += text;
          const found = what.exec(all);
          if (found !== null) resolve(found[0]);
        })
        .on('close', () => reject(new Error(`ended without ${String(what)}: ${all}`)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const ended = this.isRunning ? once(this.#child, 'exit') : undefined;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
    await ended;
  }
}
