/** A text for an input: equal for inputs that say the same, whatever the order of their members, and for no others. */
export function keyOf(input: unknown): string {
  if (typeof input === 'bigint') return `${input}n`;
  if (typeof input !== 'object' || input === null)
    return typeof input === 'string' ? JSON.stringify(input) : String(input);
  if (input instanceof Date) return `Date(${input.getTime()})`;
  if (input instanceof Map) return `Map${listOf(input as Map<unknown, unknown>)}`;
  if (input instanceof Set) return `Set${listOf(input as Set<unknown>)}`;
  if (Array.isArray(input)) return listOf(input);
  if ('toJSON' in input && typeof input.toJSON === 'function') return keyOf((input.toJSON as () => unknown)());
  if (input instanceof RegExp) return String(input);
  const members = Object.entries(input).filter(([, value]) => value !== undefined);
  const sorted = members.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${keyOf(value)}`).join()}}`;
}

function listOf(values: Iterable<unknown>): string {
  return `[${Array.from(values, keyOf).join()}]`;
}
