/**
 * The URL to hand to a WebSocket constructor. `http(s)` becomes `ws(s)` and a relative URL is resolved against the
 * page here, because not every engine of the supported range does it (WHATWG does since 2023). A fragment is dropped:
 * constructors refuse one, and it is never sent.
 *
 * @throws TypeError for what can't become a `ws:` or `wss:` URL
 */
export function resolveSocketUrl(url: string | URL): string {
  if (typeof url !== 'string' && !(url instanceof URL)) {
    throw new TypeError(`url must be a string or a URL, not a value of type ${typeof url}`);
  }
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  const parsed = parse(String(url), page);
  const href = parsed.href.replace(/^http/, 'ws');
  if (!/^wss?:/.test(href)) throw new TypeError(`url must be ws:, wss:, http: or https:, not ${quote(url)}`);
  const hash = href.indexOf('#');
  return hash === -1 ? href : href.slice(0, hash);
}

function parse(url: string, page: string | undefined): URL {
  try {
    return new URL(url, page);
  } catch (cause) {
    const remedy = page === undefined ? ' There is no page to resolve it against: pass an absolute URL.' : '';
    throw new TypeError(`url can't be read: ${quote(url)}.${remedy}`, { cause });
  }
}

/** A query often holds a ticket: it stays out of messages. */
function quote(url: string | URL): string {
  return JSON.stringify(String(url).replace(/[?#].*$/s, ''));
}
