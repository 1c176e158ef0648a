import pg from 'pg';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { postgresBroker, postgresSchema } from '../../src/server/postgres.ts';
import { describeBroker } from '../../src/testing/broker.ts';
import { PostgresServer } from './postgres-server.ts';

const postgres = new PostgresServer();
beforeAll(async () => {
  await postgres.create();
  await postgres.admin.query(postgresSchema());
});
afterAll(() => postgres.remove());

describe.each([
  ['one client of the pool listens', false],
  ['one of its own listens', true],
])('PostgreSQL, %s', (_name, isOwn) => {
  describeBroker({ describe, test }, 'the broker', ({ history }) => {
    const pools = [new pg.Pool(postgres.config), new pg.Pool(postgres.config)] as const;
    const listen = isOwn ? () => new pg.Client(postgres.config) : undefined;
    const [one, other] = pools.map((pool) => postgresBroker({ pool, listen, history }));
    return {
      one: one!,
      other: other!,
      end: async () => {
        await Promise.all(pools.map((pool) => pool.end()));
      },
    };
  });
});
