import { spreadOf } from '../../../src/server/peers/session-table.ts';
import { simulateHerd } from '../../helpers/reconnect-simulation.ts';
import { amongSmall, slowTransfer } from '../../helpers/slow-line.ts';
import { most, percentile, share, type Figure, type Row } from './figures.ts';
import { closes, refuses, World } from './world.ts';

const SEED = 1;
/** What a server says by default that it takes in, a second. */
const RATE = 500;

/** Lines that break after so many seconds, again and again, for five minutes; each client calls twice a second. */
async function reset(seconds: number, clients = 20): Promise<World> {
  const world = new World(SEED);
  world.endpoint = world.serves(world.server, seconds * 1_000);
  world.join(clients);
  await world.run(5_000);
  world.every(500, () => world.users.forEach((user) => void user.call()));
  await world.run(600_000);
  return world;
}

/** Share of time connected, of all clients. */
const connected = ({ users, now }: World): number =>
  1 - users.reduce((sum, { awayMs }) => sum + awayMs, 0) / (users.length * now);

async function resetFigures(seconds: number, least: number): Promise<readonly Figure[]> {
  using world = await reset(seconds);
  const times = world.users.flatMap(({ answered }) => answered);
  return [
    share('connected', connected(world), least),
    share('answered within 5 s', times.filter((ms) => ms <= 5_000).length / times.length, 0.98),
  ];
}

async function balancerFigures(seconds: number): Promise<readonly Figure[]> {
  using world = await reset(seconds);
  const times = world.users.flatMap(({ answered }) => answered);
  return [share('connected', connected(world), 0.99), most('p99 of a call, s', percentile(times, 0.99) / 1_000, 0.6)];
}

/** Of the client that tries most, of 50 that were connected before: one attempt is the first. */
async function acceptAndClose(): Promise<readonly Figure[]> {
  let [in20, in60] = [0, 0];
  for (let seed = 1; seed <= 50; seed++) {
    using world = new World(seed);
    world.endpoint = world.serves(world.server);
    world.join(1);
    await world.run(30_000);
    world.endpoint = closes(1006);
    const from = world.attempts.length;
    world.cut();
    await world.run(70_000);
    const starts = world.attempts.slice(from);
    const within = (ms: number): number => starts.filter((at) => at <= starts[0]! + ms).length;
    [in20, in60] = [Math.max(in20, within(20_000)), Math.max(in60, within(60_000))];
  }
  return [most('connections in 20 s', in20, 8), most('in 60 s', in60, 14)];
}

function herd(clients: number): readonly Figure[] {
  const spreadMs = spreadOf(clients, RATE);
  const result = simulateHerd({
    clients,
    code: 1006,
    spreadMs,
    acceptsPerSecond: RATE,
    refusalMs: 1_000,
    seed: SEED,
  });
  return [
    most('attempts a client', result.attemptsPerClient, 2.2),
    most('99 % back, s', result.almostAllBackMs / 1_000, (clients / RATE) * 1.7 + 1),
  ];
}

/** 200 clients, whose server closes, within some time; the next one is there 300 ms after it has gone. */
async function plannedRestart(withinMs: number): Promise<readonly Figure[]> {
  using world = new World(SEED);
  const old = world.server;
  world.endpoint = world.serves(old);
  world.join(200);
  await world.run(30_000);
  void old.close({ withinMs }).then(() => {
    world.attempts.length = 0;
    world.endpoint = refuses;
    world.after(300, () => (world.endpoint = world.serves(world.server)));
  });
  await world.run(60_000);
  const back = world.users.map(({ away }) => away.at(-1)! / 1_000);
  const peak = Math.max(
    ...world.attempts.map((from) => world.attempts.filter((at) => at >= from && at < from + 100).length),
  );
  return [
    most('median back, s', percentile(back, 0.5), 1),
    most('all back, s', Math.max(...back), 3),
    most('attempts in 100 ms', peak, 60),
  ];
}

/**
 * The one that serves closes within 10 s, another takes who comes, as soon as a balancer has noticed: two processes, or
 * two servers of one process, one after the other on its port.
 */
async function handedOver(noticedMs: number): Promise<readonly Figure[]> {
  using world = new World(SEED);
  const [old, next] = [world.server, world.server];
  world.endpoint = world.serves(old);
  world.join(200);
  await world.run(30_000);
  const before = world.users.map(({ away }) => away.length);
  world.every(500, () => world.users.forEach((user) => void user.call()));
  world.after(noticedMs, () => (world.endpoint = world.serves(next)));
  let closedMs = Infinity;
  const from = world.now;
  void old.close({ withinMs: 10_000 }).then(() => (closedMs = world.now - from));
  await world.run(60_000);
  const lost = world.users.filter(({ away }, n) => away.length > before[n]!).length;
  const failed = world.users.flatMap(({ answered }) => answered).filter((ms) => ms === Infinity).length;
  return [
    most('clients away', lost, 0),
    most('mutations that failed', failed, 0),
    most('closed after, s', closedMs / 1_000, 10.1),
  ];
}

