import type { CallStore } from '../../src/server/index.ts';
import { redisCallStore } from '../../src/server/redis.ts';
import type { Clock, Process } from './clock.ts';
import type { StorePlan } from './plan.ts';
import type { Random } from './random.ts';
import { RedisLine } from './redis-line.ts';
import type { RedisEnd } from './redis-line.ts';
import { RedisMemories } from './redis-memories.ts';

const TROUBLE: Process = { name: 'trouble', frozenUntil: 0 };

/** What one server has of the memory that all share. */
export interface SharedStore {
  readonly store: CallStore;
  /** The server's process ends: nothing more of it reaches the store. */
  die(): void;
}

/** The Redis in which servers remember calls together: it is lost, stands still, and another takes its place. */
export class SimulatedRedis implements RedisEnd {
  readonly clock: Clock;
  readonly random: Random;
  readonly process: Process;
  readonly #plan: StorePlan;
  readonly #lines = new Set<readonly RedisLine[]>();
  #memories: RedisMemories;
  #replica: RedisMemories;
  frozenUntil = 0;
  /** Times that something began or ended over which servers may not know what became of a call. */
  #changes = 0;
  #underWay = 0;

  constructor(plan: StorePlan, clock: Clock, random: Random, process: Process) {
    this.#plan = plan;
    this.clock = clock;
    this.random = random;
    this.process = process;
    this.#memories = new RedisMemories(
      () => clock.now,
      (channel) => this.#said(channel),
    );
    this.#replica = this.#memories.copy();
  }

  get delayMs(): number {
    return this.#plan.delayMs;
  }

  run(script: string, keys: readonly string[], args: readonly string[]): unknown {
    return this.#memories.run(script, keys, args);
  }

  /** From here on: counts the troubles over which what became of a call may be unknown. */
  troubles(): () => number {
    const before = this.#changes - this.#underWay;
    return () => this.#changes - before;
  }

  /** What this name stands for is one server's alone, which could not ask here; or lost. */
  isForeign(name: string | undefined): boolean {
    return name === undefined || !this.#memories.knows(name);
  }

  /** A server died, or went: what it ran is run by nobody any more. */
  serverWent(): void {
    this.#changes++;
  }

  connect(): SharedStore {
    const lines = [new RedisLine(this), new RedisLine(this)] as const;
    this.#lines.add(lines);
    const [commands, subscriber] = lines;
    const { leaseMs, timeoutMs, answers, answerBytes } = this.#plan;
    return {
      store: redisCallStore({ commands, subscriber, leaseMs, timeoutMs, answers, answerBytes }),
      die: () => {
        this.#lines.delete(lines);
        for (const line of lines) line.die();
      },
    };
  }

  /** One trouble, drawn at random; tells what. */
  trouble(): string {
    const { random } = this;
    const ms = random.between(20, random.chance(0.6) ? 800 : 2 * this.#plan.leaseMs);
    return random.weighted<() => string>([
      [this.#lines.size > 0 ? 4 : 0, () => this.#cut(random.pick([...this.#lines]), ms)],
      [2, () => this.#freeze(ms)],
      [1, () => this.#failOver(ms)],
    ])();
  }

  /** What happened up to now has reached the replica. */
  replicate(): void {
    this.#replica = this.#memories.copy();
  }

  #cut(lines: readonly RedisLine[], ms: number): string {
    const lost = this.random.chance(0.5) ? lines : [this.random.pick(lines)];
    this.#lose(lost, ms);
    return `a server has lost the shared memory for ${String(ms)} ms`;
  }

  #freeze(ms: number): string {
    this.frozenUntil = Math.max(this.frozenUntil, this.clock.now + ms);
    this.#last(ms, () => undefined);
    return `the shared memory stands still for ${String(ms)} ms`;
  }

  #failOver(ms: number): string {
    this.#memories = this.#replica;
    this.#memories.begin();
    this.replicate();
    this.#lose([...this.#lines].flat(), ms);
    return `the shared memory fails over, and is away for ${String(ms)} ms`;
  }

  #lose(lines: readonly RedisLine[], ms: number): void {
    for (const line of lines) if (line.isReady) line.lose();
    this.#last(ms, () => lines.forEach((line) => line.comeBack()));
  }

  #last(ms: number, end: () => void): void {
    this.#changes++;
    this.#underWay++;
    this.clock.after(ms, TROUBLE, () => {
      this.#changes++;
      this.#underWay--;
      end();
    });
  }

  #said(channel: string): void {
    for (const lines of this.#lines) for (const line of lines) line.said(channel);
  }
}
