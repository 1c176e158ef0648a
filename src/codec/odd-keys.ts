/**
 * The superjson package throws on keys named `constructor` and `prototype`, which are legal names of fields. In a
 * payload with `meta` they are written with a tilde before them, and so are keys that already look like that:
 * `constructor` is `~constructor`, `~constructor` is `~~constructor`.
 */
const ODD_KEY = /^~*(?:constructor|prototype)$/;

/** A key as it is written. */
export function escapeKey(key: string): string {
  return ODD_KEY.test(key) ? `~${key}` : key;
}

/** Gives the keys in a value that was read, and that nobody else holds yet, their names back. */
export function restoreKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) restoreKeys(item);
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      restoreKeys(key);
      restoreKeys(item);
    }
  } else {
    restoreObject(value);
  }
}

function restoreObject(value: object): void {
  const entries = Object.entries(value);
  for (const [, item] of entries) restoreKeys(item);
  if (!entries.some(([key]) => isEscaped(key))) return;
  for (const [key] of entries) Reflect.deleteProperty(value, key);
  for (const [key, item] of entries) {
    const name = isEscaped(key) ? key.slice(1) : key;
    Object.defineProperty(value, name, { value: item, writable: true, enumerable: true, configurable: true });
  }
}

function isEscaped(key: string): boolean {
  return key.startsWith('~') && ODD_KEY.test(key);
}
