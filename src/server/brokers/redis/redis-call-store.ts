import { unknownOutcome } from '../../calls/kept-answers.ts';
import type {
  CallStore,
  Claim,
  ClaimRequest,
  MemoryName,
  Opened,
  Opening,
  StoredAnswer,
} from '../../calls/call-store.ts';
import { resolveNumbers } from '../../app/server-options.ts';
import { randomName } from '../../random-name.ts';
import { Retries } from '../retries.ts';
import { CLAIM, FLOOR, FORGET, LEASE, LEAVE, LIVES, OPEN_MEMORY, REPLACE } from './call-scripts.ts';
import { ChannelWatch } from './channel-watch.ts';
import { RedisConnection } from './redis-connection.ts';
import { redisClients, type RedisClients } from './redis-port.ts';

/** Options of {@link redisCallStore}. */
export interface RedisCallStoreOptions extends RedisClients {
  /** Answers that are remembered for one client, entries; past it the oldest become `UNKNOWN_OUTCOME`. @default 1_152 */
  readonly answers?: number | undefined;
  /** The same in bytes. @default 1_048_576 */
  readonly answerBytes?: number | undefined;
  /** A server that can't say for so long that it lives is dead: what it ran is run by nobody any more, ms. @default 15_000 */
  readonly leaseMs?: number | undefined;
  /** How long Redis may be away, or take for an answer, before a call that needs it is refused, ms. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Gets what goes wrong where nobody waits for it. @default nothing is told */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const DEFAULTS = { answers: 1152, answerBytes: 1024 * 1024, leaseMs: 15_000, timeoutMs: 5000 };

/** A lease is renewed so many times in its life. */
const RENEWALS = 3;

/** Memories of clients whose server died without a word are forgotten after this, ms. */
const CONNECTED_MS = 24 * 3600 * 1000;

/**
 * Remembers the calls of clients for any number of servers, in Redis 6.2 or newer, or Valkey: a mutation, publish or stream
 * that its client sends again, to whichever server, is run once. Costs two steps in Redis for each of them.
 *
 * A server that dies in the middle of a call leaves it as `UNKNOWN_OUTCOME`; so is each stream that its client asks another
 * server for. When Redis is restarted, or another takes its place, it may have lost something: all clients find another
 * name of their memory, and know.
 *
 * The clients stay the app's, and may be those of {@link redisBroker}.
 * @throws TypeError for a client that is neither of `redis` nor of `ioredis`, RangeError for numbers out of range.
 */
export function redisCallStore(options: RedisCallStoreOptions): CallStore {
  return new RedisCallStore(options);
}

class RedisCallStore implements CallStore {
  readonly connection: RedisConnection;
  readonly #prefix: string;
  readonly #numbers: typeof DEFAULTS;
  readonly #onError: (error: unknown) => void;
  readonly #answers: ChannelWatch;
  /** This process. */
  readonly #node = randomName();
  #claims = 0;
  #closed = false;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #retries: Retries;

