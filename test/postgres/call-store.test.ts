import pg from 'pg';
import { afterAll, afterEach, beforeAll, onTestFinished } from 'vitest';
import { postgresCallStore, postgresSchema } from '../../src/server/postgres.ts';
import { describeCallStore } from '../helpers/describe-call-store.ts';
import { PostgresServer } from './postgres-server.ts';

const postgres = new PostgresServer();

beforeAll(async () => {
  await postgres.create();
  await postgres.admin.query(postgresSchema());
});
afterEach(async () => {
  postgres.thaw();
  await postgres.admin.query('TRUNCATE tautline_clients, tautline_calls, tautline_nodes');
});
afterAll(() => postgres.remove());

const OWN_LINE = 'a client of its own for notifications';

async function one<T>(sql: string, ...values: unknown[]): Promise<T | undefined> {
  const { rows } = await postgres.admin.query<{ value: T }>(`SELECT ${sql}`, values);
  return rows[0]?.value;
}

describeCallStore({
  kinds: ['one pool', OWN_LINE],
  storeOf: async (kind, bounds) => {
    const pool = new pg.Pool(postgres.config);
    pool.on('error', () => undefined);
    const listen = kind === OWN_LINE ? () => new pg.Client(postgres.config) : undefined;
    const store = postgresCallStore({ pool, listen, ...bounds });
    onTestFinished(async () => {
      await store.close();
      await pool.end();
    });
    await store.connection.ready();
    return store;
  },
  ask: () => one('1 AS value'),
  stateOf: (client, id) =>
    one(
      `CASE WHEN message IS NOT NULL THEN 'answered' WHEN is_free THEN 'free' ELSE 'runs' END AS value
        FROM tautline_calls WHERE client = $1 AND id = $2`,
      client,
      id,
    ),
  ids: async (client) =>
    (await one<number[]>('array_agg(id::integer) AS value FROM tautline_calls WHERE client = $1', client))!,
  bytes: async (client) => Number(await one('bytes AS value FROM tautline_clients WHERE client = $1', client)),
  memoryOf: (client) => one('memory AS value FROM tautline_clients WHERE client = $1', client),
  leftMs: async (client) => {
    const left = 'extract(epoch FROM expires_at - clock_timestamp()) * 1000';
    return Number(await one(`${left} AS value FROM tautline_clients WHERE client = $1`, client));
  },
  tell: (client) => one(`pg_notify('tautline_calls', $1)::text AS value`, client),
  isAwaited: async (client) =>
    (await one<boolean>('bool_or(is_awaited) AS value FROM tautline_calls WHERE client = $1', client)) === true,
  kill: () => postgres.admin.query('DELETE FROM tautline_nodes'),
  leases: async () => Number(await one('count(*) AS value FROM tautline_nodes')),
  save: () => postgres.admin.query('CHECKPOINT'),
  restart: async () => {
    await postgres.kill();
    await postgres.start();
  },
  freeze: () => postgres.freeze(),
  thaw: () => postgres.thaw(),
});
