import { resolveNumbers } from '../../app/server-options.ts';
import type { PresenceStore } from '../../presence/presence-store.ts';
import {
  FORGET_SERVER,
  HELD,
  HOLD,
  LAPSED,
  LIST_SERVER,
  MEMBERS,
  RELEASE,
  RENEW,
  REPLACE_MEMBER,
} from './presence-scripts.ts';
import { RedisConnection } from './redis-connection.ts';
import { redisClients, type RedisClients } from './redis-port.ts';

/** Options of {@link redisPresenceStore}. */
export interface RedisPresenceStoreOptions extends RedisClients {
  /**
   * A server that can't say for so long that it lives is dead: another tells that those who were on it have left, unless
   * they are on another by then, ms. @default 10_000
   */
  readonly leaseMs?: number | undefined;
  /** How long Redis may be away, or take for an answer, before a step is given up, and tried again later, ms. @default 5_000 */
  readonly timeoutMs?: number | undefined;
}

const DEFAULTS = { leaseMs: 10_000, timeoutMs: 5000 };

/**
 * Keeps who is in a `presence()` for any number of servers, in Redis 6.2 or newer, or Valkey. Somebody with tabs on two
 * servers is there once; the people of a server that died have left when its lease is over.
 *
 * The clients stay the app's, and may be those of `redisBroker`.
 * @throws TypeError for a client that is neither of `redis` nor of `ioredis`, RangeError for numbers out of range.
 */
export function redisPresenceStore(options: RedisPresenceStoreOptions): RedisPresenceStore {
  return new RedisStore(options);
}

/** A {@link PresenceStore} in Redis. */
export interface RedisPresenceStore extends PresenceStore {
  /** Lets go of the clients, after the server is closed. */
  close(): void;
}

class RedisStore implements RedisPresenceStore {
  readonly leaseMs: number;
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  /** Of Redis, when a lease was renewed last. */
  #history: string | undefined;

  constructor({ leaseMs, timeoutMs, ...clients }: RedisPresenceStoreOptions) {
    const numbers = resolveNumbers('redisPresenceStore: ', DEFAULTS, { leaseMs, timeoutMs });
    const { commands, subscriber, prefix } = redisClients('redisPresenceStore', clients);
    this.leaseMs = numbers.leaseMs;
    this.#prefix = `${prefix}here:`;
    this.#connection = new RedisConnection('redisPresenceStore', numbers.timeoutMs, commands, subscriber);
  }

  async replace(topic: string, member: string, stored: string, instead: string): Promise<string> {
    return (await this.#run(REPLACE_MEMBER, `in:${topic}`, member, stored, instead)) as string;
  }

  async members(topic: string): Promise<Array<[string, string]>> {
    const found = (await this.#run(MEMBERS, `in:${topic}`)) as readonly string[];
    return Array.from({ length: found.length / 2 }, (_, at) => [found[2 * at]!, found[2 * at + 1]!]);
  }

  async hold(server: string, topic: string, member: string): Promise<void> {
    await this.#run(LIST_SERVER, 'leases', server, String(this.leaseMs));
    await this.#run(HOLD, `of:${server}`, JSON.stringify([topic, member]));
  }

  async release(server: string, topic: string, member: string): Promise<void> {
    await this.#run(RELEASE, `of:${server}`, JSON.stringify([topic, member]));
  }

  async held(server: string): Promise<Array<[string, string]>> {
    const found = (await this.#run(HELD, `of:${server}`)) as readonly string[];
    return found.map((pair) => JSON.parse(pair) as [string, string]);
  }

  async renew(server: string): Promise<boolean> {
    const renewed = await this.#run(RENEW, 'leases', server, String(this.leaseMs));
    const [wasGood, history] = renewed as [number | string, string];
    const isSame = this.#history === undefined || this.#history === history;
    this.#history = history;
    return isSame && Number(wasGood) === 1;
  }

  async lapsed(): Promise<readonly string[]> {
    return (await this.#run(LAPSED, 'leases')) as readonly string[];
  }

  async forget(server: string): Promise<void> {
    await this.#run(FORGET_SERVER, 'leases', server);
  }

  close(): void {
    this.#connection.close();
  }

  #run(script: string, key: string, ...args: readonly string[]): Promise<unknown> {
    return this.#connection.run(script, [`${this.#prefix}${key}`], args);
  }
}
