import type { TautlineError } from 'tautline';

/** What became of something that the user did and that failed. `message` of the error is for developers. */
export function words({ code, outcome }: Pick<TautlineError, 'code' | 'outcome'>): string {
  if (code === 'GONE') return 'Somebody has removed that card.';
  if (outcome === 'unknown') return 'The line was lost meanwhile. Look whether it was done.';
  return 'It was not done. Try again.';
}
