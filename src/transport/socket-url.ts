import { DEVELOPMENT } from '../development.ts';

/**
 * The URL to hand to a WebSocket constructor. `http(s)` becomes `ws(s)` and a relative URL is resolved against the
 * page here, because not every engine of the supported range does it (WHATWG does since 2023). A fragment is dropped:
 * constructors refuse one, and it is never sent.
 *
 * @throws TypeError for what can't become a `ws:` or `wss:` URL
 */
export function resolveSocketUrl(url: string | URL): string {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  let href = '';
  let cause: unknown;
  try {
    // A function of the app may give nothing at all: `undefined.href` throws, and does not become a path.
    href = webSocketHref((url as URL).href ?? url, page);
  } catch (error) {
    cause = error;
  }
  if (!/^wss?:/.test(href) || (DEVELOPMENT && !isUrl(url))) {
    throw new TypeError(DEVELOPMENT ? describeFault(url, href, page) : 'url', { cause });
  }
  return href.replace(/#.*/, '');
}

/**
 * A URL, resolved, with `http(s)` turned into `ws(s)`.
 * @throws TypeError for what can't be resolved
 */
export function webSocketHref(url: string, base: string | undefined): string {
  const parsed = new URL(url, base).href;
  // React Native through 0.83 puts a slash behind whatever it parses, also behind a path.
  const isSpoilt = parsed === `${url}/` && /\/\/.+[/?]/.test(url);
  return (isSpoilt ? url : parsed).replace(/^http/, 'ws');
}

function isUrl(url: unknown): boolean {
  return typeof url === 'string' || url instanceof URL;
}

function describeFault(url: string | URL, href: string, page: string | undefined): string {
  if (!isUrl(url)) return `url must be a string or a URL, not a value of type ${typeof url}`;
  // A query often holds a ticket: it stays out of messages.
  const quoted = JSON.stringify(String(url).replace(/[?#].*$/s, ''));
  if (href !== '') return `url must be ws:, wss:, http: or https:, not ${quoted}`;
  const remedy = page === undefined ? ' There is no page to resolve it against: pass an absolute URL.' : '';
  return `url can't be read: ${quoted}.${remedy}`;
}
