import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Claim, ClaimRequest } from '../../src/server/index.ts';
import { postgresCallStore, postgresSchema, type PostgresCallStoreOptions } from '../../src/server/postgres.ts';
import { PostgresServer } from './postgres-server.ts';

const postgres = new PostgresServer();

beforeAll(async () => {
  await postgres.create();
  await postgres.admin.query(postgresSchema());
});
afterEach(async () => {
  await postgres.admin.query('TRUNCATE tautline_clients, tautline_calls, tautline_nodes');
});
afterAll(() => postgres.remove());

async function storeOf(options: Partial<PostgresCallStoreOptions> = {}) {
  const pool = new pg.Pool(postgres.config);
  pool.on('error', () => undefined);
  const store = postgresCallStore({ pool, ...options });
  onTestFinished(async () => {
    await store.close();
    await pool.end();
  });
  await store.connection.ready();
  return store;
}

const client = 'client-of-the-tests';

/** Requests to a memory that has been opened. */
async function requests(store: Awaited<ReturnType<typeof storeOf>>) {
  const opened = await store.open({ client, identity: 'ann', n: 1 });
  const memory = opened.refused === undefined ? opened.memory : '';
  return (id: number): ClaimRequest => ({ client, memory, id, key: 'mutation pay', idempotent: false });
}

const count = async (from: string): Promise<number> => (await postgres.admin.query(`SELECT FROM ${from}`)).rowCount!;

test('of many servers that claim a call at once one has it', async () => {
  const stores = await Promise.all([1, 2, 3].map(() => storeOf()));
  const request = await requests(stores[0]!);
  const ids = Array.from({ length: 40 }, (_, index) => index + 1);
  const claims = await Promise.all(ids.map((id) => Promise.all(stores.map((store) => store.claim(request(id))))));
  const kinds = claims.map((of) => of.map(({ kind }) => kind).sort());
  expect(kinds).toEqual(ids.map(() => ['new', 'running', 'running']));
});

test('nothing is claimed twice while connections are lost, and each claim ends', async () => {
  const stores = await Promise.all([storeOf(), storeOf()]);
  const request = await requests(stores[0]);
  const had = new Map<number, number>();
  const claim = async (at: number, id: number): Promise<Claim['kind'] | 'failed'> => {
    const store = stores[at]!;
    const claimed = await store.claim(request(id)).catch(() => undefined);
    if (claimed === undefined) return 'failed';
    if (claimed.kind === 'new') {
      had.set(id, (had.get(id) ?? 0) + 1);
      await store.answer({ ...request(id), token: claimed.token, message: `["reply",${id}]` });
    }
    return claimed.kind;
  };
  let id = 0;
  for (let round = 0; round < 10; round++) {
    const asked = Array.from({ length: 20 }, () => ++id).flatMap((of) => [claim(0, of), claim(1, of), claim(0, of)]);
    await postgres.cut('all');
    await Promise.all(asked);
  }
  expect([...had.values()].filter((times) => times > 1)).toEqual([]);
  await Promise.all(stores.map(({ connection }) => connection.ready()));
  // Once all is written, what nobody has had is there for the next one, and the rest has its answer.
  const ended = await Promise.all(Array.from({ length: id }, (_, index) => claim(1, index + 1)));
  expect(new Set(ended).difference(new Set(['new', 'answered', 'running']))).toEqual(new Set());
  expect([...had.values()].filter((times) => times > 1)).toEqual([]);
});

test('a claim that comes after it was given up is nobody’s, and others may have the call', async () => {
  const store = await storeOf();
  const request = await requests(store);
  const { memory } = request(1);
  const late = [client, memory, 1, 'mutation pay', 'a-node', 1];
  await postgres.admin.query('SELECT tautline_answer($1, $2, $3, $4, $5, $6, NULL, 9, 999)', late);
  const claim = `SELECT state FROM tautline_claim($1, $2, $3, $4, $5, $6, false, 'lost', 9, 999, '1 h')`;
  expect((await postgres.admin.query(claim, late)).rows).toEqual([{ state: 'unknown' }]);
  expect((await store.claim(request(1))).kind).toBe('new');
  expect((await postgres.admin.query(claim, late)).rows).toEqual([{ state: 'running' }]);
  // What is settled does not come back by it.
  await store.floor({ client, memory }, 9, []);
  const settled = [client, memory, 2, 'mutation pay', 'a-node', 2];
  await postgres.admin.query('SELECT tautline_answer($1, $2, $3, $4, $5, $6, NULL, 9, 999)', settled);
  expect((await store.claim(request(2))).kind).toBe('unknown');
});

test('memories and leases whose time is over are removed', async () => {
  const store = await storeOf();
  const request = await requests(store);
  await store.claim(request(1));
  await postgres.admin.query(`UPDATE tautline_nodes SET expires_at = now() - interval '2 h'`);
  await postgres.admin.query(`UPDATE tautline_clients SET expires_at = now() - interval '1 s'`);
  expect((await store.claim(request(1))).kind).toBe('gone');
  await postgres.admin.query('SELECT tautline_sweep_clients()');
  expect([await count('tautline_clients'), await count('tautline_calls')]).toEqual([0, 0]);
  await storeOf();
  await expect.poll(() => count('tautline_nodes')).toBe(1);
});

test('another history of the database gives a client another name', async () => {
  const store = await storeOf();
  const request = await requests(store);
  await postgres.admin.query(`UPDATE tautline_clients SET history = 'that of a server which is no more'`);
  expect((await store.claim(request(1))).kind).toBe('gone');
  const opened = await store.open({ client, identity: 'bob', n: 1 });
  expect(opened).toEqual({ memory: expect.not.stringMatching(request(1).memory) });
  const history = (await postgres.admin.query<{ its: string }>('SELECT tautline_history() AS its')).rows[0]!.its;
  // The timeline; the tests run without fsync.
  expect(history).toMatch(/^00000001 \d+\.\d+$/);
});

test('a claim is on the disk when it is given, whatever the session says', async () => {
  const pool = new pg.Pool({ ...postgres.config, options: '-c synchronous_commit=off', max: 1 });
  onTestFinished(() => pool.end());
  const request = await requests(await storeOf());
  const line = await pool.connect();
  await line.query('BEGIN');
  await line.query(`SELECT tautline_claim($1, $2, 1, 'k', 'n', 1, false, '', 9, 9, '1 h')`, [
    client,
    request(1).memory,
  ]);
  expect((await line.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
  await line.query('ROLLBACK');
  line.release();
});

test('options that can not work are refused, and tables that are not there are named', async () => {
  const pool = new pg.Pool(postgres.config);
  onTestFinished(() => pool.end());
  const make = (given: object) => () => postgresCallStore({ pool, ...given });
  expect(make({ pool: undefined })).toThrow('postgresCallStore: pool must be a pool of pg');
  expect(make({ leaseMs: 0 })).toThrow('postgresCallStore: leaseMs is 0');
  expect(make({ prefix: 'a-b' })).toThrow('postgresCallStore: prefix must be');
  const store = postgresCallStore({ pool, prefix: 'other_' });
  onTestFinished(() => store.close());
  await expect(store.connection.ready()).rejects.toThrow('postgresCallStore: the database has no tables other_*');
});
