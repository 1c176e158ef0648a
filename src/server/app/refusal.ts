import { TautlineError, isSystemCode, isTautlineError, outcomeOfServerCode } from '../../errors.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import type { WireError } from '../../protocol/messages.ts';

/**
 * Says that somebody may not: for `authenticate` and `authorize`. Whatever else they throw is a failure of the server,
 * which passes, and makes nobody lose what is theirs.
 *
 * `UNAUTHENTICATED` has the client ask its `auth` for other credentials; `FORBIDDEN` is for good.
 * @param message - Told to the client. @default 'the credentials were refused'
 * @param code - @default 'UNAUTHENTICATED'
 * @throws TautlineError
 *
 * @example
 * authenticate: async ({ token }) => {
 *   const user = await db.userOf(token); // what this throws is tried again
 *   if (user === undefined) refuse();
 *   if (user.isBanned) refuse('you are banned', 'FORBIDDEN');
 *   return { identity: user.id, context: { user } };
 * }
 */
export function refuse(
  message = 'the credentials were refused',
  code: 'UNAUTHENTICATED' | 'FORBIDDEN' = 'UNAUTHENTICATED',
): never {
  throw new TautlineError(code, message, { outcome: 'rejected' });
}

/** What an error of the app tells a peer that asked for something; `undefined` when it is not for the peer. */
export function refusalOf(error: unknown): WireError | undefined {
  if (!isTautlineError(error) || outcomeOfServerCode(error.code, false) !== 'rejected') return undefined;
  const { code, retryAfterMs } = error;
  const prefix = `${code}: `;
  // The client puts the code in front of the message again.
  const message = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
  return retryAfterMs === undefined ? { code, message } : { code, message, retryAfterMs };
}

/** Whether an error is the app's word that credentials are no good. A call of the app's that failed, to whom else, is none. */
export function refusesCredentials(error: unknown): error is TautlineError {
  return isTautlineError(error) && (refusalOf(error) !== undefined || !isSystemCode(error.code));
}

/** The error for an `authenticate` that says nothing of anybody. */
export function noCredentials(): TypeError {
  return new TypeError('authenticate must give { identity: string, context }; to refuse somebody, call refuse()');
}

/** What is wrong with the time until which credentials are good, if something is. */
export function expiryProblem(expiresAt: unknown): TypeError | undefined {
  if (expiresAt === undefined || (typeof expiresAt === 'number' && !Number.isNaN(expiresAt))) return undefined;
  return new TypeError(
    `authenticate must give expiresAt in ms since the epoch, not ${typeof expiresAt}: take getTime() of a Date, and a JWT's exp times 1000`,
  );
}

/** How the socket of somebody is closed whose credentials were refused. */
export function closeOfRefusal({
  code,
  message,
  retryAfterMs = 0,
}: TautlineError): readonly [code: number, reason: string] {
  if (code === 'RATE_LIMITED') return [CloseCode.TRY_AGAIN_LATER, `retry-after=${retryAfterMs}`];
  return [code === 'FORBIDDEN' ? CloseCode.FORBIDDEN : CloseCode.UNAUTHENTICATED, message];
}
