/** Marks what a class makes, for every copy of the package that an app may have: `instanceof` knows one copy alone. */
export function brand(type: { readonly prototype: object }, name: string): void {
  Object.defineProperty(type.prototype, keyOf(name), { value: true });
}

/** Whether a class of this or of another copy that was branded with a name made it. Never throws: a proxy may. */
export function isBranded(value: unknown, name: string): boolean {
  try {
    return typeof value === 'object' && value !== null && keyOf(name) in value;
  } catch {
    return false;
  }
}

function keyOf(name: string): symbol {
  return Symbol.for(`tautline.${name}`);
}
