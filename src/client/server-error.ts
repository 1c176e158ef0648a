import { TautlineError, isSystemCode, outcomeOfServerCode } from '../errors.ts';
import type { WireError } from '../protocol/messages.ts';

/** The error that a server's answer stands for where none is declared: codes of other versions become `UNKNOWN`. */
export function serverError(path: string, { code, message, retryAfterMs, issues }: WireError): TautlineError {
  return new TautlineError(isSystemCode(code) ? code : 'UNKNOWN', message, {
    outcome: outcomeOfServerCode(code, false),
    retryable: code === 'RATE_LIMITED',
    retryAfterMs,
    issues,
    path,
  });
}
