import { SuperJSON, type SuperJSONResult } from 'superjson';
import { DEVELOPMENT } from '../development.ts';
import type { Codec } from '../payload.ts';
import { vetAnnotations } from './annotations.ts';
import { badSlots } from './bad-payload.ts';
import { carriableCopy } from './carriable-copy.ts';
import { readJson, writing } from './json.ts';
import { restoreKeys } from './odd-keys.ts';
import { isPlain } from './plain-json.ts';

/** Of our own, so that what an app registers for other uses never meets what a peer sends. */
const engine = new SuperJSON({ dedupe: false });

// Bytes as base64 (RFC 4648, padded). An array of numbers, as the package writes them, is read, too.
const bytes = {
  isApplicable: (value: unknown): value is Uint8Array => value instanceof Uint8Array,
  // `toBase64` is not everywhere yet.
  serialize: (items: Uint8Array) => btoa(items.reduce((text, byte) => text + String.fromCharCode(byte), '')),
  deserialize: (text: string) => Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0)),
};
engine.registerCustom(bytes, 'Uint8Array');

/**
 * JSON that also carries `undefined`, NaN, infinities, `-0`, bigints (at most 1000 digits), Date, Map, Set, URL and
 * typed arrays of integers, bytes as base64. At most 10 000 such values travel at once, and 50 000 times `undefined`. Plain
 * values travel as plain JSON. What is reached by several ways arrives as copies.
 */
export const superjson: Codec = {
  name: 'superjson',
  encode(value) {
    if (value === undefined) return '';
    const copy = isPlain(value, true) ? undefined : carriableCopy(value);
    return writing(() => {
      if (copy === undefined) return JSON.stringify(value);
      const { json, meta } = engine.serialize(copy);
      // No referentialEqualities: for the package, equal bigints are references to one object.
      const vetted = JSON.stringify({ values: meta?.values ?? {}, v: 1 });
      // `JSON.parse` of V8 since 12.8 can take a key with escapes for another key that it saw at the same place and that
      // equals the beginning of the escaped text (nodejs/node issue 63785): the path `a\.` for the path `a\\`. Paths have
      // backslashes before dots; written as `\u005c`, none looks like the beginning of another.
      return `${JSON.stringify(json)},${vetted.replaceAll('\\\\', '\\u005c')}`;
    });
  },
  decode(json, meta, isVetted) {
    if (!isVetted) readJson(json);
    if (meta === undefined || meta === null) return json;
    vetAnnotations(json, meta);
    try {
      const value: unknown = engine.deserialize({ json, meta } as SuperJSONResult, { inPlace: true });
      restoreKeys(value);
      return value;
    } catch (error) {
      throw badSlots(DEVELOPMENT && 'its annotations can not be read', error);
    }
  },
};
