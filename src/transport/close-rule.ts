import { MAX_TIMER_MS } from '../primitives/deadlines.ts';
import { DEVELOPMENT } from '../development.ts';
import type { CloseCause } from './transport.ts';

/** What to do after a loss: try again by the usual backoff, stop, or try again after so many ms, without jitter. */
export type CloseRule = 'retry' | 'stop' | { readonly delayMs: number };

/** Rules of an app, by close code or by a function. Where they say nothing, the table of PROTOCOL.md does. */
export type CloseRules = ((cause: CloseCause) => CloseRule | undefined) | { readonly [code: number]: CloseRule };

/** In production, too: what a function gives is known at run time alone. @throws TypeError for what is no rule */
export function checkCloseRule(name: string, rule: unknown): void {
  const { delayMs } = Object(rule) as { readonly delayMs?: unknown };
  if (rule === 'retry' || rule === 'stop') return;
  if (typeof delayMs === 'number' && delayMs >= 0 && delayMs <= MAX_TIMER_MS) return;
  throw new TypeError(DEVELOPMENT ? describe(name, rule) : name);
}

function describe(name: string, rule: unknown): string {
  const what = typeof rule === 'string' ? rule : (JSON.stringify(rule) ?? typeof rule);
  return `${name} must be 'retry', 'stop' or { delayMs } from 0 to ${MAX_TIMER_MS}, not ${what}`;
}
