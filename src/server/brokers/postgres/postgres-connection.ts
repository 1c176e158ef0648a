import { TautlineError } from '../../../errors.ts';
import type { BrokerConnection } from '../broker.ts';
import { TimeLimits } from '../time-limits.ts';
import { ListenLine, lineOpener, type OpenLine } from './listen-line.ts';
import {
  borrow,
  sqlState,
  type PostgresClient,
  type PostgresListenClient,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresTransaction,
} from './postgres-port.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** A pool that could not connect is asked again after this time, ms. */
const AGAIN_MS = 100;

/** A table or a function is not there. */
const MISSING: readonly unknown[] = ['42P01', '42883', '3F000'];

/** Rows of an answer. */
export type Rows = ReadonlyArray<Readonly<Record<string, unknown>>>;

/** What a {@link PostgresConnection} is made with. */
export interface PostgresConnectionOptions {
  /** Begins each message. */
  readonly owner: string;
  /** Notifications come on it; the prefix is before its name. */
  readonly channel: string;
  readonly pool: PostgresPool;
  readonly listen: (() => PostgresListenClient) | undefined;
  readonly prefix: string;
  readonly timeoutMs: number;
  /** Hears each notification. */
  readonly told: (payload: string) => void;
  /** Notifications come, from now on. */
  readonly begun: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * The way to PostgreSQL: waits, for a while, for it to be there and for what it answers. It is there as long as the line
 * for notifications is, which has to answer each time that it is asked.
 */
export class PostgresConnection implements BrokerConnection {
  readonly #options: PostgresConnectionOptions;
  readonly #limits: TimeLimits;
  readonly #line: ListenLine;
  readonly #listeners = new Set<() => void>();
  /** The tables that have to be there are not, as far as it is known. */
  #fault: Error | undefined;

  constructor(options: PostgresConnectionOptions) {
    this.#options = options;
    const { pool, listen, told, onError, begun } = options;
    this.#limits = new TimeLimits(options.owner, options.timeoutMs);
    const open = lineOpener(pool, listen);
    this.#line = new ListenLine({
      open: () => this.#inTimeOrNever(open()),
      begin: (client) => this.#inTime(this.#begin(client)),
      told,
      failed: onError,
      changed: () => {
        for (const listener of [...this.#listeners]) listener();
        if (this.isUp) begun();
      },
    });
  }

  get isUp(): boolean {
    return this.#line.isUp;
  }

  start(): void {
    this.#line.start();
  }

