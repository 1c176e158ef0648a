/** The element of index.html with this id. */
export function find<E extends HTMLElement>(id: string, type: abstract new (...args: never[]) => E): E {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new TypeError(`index.html has no ${type.name} with the id "${id}"`);
}

/**
 * A new element. Text goes in as text: what people write is never read as HTML.
 */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** Changes a text only when it differs, so that nothing is announced or painted twice. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The same person gets the same colour on every page: a hue in degrees. */
export function hue(name: string): string {
  let sum = 0;
  for (const character of name.toLowerCase()) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return String(sum);
}
