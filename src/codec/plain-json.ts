/**
 * Deepest nesting of arrays and objects in a value. The decoder of frames takes more: a frame and its message nest
 * two levels around the value, and the annotations of superjson nest up to two more than the value does.
 */
export const MAX_DEPTH = 60;

/** A part of a value that can't travel: where it is, `$.items[3].at`, and what it is, `an instance of Date`. */
export interface Fault {
  readonly path: string;
  readonly what: string;
}

/** What a walk found, with the keys that lead to it, the last one first. */
interface Found {
  readonly what: string;
  readonly keys: (string | number)[];
}

/**
 * Finds the first part of a value that `JSON.stringify` would change or can't write; `undefined` when it is plain
 * JSON. Allocates nothing for a plain value.
 *
 * Unless `exact`, two changes are let pass: a property whose value is `undefined` is left off (it is how optional
 * fields look in practice, and a schema reads both the same), and `-0` becomes `0` (they are equal, and arithmetic
 * makes it by accident). `undefined` in an array would become `null`: always a fault. Symbol keys and the named properties of
 * arrays are no part of a value: they are never sent.
 */
export function findFault(value: unknown, exact: boolean): Fault | undefined {
  const found = walk(value, 1, exact);
  return found === undefined ? undefined : locate(value, found);
}

/** Turns what a walk found into a fault; tells a cycle from a value that is merely deep. */
function locate(value: unknown, { what, keys }: Found): Fault {
  const path = keys.reverse();
  if (what === TOO_DEEP) {
    const above = new Set<unknown>();
    let node: unknown = value;
    for (const [index, key] of path.entries()) {
      above.add(node);
      node = (node as Record<string | number, unknown>)[key];
      if (above.has(node)) return { path: describePath(path.slice(0, index + 1)), what: 'part of a cycle' };
    }
  }
  return { path: describePath(path), what };
}

/** What is said of a value that lies deeper than {@link MAX_DEPTH}. */
export const TOO_DEEP: string = `deeper than ${MAX_DEPTH} levels`;

/** What is said of an own property `__proto__`: code that copies such an object changes a prototype. */
export const PROTO_KEY = 'a property named __proto__';

/** Names a value for a message: `undefined`, `a bigint`, `an instance of Date`. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'object':
      return `an instance of ${className(value)}`;
    default:
      return `a ${typeof value}`;
  }
}

function className(value: unknown): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'a class';
}

/** Whether no class made an object. Takes objects of another realm. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Why an object is not written as its own properties: a class made it, or it has a `toJSON` method. */
export function describeOddity(value: object): string | undefined {
  if (!Array.isArray(value) && !isPlainObject(value)) return describeValue(value);
  return typeof (value as { toJSON?: unknown }).toJSON === 'function' ? 'an object with a toJSON method' : undefined;
}

function walk(value: unknown, depth: number, exact: boolean): Found | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) && !(exact && Object.is(value, -0)) ? undefined : found(describeValue(value));
    case 'object':
      if (value === null) return undefined;
      return depth > MAX_DEPTH ? found(TOO_DEEP) : walkObject(value, depth, exact);
    default:
      return found(describeValue(value));
  }
}

function walkObject(value: object, depth: number, exact: boolean): Found | undefined {
  let key: string | number | undefined;
  try {
    const oddity = describeOddity(value);
    if (oddity !== undefined) return found(oddity);
    if (Array.isArray(value)) {
      for (key = 0; key < value.length; key++) {
        const fault = walk(value[key], depth + 1, exact);
        if (fault !== undefined) return under(key, fault);
      }
      return undefined;
    }
    for (key in value) {
      if (key === '__proto__') return under(key, found(PROTO_KEY));
      const child = (value as Record<string, unknown>)[key];
      const fault = child === undefined && !exact ? undefined : walk(child, depth + 1, exact);
      // Own properties are all that is written; most walks never have to ask.
      if (fault !== undefined && Object.hasOwn(value, key)) return under(key, fault);
    }
    return undefined;
  } catch {
    const thrown = found('a property that threw when it was read');
    return key === undefined ? thrown : under(key, thrown);
  }
}

/** A fault at the place where the walk is. */
function found(what: string): Found {
  return { what, keys: [] };
}

/** The same fault, seen from one level above. */
function under(key: string | number, fault: Found): Found {
  fault.keys.push(key);
  return fault;
}

/** A path for a message: `$.items[3]`. Keys may be a peer's: long ones are cut. */
export function describePath(path: readonly (string | number)[]): string {
  let text = '$';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_$][\w$]{0,63}$/.test(key)) text += `.${key}`;
    else text += `[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key)}]`;
  }
  return text;
}
