import { Child } from './child-process.ts';
import type { SideTask } from './child.ts';
import type { ClientOperations, Work } from './client-side.ts';
import type { RaisedLimits } from './peers/peer.ts';
import type { ServerOperations } from './server-side.ts';

/** A server and a client of one peer that is connected to it, each a process of its own. */
export interface Pair {
  readonly server: Child<ServerOperations>;
  readonly client: Child<ClientOperations>;
}

/** What one measurement found, by name. */
export type Figures = Readonly<Record<string, number>>;

/** How much is done. */
export interface Scale {
  /** Before anything is measured, ms of CPU at the client. */
  readonly warmMs: number;
  /** Times that the peers take turns in a round. */
  readonly turns: number;
  /** One turn of what is bounded by time, ms of CPU at the client. */
  readonly ms: number;
  /** One turn of what is counted: this share of it. */
  readonly share: number;
}

/** A line of the table: one figure of a workload. */
export interface Row {
  readonly title: string;
  readonly figure: string;
  /** Divided by that of raw in the same turn, or shown as it is. */
  readonly shows: 'ratio' | 'figure';
  readonly better: 'more' | 'less';
  readonly must?: number;
  readonly aim?: number;
  /** What no noise brings about: worse than that is a failure. Half of what must be much, twice what must be little. */
  readonly floor?: number;
  /** How raw's own figure reads. */
  readonly rawUnit: string;
}

/** What is done with each peer in a round, in new processes. */
export interface Workload {
  /** As `--rows` takes it. */
  readonly name: string;
  readonly isShort?: boolean;
  readonly limits?: RaisedLimits;
  /** Nothing of the other libraries. */
  readonly ownOnly?: boolean;
  /** It can be done once in the life of a process. */
  readonly isOnce?: boolean;
  readonly rows: readonly Row[];
  /** Makes it warm. */
  readonly prepare: (pair: Pair, scale: Scale) => Promise<unknown>;
  /** One turn. */
  readonly measure: (pair: Pair, scale: Scale) => Promise<Figures>;
}

/** A server and a client of a peer, connected. Whatever becomes of them, they are ended by `killChildren`. */
export async function startPair(task: Omit<SideTask, 'side'>): Promise<Pair> {
  const child = (side: SideTask['side']) => ({
    name: `the ${side} of ${task.peer}`,
    module: new URL('child.ts', import.meta.url),
    argument: { ...task, side } satisfies SideTask,
  });
  const [server, client] = await Promise.all([
    Child.start<ServerOperations>(child('server')),
    Child.start<ClientOperations>(child('client')),
  ]);
  await client.ask('connect', await server.ask('port'));
  return { server, client };
}

/** Rates and costs of work that the client counts and measures for itself. */
export async function rateOf<Done extends Work>(
  { server }: Pair,
  work: () => Promise<Done>,
): Promise<Figures & { readonly bound: number }> {
  const before = await server.ask('cpuMs');
  const { count, wallMs, cpuMs, ...more } = await work();
  const serverMs = (await server.ask('cpuMs')) - before;
  return {
    ...more,
    /** A second of the CPU of the busier process: the rate that it could keep up at best. */
    bound: (count / Math.max(cpuMs, serverMs)) * 1000,
    wall: (count / wallMs) * 1000,
    clientCost: (cpuMs / count) * 1000,
    serverCost: (serverMs / count) * 1000,
  };
}
