import { DEVELOPMENT } from '../development.ts';
import type { Position } from './messages.ts';

/*
 * The parts of messages, as JSON gave them. What has one way to be wrong is a predicate; what has several returns
 * what is wrong, or null.
 */

/** What is said in production of slots that a peer should not have sent. */
export const MALFORMED = 'malformed';

/** A positive safe integer. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** A safe integer, 0 or more. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A contract path: 1 to 512 characters. */
export function isPath(value: unknown): value is string {
  return isText(value, 512);
}

/** A filled topic path: 1 to 1024 characters. */
export function isTopic(value: unknown): value is string {
  return isText(value, 1024);
}

/** `[epoch, offset]`. */
export function isPosition(value: unknown): value is Position {
  return Array.isArray(value) && isText(value[0], 64) && isCount(value[1]);
}

/** At least one id, and nothing but ids. */
export function isFloor(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isId);
}

/** Absent, or an object whose `deadlineMs` is a duration. */
export function isHeaders(value: unknown): boolean {
  return value === undefined || value === null || (isObject(value) && isOptional(value.deadlineMs, isDuration));
}

/** `{code, message, retryAfterMs?, issues?}`, whatever the issues are. */
export function isError(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) &&
    isText(value.code, Infinity) &&
    typeof value.message === 'string' &&
    isOptional(value.retryAfterMs, isDuration)
  );
}

/** More than this is of no use to anybody. */
const MOST_ISSUES = 16;

/**
 * Leaves of an error's issues what has their shape, `{message, path?}`, 16 at most. They explain, and nothing depends
 * on them: an error whose issues can't be read is an error all the same.
 */
export function tidyIssues(error: Record<string, unknown>): void {
  if (error.issues === undefined) return;
  const given: readonly unknown[] = Array.isArray(error.issues) ? error.issues : [];
  const issues = given.filter(isIssue).slice(0, MOST_ISSUES);
  if (issues.length === 0) delete error.issues;
  else error.issues = issues.map(({ message, path }) => (path === undefined ? { message } : { message, path }));
}

function isIssue(value: unknown): value is { readonly message: string; readonly path?: unknown } {
  return isObject(value) && isString(value.message) && isOptional(value.path, isIssuePath);
}

function isIssuePath(value: unknown): boolean {
  return Array.isArray(value) && value.every((step) => typeof step === 'string' || Number.isFinite(step));
}

/** What is wrong with the fields of a hello, or `null`. */
export function helloProblem(value: unknown): string | null {
  if (!isObject(value)) return 'it must carry an object';
  const { client, n, floor, token, codec, features, sdk } = value;
  if (typeof client !== 'string' || !/^[\w-]{22,64}$/.test(client)) {
    return 'client must be 22 to 64 characters of A-Z a-z 0-9 _ -';
  }
  if (!isId(n)) return 'n must be a positive safe integer';
  if (!isFloor(floor)) return 'floor must be an array of at least one positive safe integer';
  if (![token, codec, sdk].every((text) => isOptional(text, isString))) return 'token, codec and sdk must be strings';
  return isOptional(features, isStrings) ? null : 'features must be an array of strings';
}

/** What is wrong with the fields of a welcome, or `null`. */
export function welcomeProblem(value: unknown): string | null {
  if (!isObject(value)) return DEVELOPMENT ? 'it must carry an object' : MALFORMED;
  const { memory, identity, windowMs, heartbeatMs, limits, features } = value;
  if (!isText(memory, Infinity)) return DEVELOPMENT ? 'memory must be a string of at least one character' : MALFORMED;
  if (typeof identity !== 'string') return DEVELOPMENT ? 'identity must be a string' : MALFORMED;
  if (!isDuration(windowMs)) return DEVELOPMENT ? 'windowMs must be a number, 0 or more' : MALFORMED;
  if (!isDuration(heartbeatMs) || heartbeatMs === 0) {
    return DEVELOPMENT ? 'heartbeatMs must be a number above 0' : MALFORMED;
  }
  if (!isObject(limits)) return DEVELOPMENT ? 'limits must be an object' : MALFORMED;
  for (const name of ['frameBytes', 'calls', 'streams', 'items', 'subscriptions']) {
    if (!isId(limits[name])) return DEVELOPMENT ? `limits.${name} must be a positive safe integer` : MALFORMED;
  }
  if ((limits.calls as number) < 8) return DEVELOPMENT ? 'limits.calls must be 8 or more' : MALFORMED;
  return isOptional(features, isStrings) ? null : DEVELOPMENT ? 'features must be an array of strings' : MALFORMED;
}

/** What is wrong with the fields of a goaway, or `null`. */
export function goAwayProblem(value: unknown): string | null {
  if (!isObject(value)) return DEVELOPMENT ? 'it must carry an object' : MALFORMED;
  if (typeof value.reason !== 'string') return DEVELOPMENT ? 'reason must be a string' : MALFORMED;
  return isDuration(value.afterMs) && isDuration(value.withinMs)
    ? null
    : DEVELOPMENT
      ? 'afterMs and withinMs must be numbers, 0 or more'
      : MALFORMED;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every(isString);
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= most;
}

/** JSON can write a number so large that it reads as Infinity. */
function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

function isOptional(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || check(value);
}
