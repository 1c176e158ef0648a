import { TautlineError } from '../errors.ts';
import type { Fault } from './plain-json.ts';

/** The error for a value that a codec can't write: nothing was sent. */
export function unfitValue({ path, what }: Fault, remedy: string): TautlineError<'BAD_PAYLOAD', undefined> {
  return new TautlineError('BAD_PAYLOAD', `${path} is ${what}, which the codec can't carry.`, {
    outcome: 'not-sent',
    remedy,
  });
}

/** The error for a value that could not be written though it looked fit: it changed meanwhile, or is too long. */
export function unwritableValue(cause: unknown): TautlineError<'BAD_PAYLOAD', undefined> {
  return new TautlineError('BAD_PAYLOAD', 'the value could not be written as JSON.', {
    outcome: 'not-sent',
    remedy: 'Send a smaller value without getters or proxies.',
    cause,
  });
}

/** The error for slots that a peer should not have sent. A codec can't know what became of the request. */
export function badSlots(problem: string, cause?: unknown): TautlineError<'BAD_PAYLOAD', undefined> {
  return new TautlineError('BAD_PAYLOAD', `the payload that arrived is refused: ${problem}.`, {
    outcome: 'unknown',
    remedy: 'Both sides must use the same codec and the same version of the contract.',
    cause,
  });
}
