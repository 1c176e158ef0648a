import { badSlots } from './bad-payload.ts';

/** Most annotations in one payload: each costs its reader far more than a plain value does. */
export const MAX_ANNOTATIONS = 10_000;

/** Most digits of a bigint: reading one costs quadratic time. */
export const MAX_BIGINT_DIGITS = 1000;

/** Makes of the typed arrays that travel: those whose items JSON can hold (NaN in a Float64Array it can't). */
export const TYPED_ARRAYS: ReadonlyMap<string, new (items: ArrayLike<number>) => ArrayBufferView> = new Map<
  string,
  new (items: ArrayLike<number>) => ArrayBufferView
>([
  ['Int8Array', Int8Array],
  ['Uint8Array', Uint8Array],
  ['Uint8ClampedArray', Uint8ClampedArray],
  ['Int16Array', Int16Array],
  ['Uint16Array', Uint16Array],
  ['Int32Array', Int32Array],
  ['Uint32Array', Uint32Array],
]);

type Fields = Readonly<Record<string, unknown>>;

/** What the walk over the annotations knows. */
interface Progress {
  count: number;
  /** Arrays of the JSON that become a Map, a Set or a typed array: no path may lead through them afterwards. */
  readonly converted: Set<unknown>;
}

/**
 * Vets the annotations of superjson before the package sees them. The peer chooses among a closed list of types
 * that are only values (no RegExp, which can be made to run for ever, no class, symbol, Error or custom type), each
 * on JSON that fits it; it can't make two places of a value one (`referentialEqualities`: a kilobyte of them unfolds
 * to many megabytes), nor reach what an object inherits.
 * @throws TautlineError `BAD_PAYLOAD`
 */
export function vetAnnotations(json: unknown, meta: unknown): void {
  if (!isFields(meta)) throw badSlots('its meta is no object');
  const stranger = Object.keys(meta).find((key) => key !== 'values' && key !== 'v');
  if (stranger !== undefined) throw badSlots(`its meta has ${quote(stranger)}, which is not taken`);
  if (meta.v !== 1) throw badSlots(`its meta is of version ${quote(meta.v)}, not 1`);
  const progress: Progress = { count: 0, converted: new Set() };
  const { values } = meta;
  if (Array.isArray(values)) vetAnnotation(values, json, progress);
  else vetChildren(values, json, progress);
}

/** `[type]` or `[type, children]`, on the node that it is about. */
function vetAnnotation(annotation: unknown, node: unknown, progress: Progress): void {
  if (++progress.count > MAX_ANNOTATIONS) throw badSlots(`it has more than ${MAX_ANNOTATIONS} annotations`);
  if (!Array.isArray(annotation) || annotation.length < 1 || annotation.length > 2) {
    throw badSlots('an annotation is not [type] or [type, children]');
  }
  if (progress.converted.has(node)) throw badSlots('two annotations are about the same value');
  // The package reads children first too: below a node there is only JSON until its own annotation is read.
  if (annotation.length === 2) vetChildren(annotation[1], node, progress);
  if (!fits(annotation[0], node, progress)) {
    throw badSlots(`an annotation ${quote(annotation[0])} is not taken, or not on such a value`);
  }
  if (typeof node === 'object' && node !== null) progress.converted.add(node);
}

function vetChildren(children: unknown, node: unknown, progress: Progress): void {
  if (!isFields(children)) throw badSlots('annotations by path are no object');
  for (const [path, annotation] of Object.entries(children)) {
    vetAnnotation(annotation, follow(node, path, progress), progress);
  }
}

/** The node that a path, `items.3.at`, leads to by own properties. */
function follow(node: unknown, path: string, { converted }: Progress): unknown {
  for (const key of parsePath(path)) {
    const isOwn = Array.isArray(node)
      ? /^(?:0|[1-9]\d{0,9})$/.test(key) && Object.hasOwn(node, key)
      : isFields(node) && Object.hasOwn(node, key);
    if (!isOwn || converted.has(node)) throw badSlots(`the annotated path ${quote(path)} leads nowhere`);
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
      throw badSlots(`the annotated path ${quote(path)} has a forbidden key`);
    }
    node = (node as Fields)[key];
  }
  return node;
}

/** Keys separated by dots; a dot or a backslash in a key has a backslash before it. */
function parsePath(path: string): readonly string[] {
  const keys: string[] = [];
  let key = '';
  for (let index = 0; index < path.length; index++) {
    let char = path.charAt(index);
    if (char === '.') {
      keys.push(key);
      key = '';
      continue;
    }
    if (char === '\\') {
      char = path.charAt(++index);
      if (char !== '\\' && char !== '.') throw badSlots(`the annotated path ${quote(path)} is malformed`);
    }
    key += char;
  }
  keys.push(key);
  return keys;
}

function fits(type: unknown, node: unknown, { converted }: Progress): boolean {
  switch (type) {
    case 'undefined':
      return node === null;
    case 'number':
      return node === 'NaN' || node === 'Infinity' || node === '-Infinity' || node === '-0';
    case 'bigint':
      return typeof node === 'string' && node.length <= MAX_BIGINT_DIGITS + 1 && /^-?\d{1,1000}$/.test(node);
    case 'Date':
      return typeof node === 'string' && DATE.test(node) && !Number.isNaN(Date.parse(node));
    case 'URL':
      return typeof node === 'string';
    case 'set':
      return Array.isArray(node);
    case 'map':
      return (
        Array.isArray(node) && node.every((pair) => Array.isArray(pair) && pair.length === 2 && !converted.has(pair))
      );
    default:
      return isTypedArray(type) && Array.isArray(node) && node.every((item) => typeof item === 'number');
  }
}

/** What `toISOString` writes (ECMA-262, 21.4.1.32), with what other languages leave off or add. */
const DATE = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

function isTypedArray(type: unknown): boolean {
  return Array.isArray(type) && type.length === 2 && type[0] === 'typed-array' && TYPED_ARRAYS.has(type[1] as string);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text of the peer, cut short. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
