/** What a key is of: answers and topics' states never meet. */
export type KeyType = 'query' | 'mutation' | 'stream' | 'state';

/** Key of an entry in the cache: `['tautline', 'users', 'get', { type: 'query', input: { id: 1 } }]`. */
export type UtilsKey = readonly unknown[];

/** Options of `queryUtils` and `attachTopics`. */
export interface KeyOptions {
  /**
   * Begins each key. Give each client one of its own where several, with connections of their own, share a QueryClient.
   * @default 'tautline'
   */
  readonly prefix?: string | undefined;
}

export const DEFAULT_PREFIX = 'tautline';

/** Key of a call, a stream or a topic's state. */
export function entryKey(above: UtilsKey, type: KeyType, input: unknown): UtilsKey {
  return [...above, input === undefined ? { type } : { type, input: keyed(input) }];
}

/**
 * An input as it stands in a key. TanStack compares keys by their JSON: what has none, and a rich codec carries, is put
 * into words, so that two inputs never share an answer.
 */
function keyed(value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) };
  if (value === undefined) return { $undefined: true };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(keyed);
  if (value instanceof Date) return { $date: String(value.getTime()) };
  if (value instanceof Map) return { $map: [...value].map(keyed) };
  if (value instanceof Set) return { $set: [...value].map(keyed) };
  if (value instanceof RegExp) return { $regexp: String(value) };
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, keyed(member)]));
}
