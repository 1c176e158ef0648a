import type { Position } from '../../../protocol/messages.ts';
import { resolveNumbers } from '../../app/server-options.ts';
import type { Broker, BrokerConnection, Feed, FeedListener, PublishOptions } from '../broker.ts';
import type { Found, Head, MarkedEvent } from '../followed-topic.ts';
import { FollowedTopics } from '../followed-topics.ts';
import { PostgresConnection } from './postgres-connection.ts';
import {
  checkClients,
  type PostgresListenClient,
  type PostgresPool,
  type PostgresTransaction,
} from './postgres-port.ts';
import { resolvePrefix } from './schema.ts';
import { Turns } from './turns.ts';

/** Options of {@link postgresBroker}. */
export interface PostgresBrokerOptions {
  /** A pool of `pg`. May be shared with the app. */
  readonly pool: PostgresPool;
  /**
   * Makes a client of its own for notifications, `() => new pg.Client(config)`: where the pool goes through a pooler that
   * shares connections, such as PgBouncer, this one must not. @default one of the pool, which is kept
   */
  readonly listen?: (() => PostgresListenClient) | undefined;
  /** As it was given to `postgresSchema`. Servers that share something share it. @default 'tautline_' */
  readonly prefix?: string | undefined;
  /** How much of each topic can be caught up with. The same on all servers. */
  readonly history?: {
    /** Publications. @default 1_000 */
    readonly size?: number | undefined;
    /** How long after the last publication, ms; up to a tenth longer. @default 300_000 */
    readonly ttlMs?: number | undefined;
  };
  /** How long PostgreSQL may be away, or take for an answer, before what was asked of it fails, ms. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** How often each followed topic is compared with its row, for what no notification told, ms. @default 2_000 */
  readonly checkMs?: number | undefined;
  /** Gets what goes wrong where nobody waits for it, such as a comparison that fails. @default nothing is told */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What {@link postgresBroker} gives. */
export interface PostgresBroker extends Broker {
  /** `await broker.connection.ready()` at the start tells what is wrong with the database. */
  readonly connection: BrokerConnection;
  publish(topic: string, payload: string, options?: PublishOptions): Promise<Position>;
  subscribe(topic: string, listener: FeedListener): Promise<Feed>;
  close(): void;
}

const DEFAULTS = { size: 1000, ttlMs: 300_000, timeoutMs: 5000, checkMs: 2000 };

/** So many topics are compared with their rows at once. */
const COMPARED = 500;

/** So many times as long as its publications the count of a topic is kept: a position is good that long. */
const COUNT_LIVES = 12;

/** Of `ttlMs`: so long after it what is too old is still there, at most. */
const SWEEP_PART = 0.1;

/**
 * Carries publications between any number of servers through PostgreSQL 13 or newer. A publication is a row, and may be
 * part of a transaction of the app: `publish(event, { tx: client })`. Then it is there when the transaction is committed,
 * in the order of commits, and never when it is rolled back. What a connection missed is read from the history.
 *
 * The tables are made by a migration, {@link postgresSchema}. The pool stays the app's: it listens to its `error` events,
 * and ends it after the server.
 * @throws TypeError for a pool that is none of `pg`, RangeError for numbers out of range.
 */
export function postgresBroker(options: PostgresBrokerOptions): PostgresBroker {
  return new PgBroker(options);
}

class PgBroker implements PostgresBroker {
  readonly isShared = true;
  readonly hasTransactions = true;
  readonly connection: PostgresConnection;
  readonly #numbers: typeof DEFAULTS;
  readonly #onError: (error: unknown) => void;
  readonly #topics: FollowedTopics;
  readonly #statements: ReturnType<typeof statements>;
  readonly #turns: Turns;
  readonly #timers: ReadonlyArray<ReturnType<typeof setInterval>>;
  #isComparing = false;

