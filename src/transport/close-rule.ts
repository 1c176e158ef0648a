import type { CloseCause } from './transport.ts';

/** What to do after a loss: try again by the usual backoff, stop, or try again after so many ms, without jitter. */
export type CloseRule = 'retry' | 'stop' | { readonly delayMs: number };

/** Rules of an app, by close code or by a function. Where they say nothing, the table of PROTOCOL.md does. */
export type CloseRules = ((cause: CloseCause) => CloseRule | undefined) | { readonly [code: number]: CloseRule };

/**
 * Checks rules as far as they can be.
 * @throws TypeError for what is no rule
 */
export function checkCloseRules(rules: CloseRules | undefined): CloseRules | undefined {
  if (rules === undefined || typeof rules === 'function') return rules;
  if (typeof rules !== 'object' || rules === null) {
    throw new TypeError(`reconnect.onClose must be a function or a table by close code, not ${String(rules)}`);
  }
  for (const [code, rule] of Object.entries(rules)) checkRule(`reconnect.onClose[${code}]`, rule);
  return { ...rules };
}

/** What the app says of a loss; nothing when its function throws or gives nonsense, which is reported. */
export function ruleOf(
  rules: CloseRules | undefined,
  cause: CloseCause,
  onError: (error: unknown) => void,
): CloseRule | undefined {
  if (typeof rules !== 'function') return rules?.[cause.code];
  try {
    const rule = rules(cause);
    if (rule !== undefined) checkRule('what reconnect.onClose gives', rule);
    return rule;
  } catch (error) {
    onError(error);
    return undefined;
  }
}

/** `setTimeout` takes 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;

function checkRule(name: string, rule: unknown): void {
  if (rule === 'retry' || rule === 'stop') return;
  const { delayMs } = Object(rule) as { readonly delayMs?: unknown };
  if (typeof delayMs === 'number' && delayMs >= 0 && delayMs <= MAX_DELAY_MS) return;
  throw new TypeError(`${name} must be 'retry', 'stop' or { delayMs } from 0 to ${MAX_DELAY_MS}, not ${quote(rule)}`);
}

function quote(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
}
