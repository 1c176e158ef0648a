import type { Codec } from '../payload.ts';
import { badSlots, unfitValue, unwritableValue } from './bad-payload.ts';
import { findFault } from './plain-json.ts';

const REMEDY =
  'Let the contract use the superjson codec (dates, maps, sets, URLs, bigints, undefined, NaN), ' +
  'or send what plain JSON has: a text, a number, a plain object.';

/**
 * Plain JSON, the default. A value that `JSON.stringify` would change is refused, with two exceptions: a property
 * that is `undefined` is left off, and `-0` arrives as `0`.
 */
export const json: Codec = {
  name: 'json',
  encode(value) {
    if (value === undefined) return '';
    const fault = findFault(value, false);
    if (fault !== undefined) throw unfitValue(fault, REMEDY);
    return writeJson(value);
  },
  decode(json, meta, isVetted = false) {
    if (meta !== undefined && meta !== null) throw badSlots('plain JSON has no meta');
    return isVetted ? json : readJson(json);
  },
};

/**
 * The text of a value in which no fault was found.
 * @throws TautlineError `BAD_PAYLOAD` when it can't be written all the same.
 */
export function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw unwritableValue(error);
  }
}

/**
 * Looks through a value that `JSON.parse` made: it must not be too deep, nor own a key `__proto__`, which
 * `JSON.parse` makes and which pollutes a prototype as soon as the object is copied by assignment.
 * @throws TautlineError `BAD_PAYLOAD`
 */
export function readJson(json: unknown): unknown {
  const fault = json === undefined ? undefined : findFault(json, false);
  if (fault !== undefined) throw badSlots(`${fault.path} is ${fault.what}`);
  return json;
}
