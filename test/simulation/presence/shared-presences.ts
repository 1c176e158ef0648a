import { redisPresenceStore, type RedisPresenceStore } from '../../../src/server/redis.ts';
import type { Clock, Process } from '../clock.ts';
import type { Random } from '../random.ts';
import { RedisLine } from '../redis-line.ts';
import type { RedisEnd } from '../redis-line.ts';
import type { PresencePlan } from './presence-plan.ts';
import { RedisPresences } from './redis-presences.ts';

const TROUBLE: Process = { name: 'trouble', frozenUntil: 0 };

/** What one server has of the store. */
export interface PresenceLine {
  readonly store: RedisPresenceStore;
  /** The server's process ends: nothing more of it reaches the store. */
  die(): void;
}

/** The Redis that says who is where: it is lost, stands still, is emptied, and another takes its place. */
export class SharedPresences implements RedisEnd {
  readonly clock: Clock;
  readonly random: Random;
  readonly process: Process;
  readonly presences: RedisPresences;
  readonly #lost: () => void;
  readonly #plan: PresencePlan;
  readonly #lines = new Set<readonly RedisLine[]>();
  frozenUntil = 0;

  constructor(plan: PresencePlan, clock: Clock, random: Random, process: Process, lost: () => void) {
    this.#lost = lost;
    this.#plan = plan;
    this.clock = clock;
    this.random = random;
    this.process = process;
    this.presences = new RedisPresences(() => clock.now);
  }

  get delayMs(): number {
    return this.#plan.delayMs;
  }

  run(script: string, keys: readonly string[], args: readonly string[]): unknown {
    return this.presences.run(script, keys, args);
  }

  connect(): PresenceLine {
    const lines = [new RedisLine(this), new RedisLine(this)] as const;
    this.#lines.add(lines);
    const [commands, subscriber] = lines;
    const { leaseMs, timeoutMs } = this.#plan;
    return {
      store: redisPresenceStore({ commands, subscriber, leaseMs, timeoutMs }),
      die: () => {
        this.#lines.delete(lines);
        for (const line of lines) line.die();
      },
    };
  }

  /** One trouble of so many ms, drawn at random; tells what. */
  trouble(ms: number): string {
    const { random, presences } = this;
    return random.weighted<() => string>([
      [
        this.#lines.size > 0 ? 4 : 0,
        () => this.#lose(random.pick([...this.#lines]), ms, 'a server has lost the store'),
      ],
      [2, () => this.#freeze(ms)],
      [1, () => this.#begin(() => presences.empty(), ms, 'the store is empty')],
      [2, () => this.#begin(() => presences.failOver(), ms, 'the store has lost its last writes')],
    ])();
  }

  #freeze(ms: number): string {
    this.frozenUntil = Math.max(this.frozenUntil, this.clock.now + ms);
    return `the store stands still for ${String(ms)} ms`;
  }

  #begin(change: () => void, ms: number, what: string): string {
    change();
    this.#lost();
    return this.#lose([...this.#lines].flat(), ms, what);
  }

  #lose(lines: readonly RedisLine[], ms: number, what: string): string {
    for (const line of lines) if (line.isReady) line.lose();
    this.clock.after(ms, TROUBLE, () => lines.forEach((line) => line.comeBack()));
    return `${what}, for ${String(ms)} ms`;
  }
}
