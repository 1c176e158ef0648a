import { MAX_ANNOTATIONS, MAX_BIGINT_DIGITS, TYPED_ARRAYS } from './annotations.ts';
import { escapeKey } from './odd-keys.ts';
import {
  describeOddity,
  describePath,
  describeValue,
  type Fault,
  MAX_DEPTH,
  PROTO_KEY,
  TOO_DEEP,
} from './plain-json.ts';

/**
 * A copy of a value that the superjson package carries without a loss: a tree (what was shared is there twice) of
 * plain objects, arrays, Maps, Sets, Dates, URLs, typed arrays and primitives. The package by itself throws on some
 * keys and silently changes what it doesn't know: instances of classes, functions, Blobs, invalid Dates.
 */
export function carriableCopy(value: unknown): { readonly copy: unknown } | { readonly fault: Fault } {
  const copier = new Copier();
  try {
    return { copy: copier.copy(value, 1) };
  } catch (error) {
    const what = error instanceof Unfit ? error.what : 'a property that threw when it was read';
    return { fault: { path: describePath(copier.path), what } };
  }
}

class Unfit {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

class Copier {
  /** Where the copier is; after a throw, where it was. */
  readonly path: (string | number)[] = [];
  readonly #above = new Set<object>();
  #annotations = 0;

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? value : this.#annotated(value);
      case 'undefined':
        return this.#annotated(value);
      case 'bigint':
        if (String(value).replace('-', '').length <= MAX_BIGINT_DIGITS) return this.#annotated(value);
        throw new Unfit(`a bigint of more than ${MAX_BIGINT_DIGITS} digits`);
      case 'object':
        return value === null ? null : this.#copyObject(value, depth);
      default:
        throw new Unfit(describeValue(value));
    }
  }

  #copyObject(value: object, depth: number): unknown {
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw new Unfit('an invalid Date');
      return this.#annotated(value);
    }
    if (value instanceof URL) return this.#annotated(value);
    if (this.#above.has(value)) throw new Unfit('part of a cycle');
    if (depth > MAX_DEPTH) throw new Unfit(TOO_DEEP);
    this.#above.add(value);
    const copy = this.#copyContainer(value, depth);
    this.#above.delete(value);
    return copy;
  }

  #copyContainer(value: object, depth: number): unknown {
    if (ArrayBuffer.isView(value)) return this.#copyTypedArray(value);
    if (value instanceof Map || value instanceof Set) {
      // A Map is two levels of arrays; a Set within a Set is two levels of annotations.
      if (depth + 1 > MAX_DEPTH) throw new Unfit(TOO_DEEP);
      this.#annotated(value);
      return value instanceof Map ? this.#copyMap(value, depth + 2) : this.#copySet(value, depth + 2);
    }
    const oddity = describeOddity(value);
    if (oddity !== undefined) throw new Unfit(oddity);
    return Array.isArray(value) ? this.#copyArray(value, depth + 1) : this.#copyFields(value, depth + 1);
  }

  /** A Node Buffer, which the package can't read back, becomes the Uint8Array that it is. */
  #copyTypedArray(value: ArrayBufferView): unknown {
    const Make = TYPED_ARRAYS.get(String((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]));
    if (Make === undefined) throw new Unfit(describeValue(value));
    return this.#annotated(new Make(value as Uint8Array));
  }

  #copyMap(map: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    const copy = new Map<unknown, unknown>();
    let index = 0;
    for (const [key, item] of map) {
      this.path.push(index++);
      copy.set(this.#at('key', key, depth), this.#at('value', item, depth));
      this.path.pop();
    }
    return copy;
  }

  #copySet(set: ReadonlySet<unknown>, depth: number): unknown {
    return new Set([...set].map((item, index) => this.#at(index, item, depth)));
  }

  #copyArray(array: readonly unknown[], depth: number): unknown {
    const copy: unknown[] = [];
    for (let index = 0; index < array.length; index++) {
      if (!(index in array)) {
        this.path.push(index);
        throw new Unfit('an empty slot');
      }
      copy.push(this.#at(index, array[index], depth));
    }
    return copy;
  }

  #copyFields(value: object, depth: number): unknown {
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      this.path.push(key);
      if (key === '__proto__') throw new Unfit(PROTO_KEY);
      copy[escapeKey(key)] = this.copy((value as Record<string, unknown>)[key], depth);
      this.path.pop();
    }
    return copy;
  }

  #at(key: string | number, value: unknown, depth: number): unknown {
    this.path.push(key);
    const copy = this.copy(value, depth);
    this.path.pop();
    return copy;
  }

  #annotated(value: unknown): unknown {
    if (++this.#annotations <= MAX_ANNOTATIONS) return value;
    throw new Unfit(`one of more than ${MAX_ANNOTATIONS} values that are not plain JSON`);
  }
}
