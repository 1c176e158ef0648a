import { SUBPROTOCOL } from '../../protocol/messages.ts';
import { describe } from '../app/server-options.ts';

/**
 * Which pages may connect. A WebSocket is not held back by CORS and carries the cookies of its host, so the server has
 * to look at `Origin`, which browsers always send (RFC 6455 10.2). Entries of the list are origins,
 * `https://example.com`, or one of three words: `same` for the host that the request itself names, `none` for
 * requests without the header, which no browser makes, and `*` for all.
 */
export type Origins<Request = unknown> =
  readonly string[] | ((origin: string | undefined, request: Request) => boolean);

/** The headers of an upgrade that decide whether it is taken. */
export interface UpgradeHeaders {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** `Sec-WebSocket-Protocol`. */
  readonly protocols: string | undefined;
}

/** Pages of the same host, and programs that are no browser. */
export const DEFAULT_ORIGINS: readonly string[] = ['same', 'none'];

/** @throws TypeError: a plain string would let in whatever is a part of it. */
export function checkOrigins(what: string, origins: unknown): void {
  if (typeof origins === 'function') return;
  if (Array.isArray(origins) && origins.every((origin) => typeof origin === 'string')) return;
  const example = typeof origins === 'string' ? origins : 'https://example.com';
  throw new TypeError(`${what}: origins is ${describe(origins)}: give a list, ['${example}'], or a function`);
}

/** The HTTP status that an upgrade is refused with, if it is. */
export function refusalOf<Request>(
  origins: Origins<Request>,
  headers: UpgradeHeaders,
  request: Request,
): 400 | 403 | undefined {
  try {
    if (!isAllowedOrigin(origins, headers, request)) return 403;
  } catch {
    return 403; // a predicate that throws did not allow it
  }
  const offered = headers.protocols?.split(',').map((name) => name.trim());
  return offered?.includes(SUBPROTOCOL) === true ? undefined : 400;
}

function isAllowedOrigin<Request>(
  origins: Origins<Request>,
  { origin, host }: UpgradeHeaders,
  request: Request,
): boolean {
  if (typeof origins === 'function') return origins(origin, request);
  if (origins.includes('*')) return true;
  if (origin === undefined) return origins.includes('none');
  if (origins.includes(origin)) return true;
  // Neither names a host: that is not the same one.
  return origins.includes('same') && host !== undefined && hostOf(origin) === host.toLowerCase();
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // `null`, of sandboxed pages
  }
}
