import { TautlineError, type SystemCode } from '../errors.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction } from '../protocol/close-reaction.ts';
import type { CloseCause, ConnectionStatus } from '../transport/transport.ts';
import type { CallRequest } from './call.ts';

/** What decides whether a request may wait for the socket. */
export interface Circumstances {
  readonly status: ConnectionStatus;
  readonly whileOffline: 'wait' | 'fail';
  readonly signal: AbortSignal | undefined;
  /** Largest payload that can ever go. */
  readonly maxBytes: number;
}

/** Why a request can't even wait; `undefined` where it can. */
export function refusalOf(
  { path, bytes }: Pick<CallRequest, 'path' | 'bytes'>,
  { status, whileOffline, signal, maxBytes }: Circumstances,
): TautlineError | undefined {
  const error = (code: SystemCode, what: string, remedy?: string, cause?: unknown): TautlineError =>
    new TautlineError(code, `${path}: ${what}.`, {
      outcome: 'not-sent',
      retryable: code === 'OFFLINE',
      path,
      remedy,
      cause,
    });
  if (signal?.aborted === true)
    return error('ABORTED', 'the signal was aborted before the call', undefined, signal.reason);
  if (status.state === 'closed') {
    return error('CLOSED', describeEnd(status.cause), 'Call connection.reconnect() first.');
  }
  if (status.state === 'closing') return error('CLOSED', 'the connection is closing');
  if (whileOffline === 'fail' && status.state !== 'connected') {
    return error('OFFLINE', `there is no connection (${status.state}), and whileOffline is 'fail'`);
  }
  if (bytes > maxBytes) {
    return error(
      'TOO_LARGE',
      `its ${String(bytes)} bytes are more than the ${String(maxBytes)} allowed`,
      'Send it in parts.',
    );
  }
  return undefined;
}

/** The code with which the end of a connection ends what is pending. */
export function codeOfEnd({ code, by }: CloseCause): SystemCode {
  if (by === 'app') return 'CLOSED';
  if (closeReaction(code) === 'credentials') return 'UNAUTHENTICATED';
  return code === CloseCode.FORBIDDEN || code === CloseCode.IANA_FORBIDDEN ? 'FORBIDDEN' : 'CLOSED';
}

/** The end of a connection, for people. */
export function describeEnd({ code, reason, by }: CloseCause): string {
  return `the connection is closed (by ${by}, code ${String(code)}${reason === '' ? '' : `: ${reason}`})`;
}
