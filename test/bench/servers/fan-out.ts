import type { Child } from '../child-process.ts';
import type { Figure } from './figures.ts';
import type { SocketOperations } from './sockets.ts';
import { startNode, startSockets, type NodeProcess } from './start.ts';

const CLIENTS = 10_000;
const PROCESSES = 4;
const ROUNDS = 5;
/** Not counted: a process is slow at first, and each of two has half of the work to get used to it. */
const WARM_ROUNDS = 3;
const EVENTS = 6;

/** All clients of one topic, on the nodes that they share. */
interface Audience {
  readonly nodes: readonly NodeProcess[];
  readonly sockets: ReadonlyArray<Child<SocketOperations>>;
}

async function gather(
  nodes: readonly NodeProcess[],
  sockets: ReadonlyArray<Child<SocketOperations>>,
): Promise<Audience> {
  const count = CLIENTS / PROCESSES / nodes.length;
  for (const node of nodes) {
    const port = await node.ask('port');
    await Promise.all(sockets.map((some) => some.ask('connect', { port, count })));
  }
  return { nodes, sockets };
}

async function cpuOf(nodes: readonly NodeProcess[]): Promise<number> {
  const times = await Promise.all(nodes.map((node) => node.ask('cpuMs')));
  return times.reduce((sum, time) => sum + time, 0);
}

/** CPU of all nodes for one event to all, ms. It is over when all have heard it. */
async function costOf({ nodes, sockets }: Audience): Promise<number> {
  await Promise.all(sockets.map((some) => some.ask('expect', CLIENTS / PROCESSES)));
  const before = await cpuOf(nodes);
  await nodes[0]!.ask('publish');
  await Promise.all(sockets.map((some) => some.ask('heard')));
  return (await cpuOf(nodes)) - before;
}

/** CPU for one delivery in each, µs. They take turns event by event. */
async function costs(audiences: readonly Audience[]): Promise<readonly number[]> {
  const sums = audiences.map(() => 0);
  for (let event = 0; event < EVENTS; event++) {
    for (const [at, audience] of audiences.entries()) sums[at]! += await costOf(audience);
  }
  return sums.map((ms) => (ms * 1000) / (EVENTS * CLIENTS));
}

/** What one event to all of 10 000 clients costs. */
export async function fanOut(redis: string): Promise<readonly Figure[]> {
  const [alone, one, other] = await Promise.all([startNode({}), startNode({ redis }), startNode({ redis })]);
  const sockets = await Promise.all(Array.from({ length: PROCESSES }, startSockets));
  const audiences = [await gather([alone], sockets), await gather([one, other], sockets)];
  const rounds: Array<readonly number[]> = [];
  for (let round = 0; round < WARM_ROUNDS; round++) await costs(audiences);
  while (rounds.length < ROUNDS) rounds.push(await costs(audiences));
  await Promise.all([alone, one, other, ...sockets].map((child) => child.kill()));
  return [
    {
      title: '10 000 clients: CPU a delivery, two nodes / one node',
      rounds: rounds.map(([whole, split]) => split! / whole!),
      must: 1.1,
    },
    { title: '– one node, in memory, µs', rounds: rounds.map(([whole]) => whole!) },
    { title: '– two nodes with Redis, together, µs', rounds: rounds.map(([, split]) => split!) },
  ];
}
