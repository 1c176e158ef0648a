/** What a query gives. */
export interface PostgresResult {
  /** Its rows, by the names of their columns. */
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>;
}

/** A transaction of the app: a connected client of the package `pg` (8), after its `BEGIN`; or anything that queries so. */
export interface PostgresTransaction {
  /** Runs one statement. */
  query(text: string, values: unknown[]): Promise<PostgresResult>;
}

/** A client of the package `pg` (8), as far as it is used here. */
export interface PostgresClient extends PostgresTransaction {
  /** Hears each notification of the channels that it listens to. */
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown;
  /** Hears that its line is lost. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Hears that its line is gone. */
  on(event: 'end', listener: () => void): unknown;
}

/** A client that is lent by a pool. */
export interface PostgresPoolClient extends PostgresClient {
  /** Gives it back; with `true` its line is ended. */
  release(destroy?: boolean): void;
}

/** A pool of the package `pg` (8), as far as it is used here. */
export interface PostgresPool {
  /** Lends a connected client. */
  connect(callback: (error: Error | undefined, client: PostgresPoolClient | undefined) => void): void;
}

/** A client of the package `pg` (8) that is not connected yet. */
export interface PostgresListenClient extends PostgresClient {
  /** Connects it. */
  connect(): Promise<unknown>;
  /** Ends its line. */
  end(): Promise<unknown>;
}

/** @throws TypeError for what can't work */
export function checkClients(owner: string, pool: unknown, listen: unknown): void {
  if (typeof (pool as Partial<PostgresPool> | undefined)?.connect !== 'function') {
    throw new TypeError(`${owner}: pool must be a pool of pg: new pg.Pool(…)`);
  }
  if (listen !== undefined && typeof listen !== 'function') {
    throw new TypeError(`${owner}: listen must be a function that makes a client: () => new pg.Client(…)`);
  }
}

/** Clients of pools that have a listener of ours. */
const LENT = new WeakSet<PostgresPoolClient>();

/**
 * Borrows a client of a pool. One whose line is lost while it is lent tells so, and ends the process where nobody listens:
 * so somebody does from the moment on at which the pool does no more.
 */
export function borrow(pool: PostgresPool): Promise<PostgresPoolClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) return reject(error ?? new Error('the pool gave no client'));
      if (!LENT.has(client)) client.on('error', () => undefined);
      LENT.add(client);
      resolve(client);
    });
  });
}

/** Code of an error of PostgreSQL, SQLSTATE, where it is one and the line goes on. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  const isState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code) && code !== 'EPIPE';
  return isState ? code : undefined;
}
