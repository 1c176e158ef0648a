/**
 * Deepest nesting of arrays and objects in a value. The decoder of frames takes more: a frame and its message nest
 * two levels around the value, and the annotations of superjson nest up to two more than the value does.
 */
export const MAX_DEPTH = 60;

/**
 * Whether a value is plain JSON: `JSON.stringify` neither changes a part of it nor fails. Allocates nothing.
 *
 * Unless `exact`, two changes are let pass: a property whose value is `undefined` is left off (it is how optional
 * fields look in practice, and a schema reads both the same), and `-0` becomes `0` (they are equal, and arithmetic
 * makes it by accident). `undefined` in an array would become `null`: never plain. Symbol keys and the named properties of
 * arrays are no part of a value: they are never sent.
 */
export function isPlain(value: unknown, exact: boolean): boolean {
  try {
    return isPlainAt(value, exact, 1);
  } catch {
    // A property that threw when it was read.
    return false;
  }
}

/** The same for a part of a value, so many levels down. Throws what a property throws that is read. */
export function isPlainAt(value: unknown, exact: boolean, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !(exact && Object.is(value, -0));
    case 'object':
      return value === null || (depth <= MAX_DEPTH && isPlainContainer(value, exact, depth + 1));
    default:
      return false;
  }
}

function isPlainContainer(value: object, exact: boolean, depth: number): boolean {
  if (isOdd(value)) return false;
  if (Array.isArray(value)) {
    // Not `every`, which leaves out the empty slots.
    for (const item of value as readonly unknown[]) if (!isPlainAt(item, exact, depth)) return false;
    return true;
  }
  for (const key in value) {
    // Code that copies an object with an own property of this name changes a prototype.
    if (key === '__proto__') return false;
    const child = (value as Record<string, unknown>)[key];
    if ((child === undefined && !exact) || isPlainAt(child, exact, depth)) continue;
    // Own properties are all that is written; most walks never have to ask.
    if (Object.hasOwn(value, key)) return false;
  }
  return true;
}

/** Whether an object is not written as its own properties: a class made it, or it has a `toJSON` method. */
export function isOdd(value: object): boolean {
  return (
    !(Array.isArray(value) || isPlainObject(value)) || typeof (value as { toJSON?: unknown }).toJSON === 'function'
  );
}

/** Whether no class made an object. Takes objects of another realm. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}
