/** One figure of a row, and what it has to be. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly must: number;
  readonly better: 'more' | 'less';
}

/** What is measured by one name. */
export interface Row {
  readonly name: string;
  readonly title: string;
  measure(): Promise<readonly Figure[]>;
}

/** A figure that may be no more. */
export function most(what: string, value: number, must: number): Figure {
  return { what, value, must, better: 'less' };
}

/** A share, shown in percent, that may be no less. */
export function share(what: string, value: number, must: number): Figure {
  return { what: `${what}, %`, value: value * 100, must: must * 100, better: 'more' };
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/** Not where there is no figure. */
export function isReached({ value, must, better }: Figure): boolean {
  return better === 'more' ? value >= must : value <= must;
}

/** One line of the table. */
export function line(title: string, figure: Figure): string {
  const { what, value, must, better } = figure;
  const limit = `${better === 'more' ? '≥' : '≤'} ${number(must)}`;
  return `${title.padEnd(48)}${what.padEnd(26)}${number(value).padStart(9)}   ${limit.padEnd(10)}${isReached(figure) ? '✓' : '✗'}`;
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 }).replaceAll(',', ' ');
}
