import { brand, isBranded } from '../brand.ts';

/**
 * Thrown by a `url` or `auth` function, or what its promise rejects with: no further attempt is of any use. The
 * connection is `closed`, and the error is its `cause.error`.
 */
export class StopReconnecting extends Error {
  override readonly name = 'StopReconnecting';
}

brand(StopReconnecting, 'StopReconnecting');

/** Whether it was thrown to stop, by whatever copy of the package. */
export function stopsReconnecting(error: unknown): boolean {
  return isBranded(error, 'StopReconnecting');
}