async function outage(): Promise<readonly Figure[]> {
  let last = 0;
  for (let seed = 1; seed <= 5; seed++) {
    using world = new World(seed);
    world.endpoint = world.serves(world.server);
    world.join(200);
    await world.run(30_000);
    world.endpoint = refuses;
    world.cut();
    world.after(8_000, () => (world.endpoint = world.serves(world.server)));
    await world.run(60_000);
    last = Math.max(last, ...world.users.map(({ away }) => away.at(-1)! - 8_000));
  }
  return [most('all back after it, s', last / 1_000, 5)];
}

/** What 100 clients wait after four attempts that are refused and one that meets an overloaded server. */
async function overload(): Promise<readonly Figure[]> {
  const waits: number[] = [];
  for (let seed = 1; seed <= 100; seed++) {
    using world = new World(seed);
    const { attempts } = world;
    world.endpoint = (peer) => (attempts.length <= 4 ? refuses(peer) : closes(1013)(peer));
    world.join(1);
    while (attempts.length < 6) await world.run(1_000);
    waits.push((attempts[5]! - attempts[4]!) / 1_000);
  }
  return [
    { what: 'least wait, s', value: Math.min(...waits), must: 15, better: 'more' },
    most('most, s', Math.max(...waits), 60.1),
  ];
}

async function wake(): Promise<readonly Figure[]> {
  using world = new World(SEED);
  world.endpoint = world.serves(world.server);
  world.join(20);
  await world.run(30_000);
  world.freeze();
  const from = world.now;
  for (const { connection } of world.users) connection.wake();
  await world.run(30_000);
  return [most('back, s', Math.max(...world.users.map(({ connectedAt }) => connectedAt - from)) / 1_000, 2.1)];
}

/** A message of 900 kB on a line of 20 kB/s, in which kernels hide megabytes, and two small calls a second meanwhile. */
async function slowLine(what: 'report' | 'store'): Promise<readonly Figure[]> {
  using world = new World(SEED);
  const transfer = slowTransfer(what, 900_000);
  await world.run(120_000);
  const { result, ratio, smallMs, runs, reconnects } = await transfer.done;
  await transfer.close();
  return [
    most('time, of that of its bytes', result === 900_000 ? ratio : Infinity, 1.3),
    most('times that its handler ran', runs, 1),
    most('p99 of a small call, s', percentile(smallMs, 0.99) / 1_000, 3),
    most('lost connections', reconnects, 0),
  ];
}

/** A call of 100 kB among 60 small ones. */
async function frameLimit(what: 'report' | 'store'): Promise<readonly Figure[]> {
  using world = new World(SEED);
  const calls = amongSmall(what);
  await world.run(30_000);
  const { failed, large, resets } = await calls.done;
  await calls.close();
  return [
    most('small calls that failed', failed, 0),
    most('large ones that failed', large ? 0 : 1, 0),
    most('resets', resets, 1),
  ];
}

/** What is measured, by name. */
export const ROWS: readonly Row[] = [
  { name: 'reset-3', title: 'each line is reset after 3 s', measure: () => resetFigures(3, 0.85) },
  { name: 'reset-8', title: 'each line is reset after 8 s', measure: () => resetFigures(8, 0.94) },
  { name: 'reset-12', title: 'each line is reset after 12 s', measure: () => resetFigures(12, 0.96) },
  { name: 'balancer-30', title: 'a balancer cuts each line after 30 s', measure: () => balancerFigures(30) },
  { name: 'balancer-180', title: 'a balancer cuts each line after 180 s', measure: () => balancerFigures(180) },
  { name: 'accept-close', title: 'a server accepts and closes at once', measure: acceptAndClose },
  ...[100, 1_000, 10_000, 100_000].map((clients) => ({
    name: `herd-${clients}`,
    title: `${clients} clients lose a server that takes 500/s`,
    measure: async () => herd(clients),
  })),
  { name: 'restart', title: 'close(), 200 clients, next server 300 ms later', measure: () => plannedRestart(0) },
  { name: 'restart-within', title: 'close({ withinMs: 10_000 }), the same', measure: () => plannedRestart(10_000) },
  { name: 'two-processes', title: 'the same, another behind a balancer', measure: () => handedOver(1_000) },
  { name: 'same-port', title: 'the same, another on its port', measure: () => handedOver(0) },
  { name: 'outage', title: 'crash, refused for 8 s, 200 clients', measure: outage },
  { name: 'overload', title: 'four refusals, then one 1013', measure: overload },
  { name: 'slow-answer', title: '900 kB down a line of 20 kB/s', measure: () => slowLine('report') },
  { name: 'slow-input', title: '900 kB up a line of 20 kB/s', measure: () => slowLine('store') },
  { name: 'limit-answer', title: '100 kB down, reset above 64 KiB in one go', measure: () => frameLimit('report') },
  { name: 'limit-input', title: '100 kB up, reset above 64 KiB in one go', measure: () => frameLimit('store') },
  { name: 'wake', title: 'a wake signal on a dead line', measure: wake },
];
