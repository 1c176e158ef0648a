import { DEVELOPMENT } from '../../development.ts';
import { TautlineError, type SystemCode } from '../../errors.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { closeReaction } from '../../protocol/close-reaction.ts';
import type { CloseCause, ConnectionStatus } from '../../transport/transport.ts';

/** Why what belonged to the former one ended. */
export const ANOTHER_IDENTITY: string | false = DEVELOPMENT && 'the connection now belongs to another identity';

/** What decides whether a request may wait for the socket. */
export interface Circumstances {
  readonly status: ConnectionStatus;
  /** Without a connection it may wait for one. */
  readonly mayWait: boolean;
  readonly signal: AbortSignal | undefined;
  /** Largest payload that can ever go. */
  readonly maxBytes: number;
}

/** Why a request can't even wait; `undefined` where it can. */
export function refusalOf(
  { path, bytes }: { readonly path: string; readonly bytes: number },
  { status, mayWait, signal, maxBytes }: Circumstances,
): TautlineError | undefined {
  const { state } = status;
  const error = (code: SystemCode, what: string | false, remedy?: string | false, cause?: unknown): TautlineError =>
    new TautlineError(code, what && `${path}: ${what}.`, {
      outcome: 'not-sent',
      retryable: code === 'OFFLINE',
      path,
      remedy,
      cause,
    });
  if (signal?.aborted === true)
    return error('ABORTED', DEVELOPMENT && 'the signal was aborted before the call', false, signal.reason);
  if (state === 'closed') {
    const what = describeEnd(status.cause);
    return isSignedOut(status)
      ? error('UNAUTHENTICATED', what, DEVELOPMENT && 'Log in with connection.setAuth(auth).', status.cause.error)
      : error('CLOSED', what, DEVELOPMENT && 'Call connection.reconnect() first.', status.cause.error);
  }
  if (state === 'closing') return error('CLOSED', DEVELOPMENT && 'the connection is closing');
  if (!mayWait && state !== 'connected')
    return error('OFFLINE', DEVELOPMENT && `there is no connection (${state}), and whileOffline is 'fail'`);
  if (bytes <= maxBytes) return undefined;
  const what = DEVELOPMENT && `its ${bytes} bytes are more than the ${maxBytes} allowed`;
  return error('TOO_LARGE', what, DEVELOPMENT && 'Send less at a time.');
}

/**
 * Credentials are missing, or were refused: the connection rests until it is given others. What is asked meanwhile
 * ends at once; topics wait.
 */
export function isSignedOut(status: ConnectionStatus): boolean {
  return status.state === 'closed' && codeOfEnd(status.cause) === 'UNAUTHENTICATED';
}

/** The error of what a closed connection ends, and nobody asked the server for. */
export function endError(path: string, cause: CloseCause): TautlineError {
  return new TautlineError(codeOfEnd(cause), `${describeEnd(cause)}.`, { outcome: 'not-sent', path });
}

/** The code with which the end of a connection ends what is pending. */
export function codeOfEnd({ code, by }: CloseCause): SystemCode {
  if (by === 'app') return 'CLOSED';
  if (closeReaction(code) === 'credentials') return 'UNAUTHENTICATED';
  return code === CloseCode.FORBIDDEN || code === CloseCode.IANA_FORBIDDEN ? 'FORBIDDEN' : 'CLOSED';
}

/** The end of a connection, for people. */
export function describeEnd(cause: CloseCause): string {
  return `the connection is closed (${describeCause(cause)})`;
}

/** Why there is no answer to what was not sent, for people. */
export function whyUnsent(status: ConnectionStatus): string | false {
  if (!DEVELOPMENT) return false;
  if (status.state === 'connected') return 'it waits for answers to what was asked before it';
  const cause = 'cause' in status ? `, ${describeCause(status.cause)}` : '';
  return `it was not sent, because there is no connection (${status.state}${cause})`;
}

/** Who ended it, and why. What no URL can mend has no close code of anybody's. */
function describeCause({ code, reason, by, error, opened }: CloseCause): string {
  const said = reason || (error as Error | undefined)?.message;
  const why = said ? `: ${said}` : '';
  return code === CloseCode.ABNORMAL && !opened ? `no connection could be made${why}` : `by ${by}, code ${code}${why}`;
}
