import { isOdd, isPlainAt, isPlainObject, MAX_DEPTH } from './plain-json.ts';

/* What is wrong with a value, for people. All of it is for development. */

type Fields = Readonly<Record<string | number, unknown>>;

/** What is said of a property whose getter throws. */
export const THREW = 'a property that threw when it was read';

/** What is said of a value that lies deeper than {@link MAX_DEPTH}. */
export const TOO_DEEP: string = `deeper than ${MAX_DEPTH} levels`;

/** What is said of an own property `__proto__`: code that copies such an object changes a prototype. */
export const PROTO_KEY = 'a property named __proto__';

/** The first part of a value that is not plain JSON: where it is, and what: `$.items[3].at is an instance of Date`. */
export function explainOddPart(root: unknown, exact: boolean): string {
  const path: (string | number)[] = [];
  const above = new Set<unknown>();
  let node = root;
  for (;;) {
    const key = oddKey(node, exact, path.length + 1);
    if (key === undefined) return describeAt(path, describeNode(node, path.length + 1));
    path.push(key);
    if (key === '__proto__') return describeAt(path, PROTO_KEY);
    above.add(node);
    try {
      node = (node as Fields)[key];
    } catch {
      return describeAt(path, THREW);
    }
    if (above.has(node)) return describeAt(path, 'part of a cycle');
  }
}

/** The key of the first child that is not plain; `undefined` where a value is itself what is wrong. */
function oddKey(node: unknown, exact: boolean, depth: number): string | number | undefined {
  if (typeof node !== 'object' || node === null || depth > MAX_DEPTH) return undefined;
  try {
    if (isOdd(node)) return undefined;
    const keys = Array.isArray(node) ? node.keys() : Object.keys(node);
    for (const key of keys) if (isOddChild(node as Fields, key, exact, depth + 1)) return key;
  } catch {
    // A proxy that was revoked: nothing can be said of its properties.
  }
  return undefined;
}

function isOddChild(node: Fields, key: string | number, exact: boolean, depth: number): boolean {
  if (key === '__proto__') return true;
  try {
    const child = node[key];
    if (child === undefined && !exact && !Array.isArray(node)) return false;
    return !isPlainAt(child, exact, depth);
  } catch {
    return true;
  }
}

function describeNode(node: unknown, depth: number): string {
  if (typeof node !== 'object' || node === null) return describeValue(node);
  if (depth > MAX_DEPTH) return TOO_DEEP;
  try {
    return describeOddity(node) ?? 'a value that changes while it is read';
  } catch {
    return THREW;
  }
}

/** Why an object is not written as its own properties: a class made it, or it has a `toJSON` method. */
export function describeOddity(value: object): string | undefined {
  if (!isOdd(value)) return undefined;
  return Array.isArray(value) || isPlainObject(value) ? 'an object with a toJSON method' : describeValue(value);
}

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

/** A part of a value, for a message: `$.items[3] is …`. Keys may be a peer's: long ones are cut. */
export function describeAt(path: readonly (string | number)[], what: string): string {
  let text = '$';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_$][\w$]{0,63}$/.test(key)) text += `.${key}`;
    else text += `[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key)}]`;
  }
  return `${text} is ${what}`;
}
