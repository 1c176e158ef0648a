import { DEVELOPMENT } from '../development.ts';
import { TautlineError } from '../errors.ts';

/**
 * The error for a value that a codec can't write: nothing was sent.
 * @param what - The part and what it is, `$.at is an instance of Date`; `false` in production.
 */
export function unfitValue(what: string | false, remedy: string | false): TautlineError<'BAD_PAYLOAD', undefined> {
  return new TautlineError('BAD_PAYLOAD', what && `${what}, which the codec can't carry.`, {
    outcome: 'not-sent',
    remedy,
  });
}

/** The error for a value that could not be written though it looked fit: it changed meanwhile, or is too long. */
export function unwritableValue(cause: unknown): TautlineError<'BAD_PAYLOAD', undefined> {
  return new TautlineError('BAD_PAYLOAD', DEVELOPMENT && 'the value could not be written as JSON.', {
    outcome: 'not-sent',
    remedy: DEVELOPMENT && 'Send a smaller value without getters or proxies.',
    cause,
  });
}

/**
 * The error for slots that a peer should not have sent. A codec can't know what became of the request.
 * @param problem - What is wrong with them; `false` in production.
 */
export function badSlots(problem: string | false, cause?: unknown): TautlineError<'BAD_PAYLOAD', undefined> {
  return new TautlineError('BAD_PAYLOAD', problem && `the payload that arrived is refused: ${problem}.`, {
    outcome: 'unknown',
    remedy: DEVELOPMENT && 'Both sides must use the same codec and the same version of the contract.',
    cause,
  });
}
