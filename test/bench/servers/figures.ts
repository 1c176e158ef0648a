/** What was measured, and what it has to be. */
export interface Figure {
  readonly title: string;
  /** One of each round. */
  readonly rounds: readonly number[];
  /** The median may be no more. @default it is there to be seen */
  readonly must?: number;
}

const TITLE = 56;
const MUST = 6;
const MEASURED = 22;

/** The first lines of the table. */
export const HEADER: string = [
  row('', 'must', 'median (least–most)', ' '),
  `| ${'-'.repeat(TITLE)} | ${'-'.repeat(MUST - 1)}: | ${'-'.repeat(MEASURED - 1)}: | - |`,
].join('\n');

/** One line of the table. */
export function line(figure: Figure): string {
  const { title, rounds, must } = figure;
  const measured = `${number(median(rounds))} (${number(Math.min(...rounds))}–${number(Math.max(...rounds))})`;
  if (must === undefined) return row(title, '', measured, ' ');
  return row(title, `≤ ${number(must)}`, measured, isReached(figure) ? '✓' : '✗');
}

/** Not where there is no figure. */
export function isReached({ rounds, must }: Figure): boolean {
  return must === undefined || median(rounds) <= must;
}

/** The value that such a part is not above; NaN of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/** NaN of none. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

function row(title: string, must: string, measured: string, mark: string): string {
  return `| ${title.padEnd(TITLE)} | ${must.padStart(MUST)} | ${measured.padStart(MEASURED)} | ${mark} |`;
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2, useGrouping: false });
}
