import type { Headers } from '../protocol/messages.ts';
import { utf8Length } from '../protocol/utf8.ts';
import type { CallOptions } from './call-options.ts';

/** The headers of one call. */
export interface CallHeaders {
  /** UTF-8 bytes of the app's own. */
  readonly bytes: number;
  /** As they are written, with the time that is left. */
  readonly at: (leftMs: number) => Headers | null;
}

const none: CallHeaders = {
  bytes: 0,
  // JSON has no Infinity: a call that may take for ever names no time.
  at: (leftMs) => (leftMs === Infinity ? null : { deadlineMs: Math.ceil(leftMs) }),
};

/**
 * Takes the headers of a call as they are now.
 * @throws TypeError for what is no object of texts, and for names that are taken
 */
export function callHeaders(given: CallOptions['headers']): CallHeaders {
  if (given === undefined) return none;
  const entries = isObject(given) ? Object.entries(given) : undefined;
  if (entries?.every(([, value]) => typeof value === 'string') !== true) {
    throw new TypeError("headers must be an object of texts: { 'x-tenant': 'blue' }");
  }
  for (const name of ['deadlineMs', '__proto__']) {
    if (Object.hasOwn(given, name)) throw new TypeError(`headers: the name ${name} is taken, use another`);
  }
  if (entries.length === 0) return none;
  const own = { ...given };
  return { bytes: utf8Length(JSON.stringify(own)), at: (leftMs) => ({ ...own, ...none.at(leftMs) }) };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
