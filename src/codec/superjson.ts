import { SuperJSON, type SuperJSONResult } from 'superjson';
import type { Codec } from '../payload.ts';
import { vetAnnotations } from './annotations.ts';
import { badSlots, unfitValue, unwritableValue } from './bad-payload.ts';
import { carriableCopy } from './carriable-copy.ts';
import { readJson, writeJson } from './json.ts';
import { restoreKeys } from './odd-keys.ts';
import { findFault } from './plain-json.ts';

/** Of our own, so that what an app registers for other uses never meets what a peer sends. */
const engine = new SuperJSON({ dedupe: false });

const REMEDY = 'Send its data as a plain object.';

/**
 * JSON that also carries `undefined`, NaN, infinities, `-0`, bigints (at most 1000 digits), Date, Map, Set, URL and
 * typed arrays of integers. Plain values travel as plain JSON. What is reached by several ways arrives as copies.
 */
export const superjson: Codec = {
  name: 'superjson',
  encode(value) {
    if (value === undefined) return '';
    return findFault(value, true) === undefined ? writeJson(value) : encodeRich(value);
  },
  decode(json, meta, isVetted = false) {
    if (!isVetted) readJson(json);
    if (meta === undefined || meta === null) return json;
    vetAnnotations(json, meta);
    const value = revive(json, meta);
    restoreKeys(value);
    return value;
  },
};

function encodeRich(value: unknown): string {
  const carriable = carriableCopy(value);
  if ('fault' in carriable) throw unfitValue(carriable.fault, REMEDY);
  const { json, meta } = serialize(carriable.copy);
  // No referentialEqualities: for the package, equal bigints are references to one object.
  return `${writeJson(json)},${writeMeta({ values: meta?.values ?? {}, v: 1 })}`;
}

/**
 * `JSON.parse` of V8 since 12.8 can take a key with escapes for another key that it saw at the same place and that
 * equals the beginning of the escaped text (nodejs/node issue 63785): the path `a\.` for the path `a\\`. Paths have
 * backslashes before dots; written as `\u005c`, none looks like the beginning of another.
 */
function writeMeta(meta: object): string {
  return writeJson(meta).replaceAll('\\\\', '\\u005c');
}

function serialize(value: unknown): SuperJSONResult {
  try {
    return engine.serialize(value);
  } catch (error) {
    throw unwritableValue(error);
  }
}

function revive(json: unknown, meta: unknown): unknown {
  try {
    return engine.deserialize({ json, meta } as SuperJSONResult, { inPlace: true });
  } catch (error) {
    throw badSlots('its annotations can not be read', error);
  }
}
