import { DEVELOPMENT } from '../../development.ts';

/** @throws RangeError unless the number is above 0. */
export function checkPositive(name: string, value: number): void {
  if (typeof value === 'number' && value > 0) return;
  throw new RangeError(DEVELOPMENT ? `${name} must be a number above 0, not ${String(value)}` : name);
}
