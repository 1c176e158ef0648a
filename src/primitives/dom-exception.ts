/** A DOMException, or where the host has none, as React Native, an error of that name. */
export function domException(message: string, name: string): Error {
  if (typeof DOMException === 'function') return new DOMException(message, name);
  return Object.assign(new Error(message), { name });
}
