/*
 * `node test/bench/availability.ts [row]`: how long users are away, each row beside its must. Rows: reset-3, reset-8,
 * reset-12, balancer-30, balancer-180, accept-close, herd-100, herd-1000, herd-10000, herd-100000, restart,
 * restart-within, two-processes, same-port, outage, overload, slow-answer, slow-input, limit-answer, limit-input, wake; a name stands for all rows that begin with it.
 *
 * The real client and the real server run on a clock that does not wait, over sockets in memory that have no latency:
 * minutes take seconds, and the same seed gives the same figures. A herd is the real policy of each client against a
 * server that takes so many a second (`test/helpers/reconnect-simulation.ts`). It ends with 1 where a must is missed.
 *
 * `node test/bench/availability.ts peers`: see `availability/peers.ts`.
 */
import { isReached, line } from './availability/figures.ts';
import { comparePeers } from './availability/peers.ts';
import { ROWS } from './availability/rows.ts';

const [name = ''] = process.argv.slice(2);
if (name === 'peers') await comparePeers();
const rows = ROWS.filter((row) => row.name.startsWith(name));
if (rows.length === 0) throw new Error(`there is no row ${name}: ${ROWS.map((row) => row.name).join(', ')}`);
for (const row of rows) {
  const figures = await row.measure();
  figures.forEach((figure, n) => process.stdout.write(`${line(n === 0 ? row.title : '', figure)}\n`));
  if (!figures.every(isReached)) process.exitCode = 1;
}
