import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import {
  borrow,
  type PostgresPool,
  type PostgresPoolClient,
} from '../../../src/server/brokers/postgres/postgres-port.ts';

test('a client whose line is lost at the moment at which the pool lends it ends no process', async () => {
  const client = new EventEmitter() as EventEmitter & PostgresPoolClient;
  const pool: PostgresPool = {
    connect: (callback) => {
      callback(undefined, client);
      // As `pg` does where both come in one piece. It throws where nobody listens.
      client.emit('error', new Error('terminating connection'));
    },
  };
  expect(await borrow(pool)).toBe(client);
  await borrow(pool);
  expect(client.listenerCount('error')).toBe(1);
});

test('what the pool fails with is what borrowing fails with', async () => {
  const error = new Error('no more');
  await expect(borrow({ connect: (callback) => callback(error, undefined) })).rejects.toBe(error);
});
