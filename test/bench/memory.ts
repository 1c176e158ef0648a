import { rateOf, type Pair, type Scale, type Workload } from './workload.ts';

const PENDING = 1000;
const SUBSCRIPTIONS = 10_000;
const IDLE = 500;

const bytes = { shows: 'figure', better: 'less', rawUnit: 'bytes' } as const;

/** What one of something takes of the heap. */
export const heaps: readonly Workload[] = [
  {
    name: 'heap-calls',
    isOnce: true,
    limits: { server: { calls: 1024 } },
    rows: [{ title: 'heap of a pending call, bytes', figure: 'each', ...bytes, must: 900, aim: 700, floor: 1800 }],
    prepare: ({ client }, { warmMs }) => client.ask('calls', { inFlight: PENDING, ms: warmMs }),
    measure: async ({ client }) => ({ each: await client.ask('heapOfPendingCalls', PENDING) }),
  },
  {
    name: 'heap-subscriptions',
    isOnce: true,
    limits: { server: { subscriptions: SUBSCRIPTIONS + 1000 } },
    rows: [{ title: 'heap of a subscription, bytes', figure: 'each', ...bytes, must: 700, aim: 500, floor: 1400 }],
    prepare: ({ client }) => client.ask('subscribeTo', 500),
    measure: async ({ client }) => ({ each: await client.ask('heapOfSubscriptions', SUBSCRIPTIONS) }),
  },
  {
    name: 'idle',
    isOnce: true,
    rows: [
      {
        title: 'heap of an idle connection, server, bytes',
        figure: 'each',
        ...bytes,
        must: 9000,
        aim: 7000,
        floor: 18_000,
      },
    ],
    prepare: ({ client }) => client.ask('connectMore', 100),
    measure: async ({ client, server }) => {
      const before = await server.ask('heap');
      await client.ask('connectMore', IDLE);
      return { each: ((await server.ask('heap')) - before) / IDLE };
    },
  },
];

const flat = { shows: 'figure', better: 'more', rawUnit: '', must: 0.85, floor: 0.42 } as const;

/** What calls cost beside much that is there and not used. */
export const flatness: readonly Workload[] = [
  {
    name: 'flat-topics',
    ownOnly: true,
    isOnce: true,
    limits: { server: { subscriptions: SUBSCRIPTIONS + 1000 } },
    rows: [
      { title: 'calls/s beside 100 topics, of that beside 1', figure: 'hundred', ...flat },
      { title: 'calls/s beside 10 000 topics, of that beside 1', figure: 'many', ...flat },
    ],
    prepare: warm,
    measure: (pair, scale) => besides([1, 100, 10_000], (count) => pair.client.ask('subscribeTo', count), pair, scale),
  },
  {
    name: 'flat-pending',
    ownOnly: true,
    isOnce: true,
    // 900 that are never answered, and 64 beside them.
    limits: { server: { calls: 1024 } },
    rows: [
      { title: 'calls/s beside 100 calls pending, of that beside 1', figure: 'hundred', ...flat },
      { title: 'calls/s beside 900 calls pending, of that beside 1', figure: 'many', ...flat },
    ],
    prepare: warm,
    measure: (pair, scale) => besides([1, 100, 900], (count) => pair.client.ask('callInVain', count), pair, scale),
  },
  {
    name: 'flat-queue',
    ownOnly: true,
    isOnce: true,
    limits: { queue: { maxMessages: 11_000, maxBytes: 16 * 1024 * 1024 } },
    rows: [{ title: 'calls/s, 10 000 at a time, of that with 256', figure: 'many', ...flat }],
    prepare: warm,
    measure: async (pair, scale) => {
      await boundRate(pair, 256, scale);
      const window = await boundRate(pair, 256, scale);
      return { many: (await boundRate(pair, 10_000, scale)) / window };
    },
  },
];

function warm({ client }: Pair, { warmMs }: Scale): Promise<unknown> {
  return client.ask('calls', { inFlight: 64, ms: warmMs * 3 });
}

/** Rates of calls when there are so many of something: those with the second and the third number to that with the first. */
async function besides(
  numbers: readonly [number, number, number],
  add: (count: number) => Promise<unknown>,
  pair: Pair,
  scale: Scale,
): Promise<{ hundred: number; many: number }> {
  let there = 0;
  const rates: number[] = [];
  for (const wanted of numbers) {
    await add(wanted - there);
    there = wanted;
    // What the others are compared with is to be as warm as they are.
    if (rates.length === 0) await boundRate(pair, 64, scale);
    rates.push(await boundRate(pair, 64, scale));
  }
  const [one, hundred, many] = rates as [number, number, number];
  return { hundred: hundred / one, many: many / one };
}

/** Calls in a second of CPU of the busier process. */
async function boundRate(pair: Pair, inFlight: number, { ms, turns }: Scale): Promise<number> {
  const { bound } = await rateOf(pair, () => pair.client.ask('calls', { inFlight, ms: ms * turns }));
  return bound;
}
