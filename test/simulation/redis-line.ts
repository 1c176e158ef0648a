import { marked } from '../../src/server/brokers/redis/scripts.ts';
import type { LineEvent, NodeRedisClient } from '../../src/server/redis.ts';
import type { Clock, Process } from './clock.ts';
import type { Random } from './random.ts';

type Heard = (message: string, channel: string) => void;

/** What a {@link RedisLine} leads to. */
export interface RedisEnd {
  readonly clock: Clock;
  readonly random: Random;
  readonly process: Process;
  readonly delayMs: number;
  /** Nothing is done before this time, ms. */
  readonly frozenUntil: number;
  run(script: string, keys: readonly string[], args: readonly string[]): unknown;
}

/** A client of a simulated Redis, in the shape of node-redis: all takes time, in order, and a lost line loses what is under way. */
export class RedisLine implements NodeRedisClient {
  readonly isOpen = true;
  isReady = true;
  readonly #redis: RedisEnd;
  readonly #listeners = new Map<LineEvent, Set<() => void>>();
  readonly #channels = new Map<string, Set<Heard>>();
  /** Channels that Redis knows of, and who waits to hear that it does. */
  readonly #inForce = new Set<string>();
  #subscribing: Array<() => void> = [];
  /** Who waits for an answer. */
  #asking = new Set<(error: Error) => void>();
  /** Times that it was lost. */
  #losses = 0;
  #thereAt = 0;
  #backAt = 0;
  #isDead = false;

  constructor(redis: RedisEnd) {
    this.#redis = redis;
  }

  eval(text: string, { keys, arguments: args }: { keys: string[]; arguments: string[] }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.isReady) return reject(new Error('the line is lost'));
      this.#asking.add(reject);
      this.#go(() => {
        const mark = args.at(-1);
        const answer = this.#redis.run(unmarked(text), keys, args.slice(0, -1));
        this.#come(() => {
          this.#asking.delete(reject);
          resolve([mark, answer]);
        });
      });
    });
  }

  subscribe(channel: string, listener: Heard): Promise<void> {
    const heard = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, heard.add(listener));
    return new Promise((resolve) => {
      this.#subscribing.push(resolve);
      this.#resubscribe();
    });
  }

  unsubscribe(channel: string, listener: Heard): Promise<void> {
    const heard = this.#channels.get(channel);
    heard?.delete(listener);
    if (heard?.size === 0) {
      this.#channels.delete(channel);
      this.#inForce.delete(channel);
    }
    return Promise.resolve();
  }

  on(event: LineEvent, listener: () => void): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event: LineEvent, listener: () => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** Something was said on a channel. */
  said(channel: string): void {
    if (!this.#inForce.has(channel)) return;
    this.#come(() => {
      for (const heard of [...(this.#channels.get(channel) ?? [])]) heard('', channel);
    });
  }

  /** It is lost: what is under way either way never arrives, and who asked hears of it. */
  lose(): void {
    this.isReady = false;
    this.#losses++;
    this.#inForce.clear();
    const asking = this.#asking;
    this.#asking = new Set();
    for (const reject of asking) reject(new Error('the line was lost'));
    this.#emit('reconnecting');
  }

  comeBack(): void {
    if (this.#isDead || this.isReady) return;
    this.isReady = true;
    this.#resubscribe();
    this.#emit('ready');
  }

  /** The process that has it dies. */
  die(): void {
    this.#isDead = true;
    this.lose();
  }

  #resubscribe(): void {
    this.#go(() => {
      for (const channel of this.#channels.keys()) this.#inForce.add(channel);
      this.#come(() => this.#subscribing.splice(0).forEach((resolve) => resolve()));
    });
  }

  #emit(event: LineEvent): void {
    const { clock, process } = this.#redis;
    clock.as(process, () => {
      for (const listener of [...(this.#listeners.get(event) ?? [])]) listener();
    });
  }

  #go(arrive: () => void): void {
    const { clock, frozenUntil } = this.#redis;
    this.#thereAt = Math.max(this.#thereAt, frozenUntil, clock.now + this.#delay());
    this.#carry(this.#thereAt, arrive);
  }

  #come(arrive: () => void): void {
    this.#backAt = Math.max(this.#backAt, this.#redis.clock.now + this.#delay());
    this.#carry(this.#backAt, arrive);
  }

  #carry(at: number, arrive: () => void): void {
    const { clock, process } = this.#redis;
    const losses = this.#losses;
    clock.after(at - clock.now, process, () => {
      if (losses === this.#losses) arrive();
    });
  }

  #delay(): number {
    return this.#redis.random.below(this.#redis.delayMs);
  }
}

const [BEFORE, AFTER] = marked('\0').split('\0') as [string, string];

function unmarked(text: string): string {
  return text.slice(BEFORE.length, -AFTER.length);
}
