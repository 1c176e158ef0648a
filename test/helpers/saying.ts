import { expect } from 'vitest';
import { DEVELOPMENT } from '../../src/development.ts';

/** Matches a message that has this text or pattern; in production, where messages say less, any message. */
export function saying(what: string | RegExp): unknown {
  if (!DEVELOPMENT) return expect.any(String);
  return typeof what === 'string' ? expect.stringContaining(what) : expect.stringMatching(what);
}
