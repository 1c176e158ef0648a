import type { Random } from '../random.ts';

/** What one world of people in rooms is like. Drawn from its seed. */
export interface PresencePlan {
  readonly nodes: number;
  /** Servers share a store and a broker; else there is one, with both in its process. */
  readonly isShared: boolean;
  readonly users: number;
  readonly troubleMs: number;
  readonly graceMs: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  /** Longest that a step takes to the store, and back, ms. */
  readonly delayMs: number;
  readonly latencyMs: readonly [least: number, most: number];
  readonly lostCloses: number;
  /** Mean time between two things that a user does, two troubles, and two of the store and the broker, ms. */
  readonly userMs: number;
  readonly faultMs: number;
  /** None: Infinity. */
  readonly storeFaultMs: number;
  /** The broker stands on what the store does, and loses its histories when that loses something. */
  readonly isOneRedis: boolean;
  /** Servers die or are replaced, too. */
  readonly deaths: boolean;
}

export function drawPresencePlan(random: Random): PresencePlan {
  const nodes = random.pick([1, 2, 2, 3]);
  const storeFaultMs = random.pick([Infinity, Infinity, 3_000, 8_000]);
  const isOneRedis = random.chance(0.5);
  return {
    nodes,
    isShared: nodes > 1 || random.chance(0.5),
    users: random.between(2, 3),
    troubleMs: random.between(20_000, 40_000),
    graceMs: random.between(2_500, 6_000),
    leaseMs: random.between(3_000, 6_000),
    heartbeatMs: random.between(1_500, 8_000),
    timeoutMs: random.between(400, 2_000),
    delayMs: random.pick([1, 4, 40]),
    latencyMs: random.pick([
      [0, 2],
      [1, 20],
      [10, 120],
    ] as const),
    lostCloses: random.pick([0, 0.1, 0.5]),
    userMs: random.between(150, 600),
    faultMs: random.between(400, 2_000),
    storeFaultMs,
    isOneRedis,
    // Of one who died when another store had lost him nobody knows.
    deaths: random.chance(0.6) && (isOneRedis || storeFaultMs === Infinity),
  };
}
