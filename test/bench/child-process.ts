import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a child is, and is told at its start. */
export interface ChildTask {
  /** In messages about it. */
  readonly name: string;
  /** The file that it runs. It ends with `answerParent`. */
  readonly module: URL;
  /** What its `childArgument` reads. */
  readonly argument: unknown;
  /** For Node. @default none */
  readonly execArgv?: readonly string[];
}

/** What a child is asked. */
export interface Request {
  readonly id: number;
  readonly operation: string;
  readonly input: unknown;
}

/** What it says to that. */
export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Longest that one thing which a child is asked for may take, ms: then something hangs. */
const TIMEOUT_MS = 120_000;

type Operations<All> = { readonly [Name in keyof All]: (input: never) => Promise<unknown> };

const living = new Set<ChildProcess>();

/** Ends all that are still there; resolves when they are gone. */
export async function killChildren(): Promise<void> {
  const exits = [...living].map((child) => once(child, 'exit'));
  for (const child of living) child.kill('SIGKILL');
  await Promise.all(exits);
}

/** A process that does what it is asked for. */
export class Child<All extends Operations<All>> {
  readonly #process: ChildProcess;
  readonly #task: ChildTask;
  readonly #waiting = new Map<number, { resolve: (result: any) => void; reject: (error: Error) => void }>();
  readonly #exited: Promise<unknown>;
  #lastId = 0;

  private constructor(task: ChildTask) {
    this.#task = task;
    this.#process = fork(fileURLToPath(task.module), [JSON.stringify(task.argument)], {
      execArgv: ['--expose-gc', ...(task.execArgv ?? [])],
      // As servers run; with it Tautline and tRPC leave out what they do for developers alone.
      env: { ...process.env, NODE_ENV: 'production' },
    });
    living.add(this.#process);
    this.#exited = once(this.#process, 'exit').then(([code, signal]) => {
      living.delete(this.#process);
      const error = new Error(`${task.name} ended with ${code ?? signal}`);
      for (const { reject } of this.#waiting.values()) reject(error);
    });
    this.#process.on('message', (reply: Reply | 'ready') => {
      if (reply !== 'ready') this.#settle(reply);
    });
  }

  /** Resolves when it is ready. */
  static async start<All extends Operations<All>>(task: ChildTask): Promise<Child<All>> {
    const child = new Child<All>(task);
    const died = child.#exited.then(() => {
      throw new Error(`${task.name} did not start`);
    });
    await Promise.race([once(child.#process, 'message'), died]);
    died.catch(() => undefined);
    return child;
  }

  /** Asks for one thing; rejects when that fails, when it takes too long, or when the process is gone. */
  ask<Name extends keyof All & string>(
    operation: Name,
    ...[input]: Parameters<All[Name]>
  ): Promise<Awaited<ReturnType<All[Name]>>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const what = `${this.#task.name}, ${operation}`;
      const timer = setTimeout(() => this.#settle({ id, error: `${what}: took too long` }), TIMEOUT_MS);
      const settled = (): void => clearTimeout(timer);
      this.#waiting.set(id, {
        resolve: (result) => (settled(), resolve(result)),
        reject: (error) => (settled(), reject(new Error(`${what}: ${error.message}`))),
      });
      this.#process.send({ id, operation, input } satisfies Request);
    });
  }

  /** Ends it; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  #settle({ id, result, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  }
}
