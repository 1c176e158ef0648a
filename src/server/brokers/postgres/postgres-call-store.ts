import { isTautlineError } from '../../../errors.ts';
import { resolveNumbers } from '../../app/server-options.ts';
import type {
  CallStore,
  Claim,
  ClaimRequest,
  MemoryName,
  Opened,
  Opening,
  StoredAnswer,
} from '../../calls/call-store.ts';
import { unknownOutcome } from '../../calls/kept-answers.ts';
import { randomName } from '../../random-name.ts';
import { Retries } from '../retries.ts';
import { PostgresConnection, type Rows } from './postgres-connection.ts';
import { checkClients, type PostgresListenClient, type PostgresPool } from './postgres-port.ts';
import { resolvePrefix } from './schema.ts';
import { Turns } from './turns.ts';

/** Options of {@link postgresCallStore}. */
export interface PostgresCallStoreOptions {
  /** A pool of `pg`. May be shared with the app, and with the broker. */
  readonly pool: PostgresPool;
  /** Makes a client of its own for notifications, as that of {@link postgresBroker}. @default one of the pool, which is kept */
  readonly listen?: (() => PostgresListenClient) | undefined;
  /** As it was given to `postgresSchema`. Servers that share something share it. @default 'tautline_' */
  readonly prefix?: string | undefined;
  /** Answers that are remembered for one client, entries; past it the oldest become `UNKNOWN_OUTCOME`. @default 1_152 */
  readonly answers?: number | undefined;
  /** The same in bytes. @default 1_048_576 */
  readonly answerBytes?: number | undefined;
  /** A server that can't say for so long that it lives is dead: what it ran is run by nobody any more, ms. @default 15_000 */
  readonly leaseMs?: number | undefined;
  /** How long PostgreSQL may be away, or take for an answer, before a call that needs it is refused, ms. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Gets what goes wrong where nobody waits for it. @default nothing is told */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What {@link postgresCallStore} gives. */
export interface PostgresCallStore extends CallStore {
  /** `await callStore.connection.ready()` at the start tells what is wrong with the database. */
  readonly connection: NonNullable<CallStore['connection']>;
  close(): Promise<void>;
}

const DEFAULTS = { answers: 1152, answerBytes: 1024 * 1024, leaseMs: 15_000, timeoutMs: 5000 };

/** A lease is renewed so many times in its life. */
const RENEWALS = 3;

/** Memories of clients whose server died without a word are forgotten after this. */
const CONNECTED = '24 hours';

/** Those whose time is over are removed so often, ms. */
const SWEEP_MS = 60_000;

/**
 * Remembers the calls of clients for any number of servers, in PostgreSQL 13 or newer: a mutation, publish or stream that
 * its client sends again, to whichever server, is run once. Costs two statements for each of them, of one client one
 * after the other.
 *
 * A server that dies in the middle of a call leaves it as `UNKNOWN_OUTCOME`; so is each stream that its client asks another
 * server for. When the database takes the place of another, or was restarted where `fsync` is off, it may have lost
 * something: all clients find another name of their memory, and know.
 *
 * The tables are made by a migration, {@link postgresSchema}. The pool stays the app's.
 * @throws TypeError for a pool that is none of `pg`, RangeError for numbers out of range.
 */
export function postgresCallStore(options: PostgresCallStoreOptions): PostgresCallStore {
  return new PgCallStore(options);
}

class PgCallStore implements PostgresCallStore {
  readonly connection: PostgresConnection;
  readonly #numbers: typeof DEFAULTS;
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  readonly #turns: Turns;
  readonly #retries: Retries;
  readonly #watching = new Map<string, Set<() => void>>();
  readonly #timers: ReadonlyArray<ReturnType<typeof setInterval>>;
  /** This process. */
  readonly #node = randomName();
  #claims = 0;
  /** What is asked, and not answered. */
  readonly #running = new Set<Promise<Rows>>();
  #closed = false;

