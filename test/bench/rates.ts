import type { Work } from './client-side.ts';
import { BURST } from './pacing.ts';
import { rateOf, type Figures, type Pair, type Row, type Workload } from './workload.ts';

const rate = { shows: 'ratio', better: 'more', rawUnit: '/s' } as const;
const cost = { shows: 'ratio', better: 'less', rawUnit: 'µs' } as const;
const time = { shows: 'ratio', better: 'less', rawUnit: 'ms' } as const;

/** What one of them costs each side, for whoever looks for the reason. */
const COSTS: readonly Row[] = [
  { title: '– CPU at the client', figure: 'clientCost', ...cost },
  { title: '– CPU at the server', figure: 'serverCost', ...cost },
];
const WALL: Row = { title: '– wall', figure: 'wall', ...rate };
const BOUND: Row = { title: '– CPU-bound', figure: 'bound', ...rate };

const EVENTS = 30_000;
const ITEMS = 20_000;
const FLOOD = 100_000;
const ACKNOWLEDGED = 20_000;
const SOCKETS = 500;
const PUBLICATIONS = 60;

/** All of a loop is in the queue at once. */
const WIDE_QUEUE = { queue: { maxMessages: FLOOD + 1000, maxBytes: 64 * 1024 * 1024 } };

/** What is asked and answered. */
export const callRates: readonly Workload[] = [
  {
    name: 'calls',
    isShort: true,
    rows: [
      { title: 'calls/s, CPU-bound, 64 in flight', figure: 'bound', ...rate, must: 1.7, aim: 2, floor: 0.75 },
      ...COSTS,
      WALL,
    ],
    prepare: ({ client }, { warmMs }) => client.ask('calls', { inFlight: 64, ms: warmMs }),
    measure: (pair, { ms }) => rateOf(pair, () => pair.client.ask('calls', { inFlight: 64, ms })),
  },
  {
    name: 'calls-1000',
    rows: [
      { title: 'calls/s, wall, 1000 in flight', figure: 'wall', ...rate, must: 1.9, aim: 2.3, floor: 0.75 },
      BOUND,
    ],
    prepare: ({ client }, { warmMs }) => client.ask('calls', { inFlight: 1000, ms: warmMs }),
    measure: (pair, { ms }) => rateOf(pair, () => pair.client.ask('calls', { inFlight: 1000, ms })),
  },
  {
    name: 'bursts',
    isShort: true,
    rows: [
      { title: 'calls/s in bursts of 100, wall', figure: 'wall', ...rate, must: 1.4, aim: 1.6, floor: 0.6 },
      BOUND,
    ],
    prepare: ({ client }, { warmMs }) => client.ask('bursts', { size: 100, ms: warmMs }),
    measure: (pair, { ms }) => rateOf(pair, () => pair.client.ask('bursts', { size: 100, ms })),
  },
  {
    name: 'sequential',
    isShort: true,
    rows: [
      { title: 'sequential calls, p50', figure: 'p50Ms', ...time, must: 1.15, aim: 1.05, floor: 4 },
      { title: '– p99', figure: 'p99Ms', ...time },
      ...COSTS,
    ],
    prepare: ({ client }, { warmMs }) => client.ask('sequential', warmMs),
    measure: (pair, { ms }) => rateOf(pair, () => pair.client.ask('sequential', ms)),
  },
  {
    name: 'first-call',
    rows: [
      { title: 'first answer of a new client, p50', figure: 'p50Ms', ...time, must: 1.4, aim: 1.3, floor: 4 },
      ...COSTS,
    ],
    prepare: ({ client }) => client.ask('firstCalls', 200),
    measure: (pair) => rateOf(pair, () => pair.client.ask('firstCalls', 100)),
  },
];

