import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { Report } from '../app/reporter.ts';
import { whenReady } from '../app/now-or-later.ts';
import { limitTime } from '../app/time-limit.ts';
import { randomName } from '../random-name.ts';

/** What could not be told is told again after this time, ms. */
const AGAIN_MS = 500;

/** So many wait at most: then all that they could be about is to be asked about. */
const MOST = 1000;

/** Options of a {@link CommandOutbox}. */
export interface CommandOutboxOptions {
  /** Tells the others. Under the same key it is told once. */
  readonly publish: (command: string, key: string) => unknown;
  /** Stands for any number of others. */
  readonly everything: string;
  readonly deadlines: Deadlines;
  readonly report: Report;
}

/**
 * What is to be told to other servers, until it is: a broker that is away for a while must not keep somebody in who was
 * put out. The same is told once for all that wait for it.
 */
export class CommandOutbox {
  readonly #options: CommandOutboxOptions;
  /** Their keys. */
  readonly #waiting = new Map<string, string>();
  #again: Deadline | undefined;
  #closed = false;

  constructor(options: CommandOutboxOptions) {
    this.#options = options;
  }

  /** What fails is reported, and tried again. */
  tell(command: string): void {
    const { report } = this.#options;
    this.#send(command, randomName(), (error) => report(error, { during: 'broker' }));
  }

  /** What waits is told to nobody any more, which is reported. */
  close(): void {
    this.#closed = true;
    const { deadlines, report } = this.#options;
    if (this.#again !== undefined) deadlines.remove(this.#again);
    if (this.#waiting.size === 0) return;
    const names = new Set([...this.#waiting.keys()].map((command) => (JSON.parse(command) as [string])[0]));
    const message = `other servers were not told what was ended here: ${[...names].join(', ')}`;
    report(new Error(message), { during: 'broker' });
  }

  #send(command: string, key: string, failed: (error: unknown) => void): void {
    const { publish, deadlines } = this.#options;
    void whenReady(
      () => limitTime(deadlines, 'the broker', () => publish(command, key)),
      () => undefined,
      (error) => {
        failed(error);
        if (!this.#closed) this.#keep(command, key);
      },
    );
  }

  #keep(command: string, key: string): void {
    // One that is told after both stands for both.
    if (!this.#waiting.has(command)) this.#waiting.set(command, key);
    if (this.#waiting.size > MOST) {
      this.#waiting.clear();
      this.#waiting.set(this.#options.everything, key);
    }
    this.#again ??= this.#options.deadlines.add(performance.now() + AGAIN_MS, () => this.#sendAll());
  }

  #sendAll(): void {
    this.#again = undefined;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [command, key] of waiting) this.#send(command, key, () => undefined);
  }
}
