import { TautlineError } from '../../../errors.ts';
import type { BrokerConnection } from '../broker.ts';
import { randomName } from '../../random-name.ts';
import { TimeLimits } from '../time-limits.ts';
import type { RedisPort } from './redis-port.ts';
import { marked } from './scripts.ts';

/**
 * The way to Redis: waits, for a while, for it to be there and for what it answers, and knows whether it is. A line that
 * is there and brings no answer is none.
 */
export class RedisConnection implements BrokerConnection {
  readonly #ports: readonly RedisPort[];
  readonly #commands: RedisPort;
  readonly #timeoutMs: number;
  /** Begins each message. */
  readonly #owner: string;
  readonly #listeners = new Set<() => void>();
  readonly #limits: TimeLimits;
  /** Those who wait for a line to be there. */
  #waiting: Array<() => void> = [];
  /** It has not answered in time, or not to what was asked, and nothing since. */
  #isSilent = false;
  #wasUp: boolean;
  /** What is asked is marked, and its answer bears the mark. */
  readonly #marks = randomName();
  #asked = 0;

  constructor(owner: string, timeoutMs: number, commands: RedisPort, subscriber: RedisPort) {
    this.#owner = owner;
    this.#timeoutMs = timeoutMs;
    this.#limits = new TimeLimits(owner, timeoutMs);
    this.#commands = commands;
    this.#ports = [commands, subscriber];
    this.#wasUp = this.isUp;
    for (const port of this.#ports) port.onChange(() => this.look());
    commands.onReady(() => {
      this.#isSilent = false;
      this.#waiting.splice(0).forEach((go) => go());
      this.look();
    });
  }

  get isUp(): boolean {
    return !this.#isSilent && this.#ports.every(({ isReady }) => isReady);
  }

  /** The last that was asked was not answered. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  onChange(listener: () => void): () => void {
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  async ready(): Promise<void> {
    if (this.isUp) return;
    let undo!: () => void;
    const up = new Promise<void>((resolve) => (undo = this.onChange(() => this.isUp && resolve())));
    await this.#there(up).finally(undo);
  }

  /**
   * Waits for a line to Redis to be there; then for its answer.
   * @throws TautlineError `OFFLINE`, not sent; `TIMEOUT`, or `DISCONNECTED` where another's answer came: unknown;
   * `CLOSED`, when it was closed meanwhile
   */
  async run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!this.#commands.isReady || this.#limits.isClosed) {
      await this.#there(new Promise<void>((resolve) => this.#waiting.push(resolve)));
    }
    const mark = `${this.#marks}${(++this.#asked).toString(36)}`;
    const reply = await this.inTime(this.#commands.run(marked(script), keys, [...args, mark]));
    const [given, answer] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
    this.#heard(given === mark);
    if (given !== mark) throw this.#mixedUp();
    return answer;
  }

  /** Waits for what was asked of Redis. @throws TautlineError `TIMEOUT`, `CLOSED` */
  inTime<T>(asked: Promise<T>): Promise<T> {
    return this.#limits.wait(asked, 'unknown', () => {
      this.#heard(false);
      return new TautlineError('TIMEOUT', `${this.#owner}: Redis did not answer for ${this.#timeoutMs} ms`, {
        outcome: 'unknown',
      });
    });
  }

  /** Tells those who listen, where it has come or gone. Not each client tells of each loss. */
  look(): void {
    const { isUp } = this;
    if (isUp === this.#wasUp) return;
    this.#wasUp = isUp;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Takes its listeners off; lets those go who wait, as `CLOSED`. */
  close(): void {
    for (const port of this.#ports) port.close();
    this.#listeners.clear();
    this.#limits.close();
  }

  #heard(answered: boolean): void {
    this.#isSilent = !answered;
    this.look();
  }

  #mixedUp(): Error {
    const message = `${this.#owner}: the client of Redis gave the answer to something else: it has to connect anew`;
    return new TautlineError('DISCONNECTED', message, { outcome: 'unknown' });
  }

  #there(coming: Promise<void>): Promise<void> {
    return this.#limits.wait(coming, 'not-sent', () => {
      const message = `${this.#owner}: Redis is not connected for ${this.#timeoutMs} ms`;
      return new TautlineError('OFFLINE', message, { outcome: 'not-sent', retryable: true });
    });
  }
}
