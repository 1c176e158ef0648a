import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Position } from '../../src/index.ts';
import { postgresBroker, postgresSchema, type PostgresBrokerOptions } from '../../src/server/postgres.ts';
import { PostgresServer } from './postgres-server.ts';

const postgres = new PostgresServer();
const topic = 'rooms/blue';

beforeAll(async () => {
  await postgres.create();
  await postgres.admin.query(postgresSchema());
});
afterEach(async () => {
  await postgres.admin.query('TRUNCATE tautline_topics, tautline_events');
});
afterAll(() => postgres.remove());

/** Waits for something that is told, without looking again and again. */
class Heard {
  readonly payloads: string[] = [];
  resets = 0;
  #changed: Array<() => void> = [];
  readonly listener = {
    event: ({ payload }: { payload: string }) => {
      this.payloads.push(payload);
      this.tell();
    },
    reset: () => {
      this.resets++;
      this.tell();
    },
  };

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

const numbers = (count: number, from = 1): string[] => Array.from({ length: count }, (_, index) => `${from + index}`);

function brokerOf(options: Partial<PostgresBrokerOptions> = {}) {
  const pool = new pg.Pool(postgres.config);
  pool.on('error', () => undefined);
  const broker = postgresBroker({ pool, ...options });
  onTestFinished(async () => {
    broker.close();
    await pool.end();
  });
  return { broker, pool };
}

async function node(options?: Partial<PostgresBrokerOptions>) {
  const made = brokerOf(options);
  const heard = new Heard();
  const feed = await made.broker.subscribe(topic, heard.listener);
  return Object.assign(heard, made, { feed });
}

/** A transaction of the app, that has begun. */
async function begun(pool: pg.Pool) {
  const client = await pool.connect();
  await client.query('BEGIN');
  const end = async (how: 'COMMIT' | 'ROLLBACK') => {
    await client.query(how);
    client.release();
  };
  return { client, end };
}

test('what is published within a transaction is told after its commit, and what is rolled back never', async () => {
  const heard = await node();
  const { broker, pool } = heard;
  const undone = await begun(pool);
  await broker.publish(topic, 'undone', { tx: undone.client, key: 'k' });
  await undone.end('ROLLBACK');
  const done = await begun(pool);
  const position = await broker.publish(topic, 'done', { tx: done.client, key: 'k' });
  // Before the commit it is nowhere.
  const [epoch] = heard.feed.head;
  expect([heard.payloads, await heard.feed.read([epoch, 0], 10)]).toEqual([[], []]);
  await done.end('COMMIT');
  await heard.until(() => heard.payloads.length === 1);
  expect([heard.payloads, heard.feed.head, position]).toEqual([['done'], [epoch, 1], [epoch, 1]]);
});

test('transactions that publish to one topic have their positions in the order of their commits', async () => {
  const heard = await node();
  const { broker, pool } = heard;
  const first = await begun(pool);
  const order: string[] = [];
  await broker.publish(topic, '1', { tx: first.client });
  const second = await begun(pool);
  const waits = broker.publish(topic, '2', { tx: second.client }).then(async (position) => {
    order.push('second');
    await second.end('COMMIT');
    return position;
  });
  // Another topic does not wait.
  await broker.publish('rooms/red', 'x');
  await broker.publish(topic, '1, too', { tx: first.client });
  order.push('first');
  await first.end('COMMIT');
  expect((await waits)[1]).toBe(3);
  await heard.until(() => heard.payloads.length === 3);
  expect([order, heard.payloads, heard.resets]).toEqual([['first', 'second'], ['1', '1, too', '2'], 0]);
});

test('nothing is missed while all connections are killed ten times under load, and no gap is told', async () => {
  const [one, other] = [await node(), await node()];
  const publish = async (payload: string): Promise<Position> => {
    for (;;) {
      try {
        return await one.broker.publish(topic, payload, { key: payload });
      } catch (error) {
        expect(error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
      }
    }
  };
  for (let round = 0; round < 10; round++) {
    const published = numbers(60, round * 60 + 1).map(publish);
    await postgres.cut('all');
    await Promise.all(published);
  }
  await other.until(() => other.payloads.length === 600);
  await one.until(() => one.payloads.length === 600);
  const sorted = [...other.payloads].sort((a, b) => Number(a) - Number(b));
  expect([sorted, one.payloads, one.resets, other.resets]).toEqual([numbers(600), other.payloads, 0, 0]);
});

test('one publish while the line was cut is found when it is back, though nothing follows', async () => {
  const heard = await node({ checkMs: 1_000_000 });
  const { broker } = brokerOf();
  await broker.publish(topic, '1');
  await heard.until(() => heard.payloads.length === 1);
  const lost = heard.until(() => heard.payloads.length === 2);
  await Promise.all([postgres.cut('listening'), broker.publish(topic, '2', { tx: postgres.admin })]);
  await lost;
  expect([heard.payloads, heard.resets]).toEqual([['1', '2'], 0]);
});

test('what a line that seems alive does not bring is found by comparing', async () => {
  let listening: pg.Client | undefined;
  const heard = await node({ checkMs: 20, listen: () => (listening = new pg.Client(postgres.config)) });
  await listening!.query('UNLISTEN *');
  await heard.broker.publish(topic, '1');
  await heard.until(() => heard.payloads.length === 1);
  expect(heard.resets).toBe(0);
});

test('tables that were emptied are told as one gap, and all goes on', async () => {
  const heard = await node({ checkMs: 20 });
  await heard.broker.publish(topic, '1');
  const [epoch] = heard.feed.head;
  await heard.until(() => heard.payloads.length === 1);
  await postgres.admin.query('TRUNCATE tautline_topics, tautline_events');
  await heard.until(() => heard.resets === 1);
  expect(heard.feed.head).toEqual([expect.not.stringMatching(epoch), 0]);
  await heard.broker.publish(topic, '2');
  await heard.until(() => heard.payloads.length === 2);
  expect([heard.payloads, heard.resets]).toEqual([['1', '2'], 1]);
});

test('a database that lost its last writes is found out: no event takes the place of another', async () => {
  const heard = await node({ checkMs: 1_000_000 });
  for (const payload of numbers(3)) await heard.broker.publish(topic, payload);
  const tables = ['topics', 'events'];
  for (const name of tables) await postgres.admin.query(`CREATE TABLE old_${name} AS TABLE tautline_${name}`);
  for (const payload of numbers(2, 4)) await heard.broker.publish(topic, payload);
  await heard.until(() => heard.payloads.length === 5);
  const [epoch] = heard.feed.head;
  const restored = tables.map(
    (name) => `TRUNCATE tautline_${name}; INSERT INTO tautline_${name} TABLE old_${name}; DROP TABLE old_${name}`,
  );
  // In one transaction: a server may look at any moment.
  await postgres.admin.query(restored.join(';'));
  const { broker } = brokerOf();
  for (const payload of ['4 again', '5 again', '6']) await broker.publish(topic, payload);
  await heard.until(() => heard.resets === 1);
  await broker.publish(topic, '7');
  await heard.until(() => heard.payloads.at(-1) === '7');
  const [now, offset] = heard.feed.head;
  expect([now === epoch, heard.resets]).toEqual([false, 1]);
  expect(heard.payloads).toEqual([...numbers(5), ...['4 again', '5 again', '6', '7'].slice(-offset)]);
});

test('a frozen database holds nobody: what was asked fails, it is seen, and all goes on when it is back', async () => {
  const heard = await node({ timeoutMs: 1_500, checkMs: 50 });
  await heard.broker.publish(topic, '1');
  await heard.until(() => heard.payloads.length === 1);
  await postgres.freeze();
  onTestFinished(() => postgres.thaw());
  const published = heard.broker.publish(topic, '2', { key: 'k' });
  await expect(published).rejects.toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
  const asked = [
    heard.broker.subscribe('rooms/red', new Heard().listener),
    Promise.resolve(heard.feed.read([heard.feed.head[0], 0], 10)),
  ];
  const ended = await Promise.allSettled(asked);
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await untilUp(heard.broker.connection, false);
  await expect(heard.broker.connection.ready()).rejects.toMatchObject({ code: 'OFFLINE', outcome: 'not-sent' });
  postgres.thaw();
  await untilUp(heard.broker.connection, true);
  await heard.broker.publish(topic, '2', { key: 'k' });
  await heard.broker.publish(topic, '3');
  await heard.until(() => heard.payloads.length === 3);
  expect([heard.payloads, heard.resets]).toEqual([numbers(3), 0]);
});

test('a database that is away is waited for, for a while; then what was not sent is not done later', async () => {
  const heard = await node({ timeoutMs: 1_500 });
  await heard.broker.publish(topic, '1');
  await heard.until(() => heard.payloads.length === 1);
  await postgres.kill();
  await untilUp(heard.broker.connection, false);
  await expect(heard.broker.publish(topic, 'lost')).rejects.toMatchObject({ code: 'OFFLINE', outcome: 'not-sent' });
  await postgres.start();
  await untilUp(heard.broker.connection, true);
  await heard.broker.publish(topic, '2');
  await heard.until(() => heard.payloads.length === 2);
  expect([heard.payloads, heard.resets]).toEqual([['1', '2'], 0]);
});

test('what falls out of the history goes from the table, and a topic that nobody uses with its count', async () => {
  const heard = await node({ history: { size: 5, ttlMs: 300_000 } });
  const { admin } = postgres;
  await Promise.all(numbers(10).map((payload) => heard.broker.publish(topic, payload)));
  await heard.until(() => heard.payloads.length === 10);
  const offsets = async () =>
    (await admin.query<{ at: number }>('SELECT "offset"::int AS at FROM tautline_events ORDER BY 1')).rows.map(
      ({ at }) => at,
    );
  // Servers that follow may still read what has just been published.
  expect(await offsets()).toHaveLength(10);
  await admin.query(`UPDATE tautline_events SET published_at = now() - interval '1 min'`);
  for (const payload of numbers(3, 11)) await heard.broker.publish(topic, payload);
  expect(await offsets()).toEqual([7, 8, 9, 10, 11, 12, 13]);
  // Who follows has read them: what is made old now is gone for good.
  await heard.until(() => heard.payloads.length === 13);
  await admin.query(`UPDATE tautline_topics SET published_at = now() - interval '10 min'`);
  await admin.query(`SELECT tautline_sweep('5 min', '1 hour')`);
  expect(await offsets()).toEqual([]);
  const [epoch] = heard.feed.head;
  expect(await heard.feed.read([epoch, 8], 10)).toBeUndefined();
  expect(await heard.feed.oldest?.()).toEqual([epoch, 13]);
  expect((await heard.broker.publish(topic, '14'))[1]).toBe(14);
  await heard.until(() => heard.payloads.length === 14);
  // Who follows a topic begins it anew.
  heard.feed.close();
  await admin.query(`UPDATE tautline_topics SET published_at = NULL, used_at = now() - interval '2 h'`);
  await admin.query(`SELECT tautline_sweep('5 min', '1 hour')`);
  expect((await admin.query('SELECT FROM tautline_topics')).rowCount).toBe(0);
});

test('a database without the tables says what to do, and is taken when it has them', async () => {
  const { broker } = brokerOf({ prefix: 'other_' });
  const message = `the database has no tables other_*: run the SQL that postgresSchema({ prefix: 'other_' }) gives`;
  await expect(broker.connection.ready()).rejects.toThrow(message);
  await expect(broker.publish(topic, '1')).rejects.toThrow(message);
  await expect(broker.subscribe(topic, new Heard().listener)).rejects.toThrow(message);
  // It may be run again.
  for (let times = 0; times < 2; times++) await postgres.admin.query(postgresSchema({ prefix: 'other_' }));
  await untilUp(broker.connection, true);
  expect((await broker.publish(topic, '1'))[1]).toBe(1);
});

test('close ends what waits, and leaves no connection behind', async () => {
  const { broker, pool } = await node({ listen: () => new pg.Client({ ...postgres.config, application_name: 'its' }) });
  const tx = await begun(pool);
  await broker.publish(topic, '1', { tx: tx.client });
  // A connection is there for the next one, which is sent on it at once.
  await broker.publish('rooms/red', '0');
  const waits = broker.publish(topic, '2');
  const closed = expect(waits).rejects.toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
  // It has been sent, and waits for the row.
  const locked = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
  await expect.poll(async () => (await postgres.admin.query(locked)).rowCount).toBe(1);
  broker.close();
  await closed;
  await tx.end('ROLLBACK');
  await expect(broker.publish(topic, '3')).rejects.toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
});

test('options that can not work are refused, and the error says what to give', async () => {
  const pool = new pg.Pool(postgres.config);
  onTestFinished(() => pool.end());
  const make = (given: object) => () => postgresBroker({ pool, ...given });
  expect(make({ pool: undefined })).toThrow('pool must be a pool of pg: new pg.Pool(…)');
  expect(make({ listen: {} })).toThrow('listen must be a function that makes a client');
  expect(make({ prefix: 'a-b' })).toThrow(`prefix must be lower case letters, digits and _, like 'tautline_'`);
  expect(make({ timeoutMs: 0 })).toThrow('postgresBroker: timeoutMs is 0');
  expect(make({ history: { size: 'many' } })).toThrow('postgresBroker: size must be a number');
  expect(() => postgresSchema({ prefix: `'` })).toThrow('postgresSchema: prefix must be');
});

function untilUp(connection: { isUp: boolean; onChange(listener: () => void): () => void }, isUp: boolean) {
  return new Promise<void>((resolve) => {
    const look = () => connection.isUp === isUp && resolve();
    connection.onChange(look);
    look();
  });
}
