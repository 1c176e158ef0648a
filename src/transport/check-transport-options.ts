import { MAX_TIMER_MS } from '../primitives/deadlines.ts';
import { checkCloseRule } from './close-rule.ts';

/* What options must be. All of it is for development. */

/** Options that nobody has looked at. */
type Unchecked = { readonly [name: string]: unknown };

/**
 * @throws TypeError for a value of the wrong type
 * @throws RangeError for a number that makes no sense
 */
export function checkTransportOptions(given: object): void {
  const options = given as Unchecked;
  const { url, protocols, reconnect, heartbeat, suspendAfterHiddenMs } = options;
  if (typeof url !== 'string' && typeof url !== 'function' && !(url instanceof URL)) {
    throw new TypeError(`url must be a string, a URL or a function that gives one, not ${describe(url)}`);
  }
  // Against a page it would be the page itself: an address that was never set, as a rule.
  if (url === '')
    throw new TypeError("url is empty: give '/ws', or a whole URL; is the setting that it comes from there?");
  if (protocols !== undefined && !Array.isArray(protocols)) {
    throw new TypeError(`protocols must be an array, not ${describe(protocols)}`);
  }
  checkFunction('WebSocket', options.WebSocket);
  checkDuration('connectTimeoutMs', options.connectTimeoutMs);
  if (reconnect !== undefined && reconnect !== false) checkReconnect(reconnect as Unchecked);
  if (heartbeat !== undefined && heartbeat !== false) checkHeartbeat(heartbeat as Unchecked);
  checkLifecycle(options.lifecycle);
  if (suspendAfterHiddenMs !== 0) checkDuration('suspendAfterHiddenMs', suspendAfterHiddenMs);
  checkFunction('random', options.random);
  checkFunction('onError', options.onError);
}

/** @throws TypeError for what is neither a function nor undefined */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, not ${describe(value)}`);
  }
}

function checkReconnect(options: Unchecked): void {
  for (const name of ['firstMs', 'sharedFirstMs', 'capMs', 'stableAfterMs'] as const) {
    checkDuration(`reconnect.${name}`, options[name]);
  }
  const { maxAttempts = Infinity, onClose = {} } = options;
  if (maxAttempts !== Infinity && !(Number.isSafeInteger(maxAttempts) && (maxAttempts as number) >= 1)) {
    throw new RangeError(
      `reconnect.maxAttempts must be a whole number from 1, or Infinity, not ${describe(maxAttempts)}`,
    );
  }
  if (typeof onClose === 'function') return;
  if (typeof onClose !== 'object' || onClose === null) {
    throw new TypeError(`reconnect.onClose must be a function or a table by close code, not ${String(onClose)}`);
  }
  for (const [code, rule] of Object.entries(onClose)) checkCloseRule(`reconnect.onClose[${code}]`, rule);
}

function checkHeartbeat(options: Unchecked): void {
  for (const name of ['intervalMs', 'timeoutMs', 'probeMs'] as const) {
    checkDuration(`heartbeat.${name}`, options[name]);
  }
}

function checkLifecycle(lifecycle: unknown): void {
  if (lifecycle === undefined || lifecycle === false) return;
  const { listen, hidden } = Object(lifecycle) as { readonly listen?: unknown; readonly hidden?: unknown };
  if (typeof listen === 'function' && typeof hidden === 'function') return;
  throw new TypeError(`lifecycle must be false or have the methods listen and hidden, not ${describe(lifecycle)}`);
}

function checkDuration(name: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number of ms, not ${describe(value)}`);
  if (!(value > 0 && value <= MAX_TIMER_MS)) {
    throw new RangeError(`${name} must be more than 0 and at most ${MAX_TIMER_MS} ms, not ${value}`);
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
