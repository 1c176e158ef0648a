/* Many clients that call, publish and listen, and count what they miss: in a process of their own. */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, createClient, type Connection } from 'tautline';
import { answerParent, childArgument } from '../answer-parent.ts';
import { order } from '../order.ts';
import { contract, type Tick } from './contract.ts';
import { percentile } from './figures.ts';

/** What it is told at its start. */
export interface ClientsTask {
  readonly url: string;
  readonly clients: number;
  /** Each client asks so often. */
  readonly queryEveryMs: number;
  /** And has an event published to all so often. */
  readonly tickEveryMs: number;
  /** Who is told to move does not spread over the time that there is. @default false */
  readonly moveAtOnce?: boolean;
}

/** What it can be asked to do. */
export type ClientsOperations = typeof operations;

/** What has come to pass since the last time that it was asked. */
export interface Phase {
  readonly calls: number;
  readonly failed: number;
  readonly events: number;
  /** Times that a client had no connection. */
  readonly away: number;
  /** 99th percentiles, ms. Of an event: from the call that published it. */
  readonly queryP99: number;
  readonly mutationP99: number;
  readonly eventP99: number;
}

/** In the end what was published must have come within this time, ms. */
const LAST_MS = 10_000;

const { url, clients, queryEveryMs, tickEveryMs, moveAtOnce = false } = childArgument<ClientsTask>();
let phase = begin();
let [published, heard, doubled, lost, gaps] = [0, 0, 0, 0, 0];
let isOver = false;
let allHeard = (): void => undefined;

function begin() {
  return { failed: 0, away: 0, queries: [] as number[], mutations: [] as number[], events: [] as number[] };
}

function hear({ run, n, at }: Tick, last: Map<string, number>): void {
  phase.events.push(performance.now() - at);
  const before = last.get(run) ?? -1;
  last.set(run, Math.max(n, before));
  if (n <= before) doubled++;
  else {
    lost += n - before - 1;
    heard++;
  }
  if (isOver && heard === published * clients) allHeard();
}

/** Does it again and again, at random moments. */
async function repeat(every: number, times: () => number[], call: () => Promise<unknown>): Promise<void> {
  while (!isOver) {
    await delay((0.5 + Math.random()) * every);
    const begun = performance.now();
    try {
      await call();
      times().push(performance.now() - begun);
    } catch {
      phase.failed++;
    }
  }
}

async function join(
  name: string,
): Promise<{ readonly connection: Connection; readonly begin: () => Promise<unknown> }> {
  const connection = connect(url, moveAtOnce ? { random: () => 0 } : {});
  const client = createClient(contract, connection);
  const last = new Map<string, number>();
  await client.ticks().subscribe({ event: (tick) => hear(tick, last), gap: () => gaps++ }).ready;
  let isUp = true;
  connection.on('status', ({ state }) => {
    if (isUp && state !== 'connected' && state !== 'closed') phase.away++;
    isUp = state === 'connected';
  });
  let [run, n] = [0, 0];
  const tick = async (): Promise<void> => {
    try {
      await client.tick({ run: `${name}, ${run}`, n, at: performance.now() });
      n++;
      published++;
    } catch (error) {
      // Whether this one was done nobody knows, so the next ones count anew.
      [run, n] = [run + 1, 0];
      throw error;
    }
  };
  return {
    connection,
    begin: () =>
      Promise.all([
        repeat(
          queryEveryMs,
          () => phase.queries,
          () => client.echo(order),
        ),
        repeat(tickEveryMs, () => phase.mutations, tick),
      ]),
  };
}

const joined = await Promise.all(Array.from({ length: clients }, (_, index) => join(String(index))));
const running = joined.map((client) => client.begin());

const operations = {
  /** Begins a new one. */
  phase: async (): Promise<Phase> => {
    const { failed, away, queries, mutations, events } = phase;
    phase = begin();
    return {
      calls: queries.length + mutations.length,
      failed,
      events: events.length,
      away,
      queryP99: percentile(queries, 0.99),
      mutationP99: percentile(mutations, 0.99),
      eventP99: percentile(events, 0.99),
    };
  },
  /** Calls no more. What became of the events, when all are heard or given up. */
  end: async () => {
    isOver = true;
    await Promise.all(running);
    const all = new Promise<void>((resolve) => (allHeard = resolve));
    if (heard < published * clients) await Promise.race([all, delay(LAST_MS)]);
    const late = Math.max(0, published * clients - heard - lost);
    await Promise.all(joined.map(({ connection }) => connection.close()));
    return { published, lost: lost + late, doubled, gaps };
  },
};
answerParent(operations);