/** What goes one way. */
export const pushRates: readonly Workload[] = [
  {
    name: 'events',
    isShort: true,
    rows: [
      { title: 'events/s to one subscription, CPU-bound', figure: 'bound', ...rate, must: 3.5, aim: 4.2, floor: 0.45 },
      ...COSTS,
      WALL,
    ],
    prepare: async (pair) => {
      await pair.client.ask('subscribeAll', 'news');
      await hear(pair, 2 * EVENTS);
    },
    measure: (pair, { share }) => rateOf(pair, () => hear(pair, EVENTS * share)),
  },
  {
    name: 'items',
    rows: [
      { title: 'items/s of a stream, CPU-bound', figure: 'bound', ...rate, must: 1.5, aim: 2.5, floor: 0.3 },
      ...COSTS,
      WALL,
    ],
    prepare: ({ client }) => client.ask('items', 2 * ITEMS),
    measure: (pair, { share }) => rateOf(pair, () => pair.client.ask('items', ITEMS * share)),
  },
  {
    name: 'flood',
    isShort: true,
    isOnce: true,
    limits: WIDE_QUEUE,
    rows: [
      { title: 'lossy flood, messages/s, CPU-bound', figure: 'bound', ...rate, must: 1.8, aim: 2.5, floor: 0.6 },
      ...COSTS,
      WALL,
      { title: '– of them arrived', figure: 'arrived', shows: 'figure', better: 'more', rawUnit: '' },
      {
        title: '– growth of RSS at the client',
        figure: 'grownMB',
        ...{ shows: 'ratio', better: 'less', rawUnit: 'MB', must: 0.45, aim: 0.3, floor: 1.6 },
      },
    ],
    // No flood goes before it: memory that a first one took would not be taken anew by a second.
    prepare: async ({ client }, { warmMs }) => {
      await client.ask('publish', { count: 5000, inFlight: 64 });
      await client.ask('calls', { inFlight: 64, ms: warmMs });
    },
    measure: flood,
  },
  {
    name: 'acknowledged',
    limits: WIDE_QUEUE,
    rows: [
      { title: 'acknowledged publishes/s, CPU-bound', figure: 'bound', ...rate, must: 1.2, aim: 1.7, floor: 0.5 },
      ...COSTS,
      WALL,
    ],
    prepare: ({ client }) => client.ask('publish', { count: ACKNOWLEDGED, inFlight: ACKNOWLEDGED }),
    measure: (pair) => rateOf(pair, () => pair.client.ask('publish', { count: ACKNOWLEDGED, inFlight: ACKNOWLEDGED })),
  },
  {
    name: 'fan-out',
    isShort: true,
    rows: [
      {
        title: 'fan-out to 500 sockets, server CPU a delivery',
        figure: 'serverCost',
        ...cost,
        must: 0.9,
        aim: 0.8,
        floor: 1.8,
      },
    ],
    prepare: async (pair) => {
      await pair.client.ask('connectMore', SOCKETS - 1);
      await pair.client.ask('subscribeAll', 'news');
      await hearAll(pair, PUBLICATIONS);
    },
    measure: (pair, { share }) => rateOf(pair, () => hearAll(pair, PUBLICATIONS * share)),
  },
];

function hear(pair: Pair, count: number): Promise<Work> {
  return publishAndHear(pair, { count, burst: BURST, clients: 1 });
}

/** One publication in a turn of the loop: none shares a frame with another. */
function hearAll(pair: Pair, count: number): Promise<Work> {
  return publishAndHear(pair, { count, burst: 1, clients: SOCKETS });
}

async function publishAndHear(
  { client, server }: Pair,
  { count, burst, clients }: { count: number; burst: number; clients: number },
): Promise<Work> {
  await client.ask('expectEvents', count * clients);
  await server.ask('publish', { topic: 'news', count, burst });
  return client.ask('heard');
}

/** What counts is what arrives: a server that has too much to do may drop some. */
async function flood(pair: Pair): Promise<Figures> {
  const before = await pair.server.ask('taken');
  let taken = 0;
  const figures = await rateOf(pair, async () => {
    const work = await pair.client.ask('flood', FLOOD);
    taken = (await pair.server.ask('taken')) - before;
    return { ...work, count: taken };
  });
  // One more than the flood: the acknowledged one at its end.
  return { ...figures, arrived: (taken - 1) / FLOOD };
}
