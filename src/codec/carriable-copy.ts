import { DEVELOPMENT } from '../development.ts';
import { isTautlineError } from '../errors.ts';
import { BIGINT, countAnnotations, typedArray } from './annotations.ts';
import { unfitValue } from './bad-payload.ts';
import { describeAt, describeOddity, describeValue, PROTO_KEY, THREW, TOO_DEEP } from './explain.ts';
import { escapeKey } from './odd-keys.ts';
import { isOdd, isPlainAt, MAX_DEPTH } from './plain-json.ts';

/**
 * A copy of a value that the superjson package carries without a loss: a tree (what was shared is there twice) of
 * plain objects, arrays, Maps, Sets, Dates, URLs, typed arrays and primitives. The package by itself throws on some
 * keys and silently changes what it doesn't know: instances of classes, functions, Blobs, invalid Dates.
 * @throws TautlineError `BAD_PAYLOAD` for a value that it can't carry.
 */
export function carriableCopy(value: unknown): unknown {
  const copier = new Copier();
  try {
    return copier.copy(value, 1);
  } catch (error) {
    if (DEVELOPMENT && isTautlineError(error)) throw error;
    throw unfitValue(DEVELOPMENT && describeAt(copier.path, THREW), REMEDY);
  }
}

const REMEDY = DEVELOPMENT && 'Send its data as a plain object.';

type Fields = Record<string, unknown>;

class Copier {
  /** In development: where the copier is, or was when it threw. */
  readonly path: (string | number)[] = [];
  /** In development: the containers that it is in. In production the limit of depth ends a cycle. */
  readonly #parents = new Set<object>();
  readonly #above = countAnnotations();

  copy(value: unknown, depth: number): unknown {
    if (typeof value === 'object' && value !== null) return this.#copyObject(value, depth);
    if (isPlainAt(value, true, depth)) return value;
    if (typeof value === 'bigint' ? BIGINT.test(String(value)) : typeof value === 'number' || value === undefined) {
      return this.#annotated(value);
    }
    throw unfitValue(DEVELOPMENT && describeAt(this.path, describePrimitive(value)), REMEDY);
  }

  #copyObject(value: object, depth: number): unknown {
    if (value instanceof Date ? Number.isFinite(value.getTime()) : value instanceof URL) return this.#annotated(value);
    if (DEVELOPMENT) {
      if (this.#parents.has(value)) throw unfitValue(describeAt(this.path, 'part of a cycle'), REMEDY);
      this.#parents.add(value);
    }
    // A Map is two levels of arrays; a Set within a Set is two levels of annotations.
    const deeper = value instanceof Map || value instanceof Set ? depth + 2 : depth + 1;
    if (deeper > MAX_DEPTH + 1) throw unfitValue(DEVELOPMENT && describeAt(this.path, TOO_DEEP), REMEDY);
    const copy = this.#copyContainer(value, deeper);
    if (DEVELOPMENT) this.#parents.delete(value);
    return copy;
  }

  #copyContainer(value: object, depth: number): unknown {
    // A Node Buffer, which the package can't read back, becomes the Uint8Array that it is.
    const Make =
      ArrayBuffer.isView(value) && typedArray((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]);
    if (Make) return this.#annotated(new Make(value as Uint8Array));
    if (value instanceof Set) {
      const copyItem = (item: unknown, index: number) => this.#copyAt(item, depth, index);
      return this.#annotated(new Set(Array.from(value, copyItem)));
    }
    if (value instanceof Map) {
      const copyEntry = ([key, item]: [unknown, unknown], index: number) =>
        [this.#copyAt(key, depth, index, 'key'), this.#copyAt(item, depth, index, 'value')] as const;
      return this.#annotated(new Map(Array.from(value, copyEntry)));
    }
    if (isOdd(value)) throw unfitValue(DEVELOPMENT && describeAt(this.path, describeOddObject(value)), REMEDY);
    const copy = Array.isArray(value) ? [] : {};
    // Of an array only the items: it may have named properties, too.
    for (const key of (Array.isArray(value) ? value.keys() : Object.keys(value)) as Iterable<string>) {
      if (DEVELOPMENT) this.path.push(key);
      if (key === '__proto__' || !(key in value)) {
        const what = DEVELOPMENT && describeAt(this.path, key === '__proto__' ? PROTO_KEY : 'an empty slot');
        throw unfitValue(what, REMEDY);
      }
      (copy as Fields)[escapeKey(key)] = this.copy((value as Fields)[key], depth);
      if (DEVELOPMENT) this.path.pop();
    }
    return copy;
  }

  /** The same below some keys. */
  #copyAt(value: unknown, depth: number, ...keys: readonly (string | number)[]): unknown {
    if (DEVELOPMENT) this.path.push(...keys);
    const copy = this.copy(value, depth);
    if (DEVELOPMENT) this.path.length -= keys.length;
    return copy;
  }

  #annotated(value: unknown): unknown {
    const most = this.#above(value === undefined);
    if (!most) return value;
    throw unfitValue(
      DEVELOPMENT && describeAt(this.path, `one of more than ${most} values that are not plain JSON`),
      DEVELOPMENT && 'Send fewer at a time, or plain values: texts, numbers.',
    );
  }
}

function describeOddObject(value: object): string {
  return value instanceof Date ? 'an invalid Date' : describeOddity(value)!;
}

function describePrimitive(value: unknown): string {
  return typeof value === 'bigint' ? 'a bigint of more than 1000 digits' : describeValue(value);
}
