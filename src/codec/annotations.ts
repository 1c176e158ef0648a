import { DEVELOPMENT } from '../development.ts';
import { badSlots } from './bad-payload.ts';

/**
 * Most annotations in one payload: each costs its reader far more than a plain value does. Those of `undefined`, of which
 * an honest payload may have many, count for themselves.
 */
const MOST = 10_000;
const MOST_UNDEFINED = 50_000;

/** Counts the annotations of one payload: gives the limit that one more is above, if it is. */
export function countAnnotations(): (isUndefined: boolean) => number | false {
  let [left, leftUndefined] = [MOST, MOST_UNDEFINED];
  return (isUndefined) => (isUndefined ? --leftUndefined < 0 && MOST_UNDEFINED : --left < 0 && MOST);
}

type TypedArrayConstructor = new (items: ArrayLike<number>) => ArrayBufferView;

/**
 * Makes typed arrays of one name; `undefined` for those that do not travel: JSON must be able to hold their items (NaN
 * in a Float64Array it can't).
 */
export function typedArray(name: unknown): TypedArrayConstructor | undefined {
  const makers = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
  return makers.find((make) => make.name === name);
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Vets the annotations of superjson before the package sees them. The peer chooses among a closed list of types
 * that are only values (no RegExp, which can be made to run for ever, no class, symbol, Error or custom type), each
 * on JSON that fits it; it can't make two places of a value one (`referentialEqualities`: a kilobyte of them unfolds
 * to many megabytes), nor reach what an object inherits.
 * @throws TautlineError `BAD_PAYLOAD`
 */
export function vetAnnotations(json: unknown, meta: unknown): void {
  if (!isFields(meta)) throw badSlots(DEVELOPMENT && 'its meta is no object');
  const { values, v, ...others } = meta;
  const strangers = Object.keys(others);
  if (strangers.length > 0 || v !== 1) throw badSlots(DEVELOPMENT && describeMeta(strangers, v));
  const above = countAnnotations();
  const converted: Converted = new Set();

  /** `[type]` or `[type, children]`, on the node that it is about. */
  const vetAnnotation = (annotation: unknown, node: unknown): void => {
    if (!Array.isArray(annotation) || annotation.length > 2) {
      throw badSlots(DEVELOPMENT && 'an annotation is not [type] or [type, children]');
    }
    const most = above(annotation[0] === 'undefined');
    if (most) throw badSlots(DEVELOPMENT && `it has more than ${most} annotations`);
    if (converted.has(node)) throw badSlots(DEVELOPMENT && 'two annotations are about the same value');
    // The package reads children first too: below a node there is only JSON until its own annotation is read.
    if (annotation.length === 2) vetChildren(annotation[1], node);
    if (!fits(annotation[0], node, converted)) {
      throw badSlots(DEVELOPMENT && `an annotation ${quote(annotation[0])} is not taken, or not on such a value`);
    }
    if (Object(node) === node) converted.add(node);
  };

  const vetChildren = (children: unknown, node: unknown): void => {
    if (!isFields(children)) throw badSlots(DEVELOPMENT && 'annotations by path are no object');
    for (const [path, annotation] of Object.entries(children)) {
      vetAnnotation(annotation, follow(node, path, converted));
    }
  };

  if (Array.isArray(values)) vetAnnotation(values, json);
  else vetChildren(values, json);
}

/** Arrays of the JSON that become a Map, a Set or a typed array: no path may lead through them afterwards. */
type Converted = Set<unknown>;

/**
 * The node that a path, `items.3.at`, leads to by own properties. The package refuses by itself the keys of prototypes,
 * and a path in which there is a backslash before something else than a dot or a backslash.
 */
function follow(node: unknown, path: string, converted: Converted): unknown {
  for (const key of parsePath(path)) {
    // Of an array of JSON only the items and its length are its own.
    const isChild = Array.isArray(node) ? key !== 'length' : isFields(node);
    if (!isChild || !Object.hasOwn(node as Fields, key) || converted.has(node)) {
      throw badSlots(DEVELOPMENT && `the annotated path ${quote(path)} leads nowhere`);
    }
    node = (node as Fields)[key];
  }
  return node;
}

/** Keys separated by dots; a dot or a backslash in a key has a backslash before it. */
function parsePath(path: string): readonly string[] {
  // The dot first, and then what is before it: looking back from each backslash of many would take for ever.
  return path.split(/\.(?<=(?:^|[^\\])(?:\\\\)*\.)/).map((key) => key.replace(/\\([\\.])/g, '$1'));
}

function fits(type: unknown, node: unknown, converted: Converted): boolean {
  // No pattern takes an empty text.
  const text = typeof node === 'string' ? node : '';
  const items: readonly unknown[] | undefined = Array.isArray(node) ? node : undefined;
  switch (type) {
    case 'undefined':
      return node === null;
    case 'number':
      return NUMBER.test(text);
    case 'bigint':
      return BIGINT.test(text);
    case 'Date':
      return DATE.test(text) && Number.isFinite(Date.parse(text));
    case 'URL':
      return text !== '';
    case 'set':
      return items !== undefined;
    case 'map':
      return items?.every((pair) => Array.isArray(pair) && pair.length === 2 && !converted.has(pair)) === true;
  }
  const [kind, name] = Array.isArray(type) && type.length === 2 ? (type as readonly unknown[]) : [];
  return kind === 'custom'
    ? name === 'Uint8Array' && typeof node === 'string'
    : kind === 'typed-array' &&
        typedArray(name) !== undefined &&
        items?.every((item) => typeof item === 'number') === true;
}

const NUMBER = /^(?:NaN|-?Infinity|-0)$/;
/** Reading a bigint costs quadratic time: at most 1000 digits. */
export const BIGINT: RegExp = /^-?\d{1,1000}$/;
/** What `toISOString` writes (ECMA-262, 21.4.1.32), with what other languages leave off or add. */
const DATE = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describeMeta([stranger]: readonly string[], version: unknown): string {
  return stranger === undefined
    ? `its meta is of version ${quote(version)}, not 1`
    : `its meta has ${quote(stranger)}, which is not taken`;
}

/** Text of the peer, cut short. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
