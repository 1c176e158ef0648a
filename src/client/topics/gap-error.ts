import { DEVELOPMENT } from '../../development.ts';
import { TautlineError } from '../../errors.ts';
import type { Gap } from './subscription.ts';

/** The error of a gap that nobody takes. */
export function gapError(
  { name, path }: { readonly name: string; readonly path: string },
  gap: Gap,
  remedy: string | false,
): TautlineError {
  const what = DEVELOPMENT && `${name}: events were lost after ${gap.from?.join(':') ?? 'the beginning'}.`;
  return new TautlineError('GAP', what, { outcome: 'unknown', path, data: gap, cause: gap.error, remedy });
}