  onChange(listener: () => void): () => void {
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  async ready(): Promise<void> {
    if (this.isUp) return;
    let undo!: () => void;
    const up = new Promise<void>((resolve, reject) => {
      const look = (): void => (this.isUp ? resolve() : this.#fault && reject(this.#fault));
      undo = this.onChange(look);
      look();
    });
    await this.#there(up).finally(undo);
  }

  /**
   * Asks on a line of the pool.
   * @throws TautlineError `OFFLINE`, not sent; `TIMEOUT` or `DISCONNECTED`, unknown; `CLOSED`. What PostgreSQL refuses, as
   * it was thrown
   */
  async run(text: string, values: unknown[]): Promise<Rows> {
    const client = await this.#client();
    let isBroken = true;
    try {
      const { rows } = await this.#inTime(client.query(text, values));
      isBroken = false;
      return rows;
    } catch (error) {
      isBroken = sqlState(error) === undefined;
      throw this.#explained(error);
    } finally {
      client.release(isBroken);
    }
  }

  /** Asks within a transaction of the app's. @throws as {@link PostgresConnection.run} */
  async within(tx: PostgresTransaction, text: string, values: unknown[]): Promise<Rows> {
    try {
      return (await this.#inTime(tx.query(text, values))).rows;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Asks on the line for notifications, which is made anew where it does not answer. */
  async probe(text: string, values: unknown[]): Promise<Rows> {
    try {
      return (await this.#inTime(this.#line.query(text, values))).rows;
    } catch (error) {
      if (!this.#limits.isClosed && sqlState(error) === undefined) this.#line.drop(error);
      throw error;
    }
  }

  /** Waits for the turn of something that was not sent. @throws TautlineError `TIMEOUT`, not sent */
  turn(coming: Promise<void>): Promise<void> {
    return this.#limits.wait(coming, 'not-sent', () => this.#late('others before it took', 'not-sent'));
  }

  /** Lets those go who wait, as `CLOSED`, and ends its line. */
  close(): void {
    this.#listeners.clear();
    this.#line.close();
    this.#limits.close();
  }

  async #begin(client: PostgresClient): Promise<void> {
    const { prefix } = this.#options;
    try {
      const { rows } = await client.query(`SELECT ${prefix}version() AS version`, []);
      this.#fault = rows[0]?.version === SCHEMA_VERSION ? undefined : this.#schemaFault('other tables');
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#fault = this.#schemaFault('no tables', error);
    }
    if (this.#fault !== undefined) {
      for (const listener of [...this.#listeners]) listener();
      throw this.#fault;
    }
    await client.query(`LISTEN "${prefix}${this.#options.channel}"`, []);
  }

  async #client(): Promise<PostgresPoolClient> {
    const coming = this.#lent();
    try {
      return await this.#there(coming.client);
    } catch (error) {
      coming.giveUp();
      throw error;
    }
  }

  /** A client of the pool, which is asked until it has one. */
  #lent(): { readonly client: Promise<PostgresPoolClient>; giveUp(): void } {
    let isTooLate = false;
    let why: unknown;
    const ask = async (): Promise<PostgresPoolClient> => {
      for (;;) {
        try {
          return await borrow(this.#options.pool);
        } catch (error) {
          why = error;
          if (isTooLate) throw error;
          await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        }
      }
    };
    const client = ask();
    const giveUp = (): void => {
      isTooLate = true;
      client.then(
        (late) => late.release(),
        () => undefined,
      );
      if (why !== undefined) this.#options.onError(why);
    };
    return { client, giveUp };
  }

  /** What comes too late is let go. */
  async #inTimeOrNever(opening: Promise<OpenLine>): Promise<OpenLine> {
    try {
      return await this.#there(opening);
    } catch (error) {
      opening.then(
        (line) => line.end(),
        () => undefined,
      );
      throw error;
    }
  }

  #inTime<T>(asked: Promise<T>): Promise<T> {
    return this.#limits.wait(asked, 'unknown', () => this.#late('PostgreSQL did not answer', 'unknown'));
  }

  #late(what: string, outcome: 'unknown' | 'not-sent'): Error {
    return new TautlineError('TIMEOUT', `${this.#options.owner}: ${what} for ${this.#options.timeoutMs} ms`, {
      outcome,
    });
  }

  #there<T>(coming: Promise<T>): Promise<T> {
    return this.#limits.wait(coming, 'not-sent', () => {
      const message = `${this.#options.owner}: PostgreSQL is not connected for ${this.#options.timeoutMs} ms`;
      return new TautlineError('OFFLINE', message, { outcome: 'not-sent', retryable: true });
    });
  }

  #explained(error: unknown): unknown {
    if (error instanceof TautlineError) return error;
    if (isMissing(error)) return this.#schemaFault('no tables', error);
    if (sqlState(error) !== undefined) return error;
    const message = `${this.#options.owner}: the connection was lost before PostgreSQL had answered`;
    return new TautlineError('DISCONNECTED', message, { outcome: 'unknown', cause: error });
  }

  #schemaFault(what: string, cause?: unknown): Error {
    const { owner, prefix } = this.#options;
    const call = prefix === 'tautline_' ? 'postgresSchema()' : `postgresSchema({ prefix: '${prefix}' })`;
    const message = `${owner}: the database has ${what} ${prefix}*: run the SQL that ${call} gives, as a migration`;
    return new Error(message, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return MISSING.includes(sqlState(error));
}
