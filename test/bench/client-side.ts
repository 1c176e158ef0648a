import { order } from './order.ts';
import type { Peer, PeerClient, RaisedLimits } from './peers/peer.ts';
import { settledHeap, startSpending, timeLimit, watchMemory, type Spent } from './spent.ts';

/** How often something was done, and what that took at the client. */
export interface Work extends Spent {
  readonly count: number;
}

/** What the process of a client can be asked to do. */
export type ClientOperations = Awaited<ReturnType<typeof connectClients>>;

/** Clients of one server; the first of them does what is asked for. */
export async function connectClients(peer: Peer, limits: RaisedLimits) {
  const connector = await peer.connector(limits);
  const clients: PeerClient[] = [];
  let port = 0;
  const first = (): PeerClient => clients[0]!;
  const connect = async (): Promise<PeerClient> => {
    const client = connector(port);
    clients.push(client);
    await client.connected();
    return client;
  };
  return {
    connect: async (to: number) => {
      port = to;
      await connect();
    },
    connectMore: async (count: number) => {
      for (let made = 0; made < count; made++) await connect();
    },
    firstCalls: async (count: number) => firstCalls(() => connector(port), count),
    calls: async (load: { inFlight: number; ms: number }) => calls(first(), load),
    bursts: async (load: { size: number; ms: number }) => bursts(first(), load),
    sequential: async (ms: number) => sequential(first(), ms),
    items: async (count: number) => items(first(), count),
    publish: async (load: { count: number; inFlight: number }) => publish(first(), load),
    flood: async (count: number) => flood(first(), count),
    ...listening(clients),
    ...holding(first),
  };
}

/** Calls, with so many in flight all the time, until the client has spent so much CPU. */
async function calls(client: PeerClient, { inFlight, ms }: { inFlight: number; ms: number }): Promise<Work> {
  const spent = startSpending();
  const isOver = timeLimit(ms, 64);
  let count = 0;
  const caller = async (): Promise<void> => {
    while (!isOver()) {
      await client.call(order);
      count++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return { count, ...spent() };
}

/** So many calls at once, again when all of them are answered, until the client has spent so much CPU. */
async function bursts(client: PeerClient, { size, ms }: { size: number; ms: number }): Promise<Work> {
  const spent = startSpending();
  const isOver = timeLimit(ms, 1);
  let count = 0;
  for (; !isOver(); count += size) {
    await Promise.all(Array.from({ length: size }, () => client.call(order)));
  }
  return { count, ...spent() };
}

/** Calls one after the other, until the client has spent so much CPU. */
async function sequential(client: PeerClient, ms: number): Promise<Work & { p50Ms: number; p99Ms: number }> {
  const spent = startSpending();
  const isOver = timeLimit(ms, 16);
  const times: number[] = [];
  while (!isOver()) {
    const start = performance.now();
    await client.call(order);
    times.push(performance.now() - start);
  }
  return { count: times.length, ...spent(), p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

/** New clients, one after the other: from making one to its first answer. */
async function firstCalls(connect: () => PeerClient, count: number): Promise<Work & { p50Ms: number }> {
  const spent = startSpending();
  const times: number[] = [];
  for (let made = 0; made < count; made++) {
    const start = performance.now();
    const client = connect();
    await client.call(order);
    times.push(performance.now() - start);
    await client.close();
  }
  return { count, ...spent(), p50Ms: quantile(times, 0.5) };
}

async function items(client: PeerClient, count: number): Promise<Work> {
  const spent = startSpending();
  let read = 0;
  await client.readItems(count, () => read++);
  if (read !== count) throw new Error(`${read} of ${count} items were read`);
  return { count, ...spent() };
}

/** Publishes that are acknowledged, with so many in flight all the time. */
async function publish(client: PeerClient, { count, inFlight }: { count: number; inFlight: number }): Promise<Work> {
  const spent = startSpending();
  let made = 0;
  const publisher = async (): Promise<void> => {
    while (made++ < count) await client.publish('flood', order);
  };
  await Promise.all(Array.from({ length: Math.min(count, inFlight) }, publisher));
  return { count, ...spent() };
}

async function flood(client: PeerClient, count: number): Promise<Work & { grownMB: number }> {
  const memory = watchMemory();
  const spent = startSpending();
  const done = client.flood('flood', order, count);
  memory.look();
  await done;
  return { count, ...spent(), grownMB: memory.end() / 1_000_000 };
}

/** Events of topics. */
function listening(clients: readonly PeerClient[]) {
  let expected = 0;
  let heard = 0;
  let spent: () => Spent;
  let result: Promise<Work>;
  let whenAll: (work: Work) => void;
  const listener = (): void => {
    if (++heard === expected) whenAll({ count: heard, ...spent() });
  };
  return {
    subscribeAll: async (topic: string) => {
      for (const client of clients) await client.subscribe(topic, listener);
    },
    /** From now on; the time does not stand still until the first one comes. */
    expectEvents: async (count: number) => {
      [heard, expected] = [0, count];
      result = new Promise((resolve) => (whenAll = resolve));
      spent = startSpending();
    },
    heard: async () => result,
  };
}

/** What stays: topics that are subscribed to, and calls without an answer. */
function holding(client: () => PeerClient) {
  const nobody = (): void => undefined;
  let subscribed = 0;
  let pending = 0;
  const subscribeTo = async (count: number): Promise<void> => {
    const ready: Promise<unknown>[] = [];
    for (const end = subscribed + count; subscribed < end; subscribed++) {
      ready.push(client().subscribe(`news-${subscribed}`, nobody));
    }
    await Promise.all(ready);
  };
  const callInVain = async (count: number): Promise<void> => {
    for (const end = pending + count; pending < end; pending++) client().callInVain(order).catch(nobody);
    // An answer to what was sent after them: none of them waits for the socket.
    await client().call(order);
  };
  const grown = async (count: number, what: (count: number) => Promise<void>): Promise<number> => {
    const before = await settledHeap();
    await what(count);
    return ((await settledHeap()) - before) / count;
  };
  return {
    subscribeTo,
    callInVain,
    heapOfSubscriptions: (count: number) => grown(count, subscribeTo),
    heapOfPendingCalls: (count: number) => grown(count, callInVain),
  };
}

function quantile(values: number[], share: number): number {
  return values.sort((one, other) => one - other)[Math.floor(values.length * share)]!;
}
