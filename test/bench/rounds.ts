import { killChildren } from './child-process.ts';
import type { BenchOptions } from './options.ts';
import type { PeerName } from './peers/peer.ts';
import type { Round, Turn } from './results.ts';
import { startPair, type Figures, type Pair, type Scale, type Workload } from './workload.ts';

const FULL: Scale = { warmMs: 800, turns: 3, ms: 300, share: 1 };
const SHORT: Scale = { warmMs: 800, turns: 3, ms: 200, share: 0.5 };

/**
 * Does a workload with all peers in rounds. Each round has processes of its own, as no two are alike in what was
 * optimised when; a short run has the same for all rounds of what can be repeated.
 */
export async function measureRounds(workload: Workload, options: BenchOptions): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  const isRepeated = options.isShort && workload.isOnce !== true;
  try {
    let contest: Contest | undefined;
    while (rounds.length < options.rounds) {
      if (contest === undefined || !isRepeated) {
        await killChildren();
        contest = new Contest(workload, options);
        await contest.start();
      }
      rounds.push(await contest.round());
    }
  } finally {
    await killChildren();
  }
  return rounds;
}

/** Peers take short turns, so that what else the machine does falls on all of them. */
class Contest {
  readonly #workload: Workload;
  readonly #options: BenchOptions;
  readonly #scale: Scale;
  readonly #pairs = new Map<PeerName, Pair>();

  constructor(workload: Workload, options: BenchOptions) {
    this.#workload = workload;
    this.#options = options;
    this.#scale = options.isShort ? SHORT : FULL;
  }

  async start(): Promise<void> {
    const others = this.#workload.ownOnly === true ? [] : this.#options.peers;
    for (const peer of ['raw', 'tautline', ...others] as const) await this.#attempt(peer, () => this.#start(peer));
  }

  async round(): Promise<Round> {
    const turns: Turn[] = [];
    while (turns.length < (this.#workload.isOnce === true ? 1 : this.#scale.turns)) {
      const turn = new Map<PeerName, Figures>();
      for (const [peer, pair] of this.#pairs) {
        await this.#attempt(peer, async () => turn.set(peer, await this.#workload.measure(pair, this.#scale)));
      }
      turns.push(turn);
    }
    return turns;
  }

  async #start(peer: PeerName): Promise<void> {
    const pair = await startPair({ peer, source: this.#options.source, limits: this.#workload.limits ?? {} });
    await this.#workload.prepare(pair, this.#scale);
    this.#pairs.set(peer, pair);
  }

  /** Another library that can't do what is asked for says nothing about ours. */
  async #attempt(peer: PeerName, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (peer === 'raw' || peer === 'tautline') throw error;
      console.error(`${this.#workload.name}: ${String(error)}`);
      this.#pairs.delete(peer);
    }
  }
}