  constructor(options: PostgresCallStoreOptions) {
    const { pool, listen, prefix, answers, answerBytes, leaseMs, timeoutMs } = options;
    this.#numbers = resolveNumbers('postgresCallStore: ', DEFAULTS, { answers, answerBytes, leaseMs, timeoutMs });
    this.#prefix = resolvePrefix('postgresCallStore', prefix);
    checkClients('postgresCallStore', pool, listen);
    this.#onError = options.onError ?? (() => undefined);
    this.#retries = new Retries(this.#onError);
    this.connection = new PostgresConnection({
      owner: 'postgresCallStore',
      channel: 'calls',
      pool,
      listen,
      prefix: this.#prefix,
      timeoutMs: this.#numbers.timeoutMs,
      told: (client) => this.#tell(client),
      begun: () => {
        this.#renew();
        // What was told while the line was away was missed.
        for (const client of [...this.#watching.keys()]) this.#tell(client);
      },
      onError: this.#onError,
    });
    this.#turns = new Turns(this.connection);
    this.connection.start();
    this.#timers = [
      setInterval(() => this.#renew(), Math.ceil(this.#numbers.leaseMs / RENEWALS)),
      setInterval(() => this.#sweep(), SWEEP_MS),
    ];
    // They keep no process alive, where there are processes.
    for (const timer of this.#timers) (timer as Partial<{ unref(): void }>).unref?.();
  }

  async open({ client, identity, n }: Opening): Promise<Opened> {
    const rows = await this.#run(client, 'open', [client, identity, n, randomName(), CONNECTED]);
    const { refused, memory } = rows[0] as { readonly refused: 'identity' | 'older' | null; readonly memory: string };
    return refused === null ? { memory } : { refused };
  }

  async claim(request: ClaimRequest): Promise<Claim> {
    const { client, memory, id, key, idempotent } = request;
    const token = String(++this.#claims);
    const { answers, answerBytes } = this.#numbers;
    const mine = [client, memory, id, key, this.#node, token];
    let rows: Rows;
    try {
      rows = await this.#run(client, 'claim', [
        ...mine,
        idempotent,
        unknownOutcome(id),
        answers,
        answerBytes,
        CONNECTED,
      ]);
    } catch (error) {
      // It may have been done all the same, or be yet, and this server will not run it.
      void this.#answer(request, token, null);
      throw error;
    }
    const { state, message } = rows[0] as { readonly state: Claim['kind'] | 'again'; readonly message: string };
    if (state === 'new' || state === 'again') return { kind: 'new', token, mayHaveRun: state === 'again' };
    return state === 'answered' ? { kind: state, message } : { kind: state };
  }

  answer(answer: StoredAnswer): Promise<void> {
    return this.#answer(answer, answer.token, answer.message);
  }

  async floor({ client, memory }: MemoryName, below: number, except: readonly number[]): Promise<void> {
    await this.#run(client, 'floor', [client, memory, below, except]);
  }

  async leave({ client, memory }: MemoryName, n: number, windowMs: number): Promise<void> {
    await this.#run(client, 'leave', [client, memory, n, `${windowMs} ms`]);
  }

  async forget({ client, memory }: MemoryName, n: number): Promise<void> {
    await this.#run(client, 'leave', [client, memory, n, null]);
  }

  /** Calls back once at the beginning, too: what was told before is missed. */
  watch(client: string, listener: () => void): () => void {
    const entry = (): void => listener();
    const entries = this.#watching.get(client) ?? new Set();
    this.#watching.set(client, entries.add(entry));
    queueMicrotask(() => entries.has(entry) && entry());
    return () => {
      if (entries.delete(entry) && entries.size === 0) this.#watching.delete(client);
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#retries.close();
    try {
      if (this.connection.isUp) await Promise.allSettled(this.#running);
      // What it has claimed and not answered need not wait for the lease to lapse.
      if (this.connection.isUp) await this.connection.probe(this.#call('lease', 2), [this.#node, null]);
    } catch (error) {
      this.#onError(error);
    } finally {
      this.connection.close();
    }
  }

  #answer({ client, memory, id, key }: ClaimRequest, token: string, message: string | null): Promise<void> {
    const { answers, answerBytes } = this.#numbers;
    const values = [client, memory, id, key, this.#node, token, message, answers, answerBytes];
    return this.#retries.untilDone(() => this.#run(client, 'answer', values));
  }

  /** What is asked of one client locks its row: it is asked on one line at a time. */
  #run(client: string, name: string, values: unknown[]): Promise<Rows> {
    const running = this.#turns.run(client, () => this.connection.run(this.#call(name, values.length), values));
    this.#running.add(running);
    return running
      .catch((error: unknown) => {
        // Whether it is away is found out at once.
        if (isTautlineError(error)) this.#renew();
        throw error;
      })
      .finally(() => this.#running.delete(running));
  }

  #call(name: string, count: number): string {
    const values = Array.from({ length: count }, (_, index) => `$${index + 1}`);
    return `SELECT * FROM ${this.#prefix}${name}(${values.join(', ')})`;
  }

  #tell(client: string): void {
    for (const entry of [...(this.#watching.get(client) ?? [])]) entry();
  }

  /** On the line for notifications: one that does not answer is found out. */
  #renew(): void {
    if (this.#closed || !this.connection.isUp) return;
    const life = `${this.#numbers.leaseMs} ms`;
    this.connection.probe(this.#call('lease', 2), [this.#node, life]).catch(this.#onError);
  }

  #sweep(): void {
    if (this.connection.isUp) this.connection.run(this.#call('sweep_clients', 0), []).catch(this.#onError);
  }
}
