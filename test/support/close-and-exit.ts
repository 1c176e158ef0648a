/*
 * Connects, and closes at a moment, for each of some moments: `node close-and-exit.ts <url> <global or ws> <moment>…`.
 * Says in which states the connections are then. With nothing left to do it must end by itself.
 */
import WebSocket from 'ws';
import { connect, createClient, defineContract, topic, mutation } from '../../src/index.ts';
import type { Connection } from '../../src/index.ts';
import { z } from 'zod';

const contract = defineContract({
  never: mutation({ input: z.null(), output: z.null() }),
  news: topic('news', { event: z.string() }),
});

/** Resolves with a connection when it is to be closed. */
const moments: Readonly<Record<string, (url: string, options: object) => Connection | Promise<Connection>>> = {
  'at once': connect,
  'when an attempt has failed': (url, options) => untilStatus(connect(url, options), 'waiting'),
  'during a credential call': (url, options) =>
    new Promise((resolve) => {
      const connection = connect(url, {
        ...options,
        auth: () => {
          setImmediate(() => resolve(connection));
          return new Promise<never>(() => undefined);
        },
      });
    }),
  'when it is connected': (url, options) => untilStatus(connect(url, options), 'connected'),
  'with work that never ends': async (url, options) => {
    const connection = await untilStatus(connect(url, options), 'connected');
    const client = createClient(contract, connection);
    client.never(null).catch(() => undefined);
    client.news().subscribe(() => undefined);
    return connection;
  },
  'from inside a listener': (url, options) => {
    const connection = connect(url, options);
    connection.on('status', () => void connection.close());
    return connection;
  },
};

const [url = '', engine = '', ...chosen] = process.argv.slice(2);
const options = { lazy: false, connectTimeoutMs: 500, ...(engine === 'ws' ? { WebSocket } : {}) };
const states = chosen.map(async (moment) => {
  const connection = await moments[moment]!(url, options);
  await connection.close(moment === 'with work that never ends' ? { drain: true, timeoutMs: 100 } : {});
  return [moment, connection.status.state];
});
process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(states))));

function untilStatus(connection: Connection, state: string): Promise<Connection> {
  return new Promise((resolve) => {
    connection.on('status', (status) => {
      if (status.state === state) resolve(connection);
    });
  });
}
