import type { PeerName } from './peers/peer.ts';
import type { Figures, Row } from './workload.ts';

/** What each peer showed in one turn; nothing of those that failed. */
export type Turn = ReadonlyMap<PeerName, Figures>;

/** The turns of one round, all of the same processes. */
export type Round = readonly Turn[];

/** Median of the rounds, and how far they were apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** How a figure compares with what is wanted; `failed` is worse than noise explains. */
export type Verdict = 'aim' | 'must' | 'missed' | 'failed' | 'none';

/**
 * What a row shows of a peer. Ratios to raw are taken within a turn, where both had the same neighbours; a round is the
 * median of its turns. `undefined` where no turn has a figure.
 */
export function spreadOf(row: Row, peer: PeerName, rounds: readonly Round[]): Spread | undefined {
  return spread(rounds, (turn) => {
    const [value, raw] = [turn.get(peer)?.[row.figure], turn.get('raw')?.[row.figure]];
    if (row.shows !== 'ratio') return value;
    return value === undefined || raw === undefined ? undefined : value / raw;
  });
}

/** Raw's own figures. */
export function rawSpread(row: Row, rounds: readonly Round[]): Spread | undefined {
  return spread(rounds, (turn) => turn.get('raw')?.[row.figure]);
}

/** How a median compares with what is wanted. */
export function judge({ better, must, aim, floor }: Row, median: number): Verdict {
  const reaches = (wanted: number): boolean => (better === 'more' ? median >= wanted : median <= wanted);
  if (must === undefined) return 'none';
  if (aim !== undefined && reaches(aim)) return 'aim';
  if (reaches(must)) return 'must';
  return floor === undefined || reaches(floor) ? 'missed' : 'failed';
}

function spread(rounds: readonly Round[], figure: (turn: Turn) => number | undefined): Spread | undefined {
  const medians = rounds.flatMap((turns) => median(turns.flatMap((turn) => figure(turn) ?? [])) ?? []);
  const middle = median(medians);
  return middle === undefined ? undefined : { median: middle, min: Math.min(...medians), max: Math.max(...medians) };
}

function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
