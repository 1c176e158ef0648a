/*
 * `node test/bench/servers.ts [row]`: what a second server costs, and what a restart costs those who are connected. It
 * starts a Redis of its own, servers and clients, each in a process of its own, with the package in dist. Rows: latency,
 * fan-out, ending, restart. It ends with 1 where a must is missed, or where there is no Redis.
 *
 * latency   A client publishes an order, another listens; one event after the other. Node in memory, node with Redis, and
 *           two nodes with Redis take turns. Nodes with Redis have a call store, too.
 * fan-out   10 000 sockets that are as light as can be, subscribed to one topic, on one node in memory, and 5 000 each on
 *           two with Redis. CPU seconds of the nodes alone.
 * ending    A user who is connected to one node loses a topic, and then his connection, by what the other one is told.
 * restart   Two nodes behind HAProxy, or the balancer of examples/scale where it is not installed, end one after the other,
 *           each within 10 s, and start anew, three times. 200 clients, each with a query every 2 s, and a mutation every
 *           40 s whose event all of them hear.
 *
 * Rounds are interleaved: all that is compared takes turns within one. The table shows the median of the rounds, the least
 * and the most.
 */
import { cpus, loadavg } from 'node:os';
import { findRedis } from '../support/find-redis.ts';
import { requirements } from '../support/requirements.ts';
import { RedisServer } from '../redis/redis-server.ts';
import { killChildren } from './child-process.ts';
import { buildWhereStale } from './fresh-build.ts';
import { HEADER, isReached, line, type Figure } from './servers/figures.ts';

const [name = ''] = process.argv.slice(2);
if (findRedis() === undefined) {
  const { howToGet } = requirements.find(({ project }) => project === 'redis')!;
  console.error(['This needs Redis. To get it:', ...howToGet].join('\n  '));
  process.exit(1);
}
buildWhereStale();
// They import the build.
const { latency } = await import('./servers/latency.ts');
const { fanOut } = await import('./servers/fan-out.ts');
const { ending } = await import('./servers/ending.ts');
const { restart } = await import('./servers/restart.ts');
const ROWS: Readonly<Record<string, (redis: string) => Promise<readonly Figure[]>>> = {
  latency,
  'fan-out': fanOut,
  ending,
  restart,
};

const redis = new RedisServer();
async function end(): Promise<void> {
  await killChildren();
  await redis.remove();
}
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => void end().then(() => process.exit(code)));
}
await redis.start();
try {
  console.log(`Node ${process.version}, ${cpus().length} cores. Load average before: ${load()}\n\n${HEADER}`);
  for (const [row, measure] of Object.entries(ROWS)) {
    if (!row.startsWith(name)) continue;
    for (const figure of await measure(redis.path)) {
      console.log(line(figure));
      if (!isReached(figure)) process.exitCode = 1;
    }
  }
  console.log(`\nLoad average after: ${load()}`);
} finally {
  await end();
}

function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}