  constructor({ onError, answers, answerBytes, leaseMs, timeoutMs, ...clients }: RedisCallStoreOptions) {
    this.#numbers = resolveNumbers('redisCallStore: ', DEFAULTS, { answers, answerBytes, leaseMs, timeoutMs });
    this.#onError = onError ?? (() => undefined);
    this.#retries = new Retries(this.#onError);
    const { commands, subscriber, prefix } = redisClients('redisCallStore', clients);
    this.#prefix = `${prefix}calls:`;
    this.connection = new RedisConnection('redisCallStore', this.#numbers.timeoutMs, commands, subscriber);
    this.#answers = new ChannelWatch(subscriber, this.#onError);
    commands.onReady(() => this.#renew());
    this.#timer = setInterval(() => this.#renew(), Math.ceil(this.#numbers.leaseMs / RENEWALS));
    // It keeps no process alive, where there are processes.
    (this.#timer as Partial<{ unref(): void }>).unref?.();
    if (commands.isReady) this.#renew();
  }

  async open({ client, identity, n }: Opening): Promise<Opened> {
    const args = [identity, String(n), randomName(), String(CONNECTED_MS)];
    const [refused, memory] = (await this.#run(OPEN_MEMORY, client, args)) as ['' | 'identity' | 'older', string];
    return refused === '' ? { memory } : { refused };
  }

  async claim(request: ClaimRequest): Promise<Claim> {
    const { client, memory, id, key } = request;
    const token = `r${this.#node}:${++this.#claims}`;
    const mine = `${token}\n${key}`;
    const { answers, answerBytes } = this.#numbers;
    const args = [memory, String(id), mine, String(answers), String(answerBytes), String(CONNECTED_MS)];
    let found: [state: 'gone' | 'unknown' | 'new' | 'known', stored: string];
    try {
      found = (await this.#run(CLAIM, client, args)) as typeof found;
    } catch (error) {
      // It may have been done all the same, and this server will not run it.
      this.#retries.untilDone(() => this.#replace(request, mine, '')).catch(this.#onError);
      throw error;
    }
    const [state, stored] = found;
    if (state === 'new') return { kind: 'new', token };
    return state === 'known' ? this.#known(request, stored, token) : { kind: state };
  }

  async answer(answer: StoredAnswer): Promise<void> {
    const { key, token, message } = answer;
    await this.#retries.untilDone(() => this.#replace(answer, `${token}\n${key}`, this.#stored(answer, message)));
  }

  async floor({ client, memory }: MemoryName, below: number, except: readonly number[]): Promise<void> {
    await this.#run(FLOOR, client, [memory, String(below), ...except.map(String)]);
  }

  async leave({ client, memory }: MemoryName, n: number, windowMs: number): Promise<void> {
    await this.#run(LEAVE, client, [memory, String(n), String(windowMs)]);
  }

  async forget({ client, memory }: MemoryName, n: number): Promise<void> {
    await this.#run(FORGET, client, [memory, String(n)]);
  }

  watch(client: string, listener: () => void): () => void {
    return this.#answers.watch(this.#channel(client), listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#retries.close();
    try {
      // What it has claimed and not answered need not wait for the lease to lapse.
      if (this.connection.isUp) await this.connection.run(LEASE, [this.#lease(this.#node)], ['']);
    } catch (error) {
      this.#onError(error);
    } finally {
      this.connection.close();
    }
  }

  /** What is stored of an id says what is to be done. */
  async #known(request: ClaimRequest, stored: string, token: string): Promise<Claim> {
    const { id, key, idempotent } = request;
    if (stored.startsWith('a')) {
      const begin = this.#stored(request, '');
      return stored.startsWith(begin) ? { kind: 'answered', message: stored.slice(begin.length) } : { kind: 'other' };
    }
    const owner = stored.slice(0, stored.indexOf('\n'));
    if (stored !== `${owner}\n${key}`) return { kind: 'other' };
    // Some clients send again by themselves what was lost with a line: then it was claimed a moment ago.
    if (owner === token) return { kind: 'new', token };
    const [node] = owner.slice(1).split(':') as [string];
    if (node === this.#node) return { kind: 'running' };
    const lives = await this.connection.run(LIVES, [this.#lease(node)], []);
    if (Number(lives) === 1) return { kind: 'running' };
    const instead = idempotent ? `${token}\n${key}` : this.#stored(request, unknownOutcome(id));
    const now = await this.#replace(request, stored, instead);
    if (now === '') return { kind: 'unknown' };
    const claim = await this.#known(request, now, token);
    return claim.kind === 'new' ? { ...claim, mayHaveRun: true } : claim;
  }

  #replace({ client, memory, id }: ClaimRequest, stored: string, instead: string): Promise<string> {
    const { answers, answerBytes } = this.#numbers;
    const args = [memory, String(id), stored, instead, String(answers), String(answerBytes), this.#channel(client)];
    return this.#run(REPLACE, client, args) as Promise<string>;
  }

  #stored({ key }: ClaimRequest, message: string): string {
    return `a${key}\n${message}`;
  }

  #run(script: string, client: string, args: readonly string[]): Promise<unknown> {
    return this.connection.run(script, [`${this.#prefix}{${client}}`], args);
  }

  #channel(client: string): string {
    return `${this.#prefix}{${client}}`;
  }

  #lease(node: string): string {
    return `${this.#prefix}node:${node}`;
  }

  #renew(): void {
    this.connection.look();
    if (this.#closed) return;
    this.connection.run(LEASE, [this.#lease(this.#node)], [String(this.#numbers.leaseMs)]).catch(this.#onError);
  }
}
