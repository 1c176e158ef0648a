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

function unescapeKey(key: string): string {
  return key.startsWith('~') && ODD_KEY.test(key) ? key.slice(1) : key;
}

/** Gives the keys in a value that was read, and that nobody else holds yet, their names back. */
export function restoreKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (Symbol.iterator in value) {
    // An array, a Set or a Map, which gives its entries as arrays.
    for (const item of value as Iterable<unknown>) restoreKeys(item);
    return;
  }
  const fields = value as Record<string, unknown>;
  const entries = Object.entries(fields);
  for (const [, item] of entries) restoreKeys(item);
  if (entries.every(([key]) => key === unescapeKey(key))) return;
  // All of them, so that they stay in their order.
  for (const [key] of entries) delete fields[key];
  for (const [key, item] of entries) fields[unescapeKey(key)] = item;
}
