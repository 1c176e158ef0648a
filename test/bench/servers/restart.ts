import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../child-process.ts';
import { openFrontDoor } from './balancers.ts';
import type { ClientsOperations, ClientsTask, Phase } from './clients.ts';
import type { Figure } from './figures.ts';
import { startNode } from './start.ts';

const ROUNDS = 3;
const BEFORE_MS = 10_000;
const NODES = ['one', 'two'];

/** How it is done. */
export interface RestartOptions extends Omit<ClientsTask, 'url'> {
  readonly redis: string;
  /** Of each node: clients move in the first four fifths of it. */
  readonly withinMs: number;
  /** Both nodes, one after the other, so often. */
  readonly rounds: number;
  /** Before each. */
  readonly beforeMs: number;
  /** For Node. */
  readonly execArgv?: readonly string[];
}

/** What became of it. */
export interface Restarted {
  readonly balancer: string;
  readonly rounds: ReadonlyArray<{ readonly before: Phase; readonly during: Phase }>;
  readonly end: Awaited<ReturnType<ClientsOperations['end']>>;
}

/** Ends two nodes behind a balancer, one after the other, and starts each anew, while clients call and listen. */
export async function restartAll(options: RestartOptions): Promise<Restarted> {
  const { redis, withinMs, beforeMs, execArgv = [], rounds: times, ...load } = options;
  await using stack = new AsyncDisposableStack();
  const door = await openFrontDoor(NODES);
  stack.defer(() => door.close());
  const start = async (name: string) => {
    const path = door.path(name);
    const node = await startNode({ redis, ...(path !== undefined && { path }) }, execArgv);
    stack.defer(() => node.kill());
    await door.join(node);
    return node;
  };
  const nodes = await Promise.all(NODES.map(start));
  const clients = await Child.start<ClientsOperations>({
    name: 'clients',
    module: new URL('clients.ts', import.meta.url),
    argument: { ...load, url: `ws://127.0.0.1:${door.port}/ws` } satisfies ClientsTask,
    execArgv,
  });
  stack.defer(() => clients.kill());
  const rounds: Array<{ readonly before: Phase; readonly during: Phase }> = [];
  while (rounds.length < times) {
    await clients.ask('phase');
    await delay(beforeMs);
    const before = await clients.ask('phase');
    for (const [at, name] of NODES.entries()) {
      await door.leave(nodes[at]!);
      await nodes[at]!.ask('leave', withinMs);
      await nodes[at]!.kill();
      nodes[at] = await start(name);
    }
    rounds.push({ before, during: await clients.ask('phase') });
  }
  return { balancer: door.name, rounds, end: await clients.ask('end') };
}

/** What a rolling restart costs 200 clients. */
export async function restart(redis: string): Promise<readonly Figure[]> {
  const { balancer, rounds, end } = await restartAll({
    redis,
    clients: 200,
    queryEveryMs: 2_000,
    tickEveryMs: 40_000,
    withinMs: 10_000,
    rounds: ROUNDS,
    beforeMs: BEFORE_MS,
  });
  const sum = (what: 'calls' | 'failed' | 'away' | 'events'): readonly number[] => [
    rounds.reduce((all, { during }) => all + during[what], 0),
  ];
  const of = (which: 'before' | 'during', what: keyof Phase): readonly number[] =>
    rounds.map((round) => round[which][what]);
  const pair = (title: string, what: keyof Phase): readonly Figure[] => [
    { title: `– p99 of ${title}, before, ms`, rounds: of('before', what) },
    { title: `– p99 of ${title}, during the restart, ms`, rounds: of('during', what) },
  ];
  return [
    { title: `restart behind ${balancer}: calls failed`, rounds: sum('failed'), must: 0 },
    { title: '– events lost', rounds: [end.lost], must: 0 },
    { title: '– events doubled', rounds: [end.doubled], must: 0 },
    { title: '– gaps told', rounds: [end.gaps], must: 0 },
    { title: '– times that a client had no connection', rounds: sum('away') },
    { title: '– calls answered meanwhile', rounds: sum('calls') },
    { title: '– events heard meanwhile', rounds: sum('events') },
    ...pair('a query', 'queryP99'),
    ...pair('a mutation', 'mutationP99'),
    ...pair('an event', 'eventP99'),
  ];
}
