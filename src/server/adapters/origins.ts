import type { IncomingMessage } from 'node:http';
import { describe } from '../server-options.ts';

/**
 * Which pages may connect. A WebSocket is not held back by CORS and carries the cookies of its host, so the server has
 * to look at `Origin`, which browsers always send (RFC 6455 10.2). Entries of the list are origins,
 * `https://example.com`, or one of three words: `same` for the host that the request itself names, `none` for
 * requests without the header, which no browser makes, and `*` for all.
 */
export type Origins = readonly string[] | ((origin: string | undefined, request: IncomingMessage) => boolean);

/** Pages of the same host, and programs that are no browser. */
export const DEFAULT_ORIGINS: readonly string[] = ['same', 'none'];

/** @throws TypeError: a plain string would let in whatever is a part of it. */
export function checkOrigins(origins: unknown): void {
  if (typeof origins === 'function') return;
  if (Array.isArray(origins) && origins.every((origin) => typeof origin === 'string')) return;
  const example = typeof origins === 'string' ? origins : 'https://example.com';
  throw new TypeError(`listen: origins is ${describe(origins)}: give a list, ['${example}'], or a function`);
}

/** Whether a request comes from where it may. */
export function isAllowedOrigin(origins: Origins, request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (typeof origins === 'function') return origins(origin, request);
  if (origins.includes('*')) return true;
  if (origin === undefined) return origins.includes('none');
  return origins.includes(origin) || (origins.includes('same') && hostOf(origin) === host?.toLowerCase());
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // `null`, of sandboxed pages
  }
}
