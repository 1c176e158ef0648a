import type { Codec } from '../payload.ts';
import { DEVELOPMENT } from '../development.ts';
import { badSlots, unfitValue, unwritableValue } from './bad-payload.ts';
import { explainOddPart } from './explain.ts';
import { isPlain } from './plain-json.ts';

const REMEDY =
  DEVELOPMENT &&
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
    if (!isPlain(value, false)) throw unfitValue(DEVELOPMENT && explainOddPart(value, false), REMEDY);
    return writing(() => JSON.stringify(value));
  },
  decode(json, meta, isVetted = false) {
    if (meta !== undefined && meta !== null) throw badSlots(DEVELOPMENT && 'plain JSON has no meta');
    return isVetted ? json : readJson(json);
  },
};

/**
 * Writes a value in which no fault was found.
 * @throws TautlineError `BAD_PAYLOAD` when it can't be written all the same.
 */
export function writing(write: () => string): string {
  try {
    return write();
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
  if (json === undefined || isPlain(json, false)) return json;
  throw badSlots(DEVELOPMENT && explainOddPart(json, false));
}
