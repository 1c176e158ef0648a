import type { Random } from './random.ts';

/** What servers remember calls in together. */
export interface StorePlan {
  /** Longest that a step takes to it, and back, ms. */
  readonly delayMs: number;
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly answers: number;
  readonly answerBytes: number;
  /** Mean time between two of its troubles, ms. */
  readonly faultMs: number;
}

/** What one world is like. Drawn from its seed. */
export interface Plan {
  readonly seed: number;
  /** Time in which things go wrong, ms. */
  readonly troubleMs: number;
  readonly users: number;
  readonly nodes: 1 | 2 | 3;
  /** `undefined`: each server remembers the calls of its own clients. */
  readonly store: StorePlan | undefined;
  /** `memory`: one in the servers' process, which they share. `remote`: every answer takes time. */
  readonly broker: 'memory' | 'remote';
  readonly historySize: number;
  /** Servers die, and what they remember with them. */
  readonly deaths: boolean;
  /** Everyone is anonymous; or tokens that the app replaces; or a cookie that changes behind the page's back. */
  readonly identities: 'none' | 'tokens' | 'cookie';
  readonly windowMs: number;
  readonly heartbeatMs: number;
  readonly connectTimeoutMs: number;
  readonly calls: number;
  readonly bufferedBytes: number;
  /** Items of a stream that may wait for its reader. */
  readonly items: number;
  readonly highWaterMark: number;
  /** Size of the parts of large messages. */
  readonly partBytes: number;
  /** Longest that `authenticate` and `authorize` take, ms; 0: they answer at once. */
  readonly authMs: number;
  readonly tokenLifeMs: number;
  readonly latencyMs: readonly [least: number, most: number];
  readonly kernelBytes: number;
  readonly lostCloses: number;
  readonly tellsDrained: boolean;
  readonly splits: boolean;
  readonly skipped: number;
  /** The servers have no room for answers, and forget them. */
  readonly isTight: boolean;
  /** Mean time between two troubles, two things that a user does, two publications of the app, ms. */
  readonly faultMs: number;
  readonly userMs: number;
  readonly newsMs: number;
  /** The part of waits that a user does not wait for. */
  readonly impatience: number;
  /** Users leave and come back, suspend, and reconnect. */
  readonly restless: boolean;
  /** Pages move from one socket to the next while both live. */
  readonly moves: boolean;
  /** Servers are replaced as planned. */
  readonly rolls: boolean;
}

/** @param sharesCalls - There are several servers, with one memory of calls. */
export function drawPlan(seed: number, random: Random, sharesCalls: boolean): Plan {
  const plan = drawServers(seed, random);
  if (!sharesCalls) return plan;
  return { ...plan, nodes: random.chance(0.7) ? 2 : 3, store: drawStore(random, plan.isTight) };
}

function drawStore(random: Random, isTight: boolean): StorePlan {
  return {
    delayMs: random.pick([1, 4, 40]),
    leaseMs: random.between(1_000, 4_000),
    timeoutMs: random.between(400, 2_000),
    answers: isTight ? 8 : 1_152,
    answerBytes: isTight ? 2_000 : 1_048_576,
    faultMs: random.pick([600, 3_000, 12_000]),
  };
}

function drawServers(seed: number, random: Random): Plan {
  const nodes = random.chance(0.35) ? 2 : 1;
  const identities = random.weighted<Plan['identities']>([
    [3, 'none'],
    [3, 'tokens'],
    [2, 'cookie'],
  ]);
  return {
    seed,
    troubleMs: random.between(15_000, 40_000),
    users: random.between(2, 3),
    nodes,
    store: undefined,
    broker: random.chance(0.5) ? 'memory' : 'remote',
    historySize: random.chance(0.4) ? 10_000 : random.between(5, 60),
    deaths: random.chance(0.5),
    identities,
    windowMs: random.chance(0.5) ? random.between(2_500, 9_000) : 120_000,
    heartbeatMs: random.between(1_000, 8_000),
    connectTimeoutMs: random.between(1_500, 10_000),
    // Wide enough to be shared among procedures, at times.
    calls: random.chance(0.15) ? 128 : random.between(8, 24),
    bufferedBytes: random.pick([300, 1_000, 4_000, 1_048_576]),
    items: random.pick([2, 8, 256]),
    highWaterMark: random.pick([600, 2_000, 16_000, 1_048_576]),
    partBytes: random.pick([1_024, 1_024, 4_096]),
    authMs: random.pick([0, 20, 300, 2_000]),
    tokenLifeMs: random.pick([1_500, 4_000, 15_000]),
    latencyMs: random.pick([
      [0, 2],
      [1, 20],
      [10, 120],
    ] as const),
    kernelBytes: random.pick([0, 500, 5_000]),
    lostCloses: random.pick([0, 0.1, 0.5]),
    tellsDrained: random.chance(0.5),
    splits: random.chance(0.3),
    skipped: random.chance(0.3) ? 0.05 : 0,
    isTight: random.chance(0.15),
    faultMs: random.chance(0.2) ? random.between(400, 2_000) : random.between(30, 300),
    userMs: random.between(20, 120),
    newsMs: random.between(15, 150),
    impatience: random.pick([0.7, 0.95, 1]),
    restless: random.chance(0.5),
    moves: random.chance(0.6),
    rolls: random.chance(0.4),
  };
}