  constructor({ pool, listen, prefix: given, history, timeoutMs, checkMs, onError }: PostgresBrokerOptions) {
    this.#numbers = resolveNumbers('postgresBroker: ', DEFAULTS, { ...history, timeoutMs, checkMs });
    const prefix = resolvePrefix('postgresBroker', given);
    checkClients('postgresBroker', pool, listen);
    this.#onError = onError ?? (() => undefined);
    this.#statements = statements(prefix);
    this.#topics = new FollowedTopics(
      {
        listen: () => this.connection.ready(),
        leave: () => undefined,
        head: (name, known) => this.#head(name, known),
        read: (name, after, limit) => this.#read(name, after, limit, this.#numbers.size),
        catchUp: (name, after, limit) => this.#read(name, after, limit, Number.MAX_SAFE_INTEGER),
      },
      this.#onError,
    );
    this.connection = new PostgresConnection({
      owner: 'postgresBroker',
      channel: 'events',
      pool,
      listen,
      prefix,
      timeoutMs: this.#numbers.timeoutMs,
      told: (payload) => this.#told(payload),
      begun: () => this.#check(),
      onError: this.#onError,
    });
    this.#turns = new Turns(this.connection);
    this.connection.start();
    this.#timers = [
      setInterval(() => this.#check(), this.#numbers.checkMs),
      setInterval(() => this.#sweep(), Math.ceil(this.#numbers.ttlMs * SWEEP_PART)),
    ];
    // They keep no process alive, where there are processes.
    for (const timer of this.#timers) (timer as Partial<{ unref(): void }>).unref?.();
  }

  async publish(name: string, payload: string, { key, tx }: PublishOptions = {}): Promise<Position> {
    const values = [name, new TextEncoder().encode(payload), key ?? null, this.#numbers.size];
    const { publish } = this.#statements;
    const rows =
      tx === undefined
        ? await this.#turns.run(name, () => this.connection.run(publish, values))
        : await this.connection.within(tx as PostgresTransaction, publish, values);
    const { epoch, offset } = rows[0]!;
    return [String(epoch), Number(offset)];
  }

  subscribe(name: string, listener: FeedListener): Promise<Feed> {
    return this.#topics.subscribe(name, listener);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#topics.close();
    this.connection.close();
  }

  /** A notification: `offset:topic`, or nothing where the name was too long for it. */
  #told(payload: string): void {
    const at = payload.indexOf(':');
    if (at < 0) this.#topics.look();
    else this.#topics.get(payload.slice(at + 1))?.told(Number(payload.slice(0, at)));
  }

  #check(): void {
    if (this.#isComparing || !this.connection.isUp) return;
    this.#isComparing = true;
    this.#compareAll()
      .catch(this.#onError)
      .finally(() => (this.#isComparing = false));
  }

  async #compareAll(): Promise<void> {
    const { names } = this.#topics;
    // Where no topic is followed, it is asked all the same whether it answers.
    do await this.#compare(names.splice(0, COMPARED));
    while (names.length > 0);
  }

  async #compare(names: readonly string[]): Promise<void> {
    const known = names.map((name) => this.#topics.get(name));
    const rows = await this.connection.probe(this.#statements.compare, [names, `${this.#numbers.ttlMs} ms`]);
    const found = new Map(rows.map((row) => [row.topic, row]));
    known.forEach((topic, index) => {
      const { epoch = '', head = 0, mark = '' } = found.get(names[index]) ?? {};
      topic?.compare([String(epoch), Number(head)], String(mark));
    });
  }

  #sweep(): void {
    const { ttlMs } = this.#numbers;
    const values = [`${ttlMs} ms`, `${ttlMs * COUNT_LIVES} ms`];
    if (this.connection.isUp) this.connection.run(this.#statements.sweep, values).catch(this.#onError);
  }

  async #head(name: string, { position, mark }: Head | { position?: never; mark?: never } = {}): Promise<Head> {
    const rows = await this.connection.run(this.#statements.head, [name, ...(position ?? ['', 0]), mark ?? '']);
    const { epoch, head, mark: last } = rows[0]!;
    return { position: [String(epoch), Number(head)], mark: String(last) };
  }

  /** Of the last `size`: the table may have more. */
  async #read(name: string, [epoch, offset]: Position, limit: number, size: number): Promise<Found> {
    const rows = await this.connection.run(this.#statements.read, [name, epoch, offset, limit, size]);
    const { epoch: now = '', head: last = 0, oldest: first = 1 } = rows[0] ?? {};
    const head: Position = [String(now), Number(last)];
    const oldest = Number(first);
    const isCovered = epoch === now && offset <= head[1] && offset + 1 >= oldest;
    return { head, oldest, events: isCovered ? events(rows, offset) : undefined };
  }
}

/** `undefined` where some are missing. */
function events(rows: ReadonlyArray<Readonly<Record<string, unknown>>>, after: number): MarkedEvent[] | undefined {
  // One row says that there is none.
  const found = rows.filter((row) => row.offset !== null);
  if (found.some((row, index) => Number(row.offset) !== after + 1 + index)) return undefined;
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  return found.map((row, index) => ({
    offset: after + 1 + index,
    payload: utf8.decode(row.payload as Uint8Array),
    mark: String(row.mark),
  }));
}

function statements(prefix: string): Record<'publish' | 'head' | 'read' | 'compare' | 'sweep', string> {
  const [topics, stored] = [`${prefix}topics`, `${prefix}events`];
  return {
    publish: `SELECT its_epoch AS epoch, its_offset AS "offset" FROM ${prefix}publish($1, $2, $3, $4)`,
    head: `SELECT epoch, head, mark FROM ${prefix}head($1, $2, $3, $4)`,
    read: `SELECT t.epoch, t.head, e."offset", e.payload, e.mark,
        greatest(
          coalesce((SELECT min(o."offset") FROM ${stored} o WHERE o.topic = t.topic), t.head + 1), t.head - $5::bigint + 1
        ) AS oldest
      FROM ${topics} t LEFT JOIN LATERAL (
        SELECT * FROM ${stored} s WHERE s.topic = t.topic AND t.epoch = $2 AND s."offset" > $3
        ORDER BY s."offset" LIMIT $4
      ) e ON true WHERE t.topic = $1 ORDER BY e."offset"`,
    // A topic that is followed is in use; one that somebody publishes to at the moment says so itself.
    compare: `WITH used AS (
        UPDATE ${topics} SET used_at = now() WHERE topic IN (
          SELECT topic FROM ${topics} WHERE topic = ANY($1) AND used_at < now() - $2::interval FOR UPDATE SKIP LOCKED
        )
      ) SELECT topic, epoch, head, mark FROM ${topics} WHERE topic = ANY($1)`,
    sweep: `SELECT ${prefix}sweep($1, $2)`,
  };
}
