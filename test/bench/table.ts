import type { PeerName } from './peers/peer.ts';
import { judge, rawSpread, spreadOf, type Round, type Spread } from './results.ts';
import type { Row } from './workload.ts';

const TITLE = 52;
const LIMIT = 10;
const CELL = 27;

const MARKS = { aim: '✓✓', must: '✓', missed: '✗', failed: '✗✗', none: '' } as const;

/** What the marks say. */
export const LEGEND: string =
  '✓✓ reaches the aim, ✓ the must, ✗ neither, ✗✗ is worse than noise explains. ' +
  'Median (least–most) of the rounds, as a ratio to raw; heap in bytes, shares and flat costs as they are.';

/** The first line. */
export function header(peers: readonly PeerName[]): string {
  const cells = [...peers.map((peer) => peer.padEnd(CELL)), 'raw itself'];
  return ''.padEnd(TITLE) + 'must'.padEnd(LIMIT) + 'aim'.padEnd(LIMIT) + cells.join('');
}

/** One line. */
export function line(row: Row, peers: readonly PeerName[], rounds: readonly Round[]): string {
  const sign = row.better === 'more' ? '≥ ' : '≤ ';
  const limit = (value: number | undefined): string =>
    (value === undefined ? '' : sign + number(value, value < 20 ? 2 : 0)).padEnd(LIMIT);
  const cells = peers.map((peer) => {
    const found = spreadOf(row, peer, rounds);
    if (found === undefined) return '–'.padEnd(CELL);
    const mark = peer === 'tautline' ? MARKS[judge(row, found.median)] : '';
    return `${range(found)} ${mark}`.padEnd(CELL);
  });
  const raw = rawSpread(row, rounds);
  const own = raw === undefined ? '' : `${number(raw.median)} ${row.rawUnit}`;
  return row.title.padEnd(TITLE) + limit(row.must) + limit(row.aim) + cells.join('') + own;
}

function range({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)}–${number(max)})`;
}

function number(value: number, digits = value < 0.1 ? 3 : value < 100 ? 2 : 0): string {
  return value
    .toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: digits, useGrouping: true })
    .replaceAll(',', ' ');
}
