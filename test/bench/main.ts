/*
 * `npm run bench`: how fast Tautline is, as ratios to `raw`, a WebSocket written by hand (JSON, one message a frame, `ws`
 * at the server, the global WebSocket at the client; `peers/raw.ts`), beside socket.io and tRPC over WebSocket.
 *
 *   --short        a minute instead of a quarter of an hour: the rows calls, bursts, sequential, events, flood, fan-out;
 *                  3 rounds, and processes that live through all of them
 *   --rows a,b     only these: calls, calls-1000, bursts, sequential, first-call, events, items, flood, acknowledged,
 *                  fan-out, heap-calls, heap-subscriptions, idle, flat-topics, flat-pending, flat-queue
 *   --rounds N     5 without it
 *   --peers a,b    of socket.io and trpc; `none`
 *   --from src     the sources as they are, instead of the package in dist (built where it is not there, or stale)
 *   --json file    the figures, too
 *
 * It ends with 1 when a figure is worse than its `floor`: half of what is reached, twice that where less is better, and
 * more for times of single calls, which busy neighbours double. Noise does not reach that. A `must` that is missed is marked in the table.
 *
 * How: each peer has a server and a client, two processes on 127.0.0.1, new ones in each round, and warm: some 0.8 s of
 * CPU of the same work before anything counts. Peers take short turns (raw, Tautline, …), three in a round. A ratio is
 * taken within a turn; a round is the median of its turns, and the table shows the median of the rounds, the least and
 * the most. Turns are bounded by CPU of the client, not by the clock, so a busy machine makes them longer, not less.
 * Everything carries one order, 209 bytes of JSON. Tautline and tRPC check it with zod at both ends. Limits of Tautline
 * that a row exceeds are raised for it: messages a second in all of them, and what `limits` of a workload names.
 *
 * CPU-bound rate: how many, divided by the CPU seconds (user and system, all threads) of the busier of the two processes.
 * It hardly depends on what else the machine does. CPU at the client, at the server: CPU time divided by how many.
 *
 * calls          A query that gives back its input; 64 callers, each with one call after the other.
 * calls-1000     The same with 1000 callers. Tautline has at most 256 of them at the server, its default.
 * bursts         100 calls in one loop, the next 100 when all are answered.
 * sequential     One caller. p50 and p99 of the time from call to answer.
 * first-call     A new client, from its making to the answer of its first call, made at once; p50. Processes are warm.
 * events         The server publishes 50 in a turn of its event loop, again when its socket has room; one subscriber.
 *                Wall: from the request to publish to the last event.
 * items          One stream of 20 000 items, read by `for await`. The others push: raw a frame each, 50 in a turn.
 * flood          100 000 lossy publishes in one loop, then one that is acknowledged; from the loop to that answer. Those
 *                count that the server took (the queue of the client is made wide enough for all of them). RSS: its
 *                peak, looked at every 5 ms, above that before the loop. tRPC has none without an answer: there they are
 *                mutations.
 * acknowledged   20 000 publishes in one loop, until all are acknowledged. Nobody is subscribed.
 * fan-out        500 clients subscribed to one topic, one publication in a turn of the loop: CPU of the server for each
 *                delivery.
 * heap-calls     1000 queries at the server that are never answered: growth of the client's heap, garbage collected
 *                before and after, divided by 1000. Their promises have a `catch`. `calls` is 1024.
 * heap-…         10 000 topics subscribed to, in the same way.
 * idle           500 clients that connect and do nothing: the same at the server. raw is `ws` with a listener.
 * flat-topics    calls, CPU-bound, beside 1, 100 and 10 000 topics that are subscribed to and silent; the second and the
 *                third divided by the first. Of raw, the same: what differs from 1 there is noise.
 * flat-pending   The same beside 1, 100 and 900 calls that are never answered: 1024 is the most that a server grants.
 * flat-queue     More than that wait in the client, and a queue that moves is the only one beside which calls can be
 *                measured: 10 000 callers, of which 256 are at the server, divided by 256 callers with an empty queue.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { killChildren } from './child-process.ts';
import { buildWhereStale } from './fresh-build.ts';
import { flatness, heaps } from './memory.ts';
import { readOptions, type BenchOptions } from './options.ts';
import type { PeerName } from './peers/peer.ts';
import { callRates, pushRates } from './rates.ts';
import { judge, rawSpread, spreadOf, type Round } from './results.ts';
import { measureRounds } from './rounds.ts';
import { header, LEGEND, line } from './table.ts';
import type { Row, Workload } from './workload.ts';

/** What was found for a line of the table. */
interface Finding {
  readonly workload: string;
  readonly row: Row;
  readonly rounds: readonly Round[];
}

const WORKLOADS: readonly Workload[] = [...callRates, ...pushRates, ...heaps, ...flatness];

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => void killChildren().then(() => process.exit(code)));
}
process.exitCode = await run(optionsOrExit());

function optionsOrExit(): BenchOptions {
  const names = WORKLOADS.map(({ name }) => name);
  try {
    return readOptions(process.argv.slice(2), names);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

async function run(options: BenchOptions): Promise<number> {
  if (options.source === 'dist') buildWhereStale();
  const columns: readonly PeerName[] = ['tautline', ...options.peers];
  const cores = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  console.log(`Node ${process.version}, ${cores}, Tautline from ${options.source}, ${options.rounds} rounds`);
  console.log(`Load average before: ${load()}\n\n${header(columns)}`);
  const findings: Finding[] = [];
  for (const workload of chosenOf(options)) {
    const rounds = await measureRounds(workload, options);
    for (const row of workload.rows) {
      console.log(line(row, columns, rounds));
      findings.push({ workload: workload.name, row, rounds });
    }
  }
  console.log(`\n${LEGEND}\nLoad average after: ${load()}`);
  if (options.json !== undefined) writeJson(options.json, findings, columns);
  const failed = findings.filter(isFailure);
  for (const { row } of failed) console.log(`✗✗ ${row.title}: worse than ${row.floor}`);
  return failed.length === 0 ? 0 : 1;
}

function chosenOf({ rows, isShort }: BenchOptions): readonly Workload[] {
  if (rows.length > 0) return WORKLOADS.filter(({ name }) => rows.includes(name));
  return isShort ? WORKLOADS.filter((workload) => workload.isShort === true) : WORKLOADS;
}

function isFailure({ row, rounds }: Finding): boolean {
  const found = spreadOf(row, 'tautline', rounds);
  return found === undefined || judge(row, found.median) === 'failed';
}

function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}

function writeJson(file: string, findings: readonly Finding[], columns: readonly PeerName[]): void {
  const rows = findings.map(({ workload, row, rounds }) => ({
    workload,
    ...row,
    raw: rawSpread(row, rounds),
    ...Object.fromEntries(columns.map((peer) => [peer, spreadOf(row, peer, rounds)])),
  }));
  const report = { node: process.version, cpus: cpus().length, load: loadavg(), rows };
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}
