/*
 * `node test/bench/availability.ts peers`: a minute in which each line is reset every 3, 8, 12 and 30 s, for Tautline from
 * its sources, socket.io and tRPC, all with their defaults, at the same time in one process, over real sockets. Each makes a
 * call every 100 ms. Told is the part of the calls that was answered within half a second and within five, and the 99th
 * percentile of the time to an answer; a call that has none within five seconds counts as one of five.
 */
import { faultProxy } from '../../../src/testing/faults.ts';
import { order } from '../order.ts';
import { loadPeer } from '../peers/load.ts';
import type { PeerName } from '../peers/peer.ts';
import { serve } from '../server-side.ts';

const PEERS: readonly PeerName[] = ['tautline', 'socket.io', 'trpc'];
const RESET_S = [3, 8, 12, 30];
const MINUTE_MS = 60_000;
const CALL_MS = 100;
const THERE_MS = 500;
const LONGEST_MS = 5_000;

/** Times to the answers of all calls of a minute, ms. */
async function minute(name: PeerName, everyS: number): Promise<readonly number[]> {
  const peer = await loadPeer(name, 'src');
  const server = await serve(peer, {});
  const proxy = await faultProxy({ to: await server.port() });
  const client = (await peer.connector({}))(proxy.port);
  await client.connected();
  const cutting = setInterval(() => proxy.kill(), everyS * 1_000);
  const times: Array<Promise<number>> = [];
  for (const begun = performance.now(); performance.now() - begun < MINUTE_MS;) {
    times.push(timeOf(() => client.call(order)));
    await pause(CALL_MS);
  }
  clearInterval(cutting);
  return Promise.all(times);
}

async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  const answered = call().then(
    () => performance.now() - begun,
    () => LONGEST_MS,
  );
  return Promise.race([answered, pause(LONGEST_MS).then(() => LONGEST_MS)]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function figures(times: readonly number[]): string {
  const sorted = [...times].sort((one, other) => one - other);
  const within = (ms: number): string =>
    `${((100 * sorted.filter((time) => time < ms).length) / sorted.length).toFixed(1)} %`;
  const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1]!;
  return `${within(THERE_MS).padStart(9)}${within(LONGEST_MS).padStart(9)}${(p99 / 1_000).toFixed(2).padStart(9)} s`;
}

/** Runs them all, and prints a table. */
export async function comparePeers(): Promise<void> {
  const rows = RESET_S.flatMap((everyS) => PEERS.map((name) => ({ everyS, name, times: minute(name, everyS) })));
  console.log(`${'reset every'.padEnd(14)}${'client'.padEnd(12)}   < 0.5 s    < 5 s        p99`);
  for (const { everyS, name, times } of rows) {
    console.log(`${`${everyS} s`.padEnd(14)}${name.padEnd(12)}${figures(await times)}`);
  }
  // Some of them keep their sockets, and say nothing of how to end them.
  process.exit();
}
