import type { Procedure } from '../../contract/procedure.ts';
import { TautlineError, isSystemCode, outcomeOfServerCode } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import type { WireError } from '../../protocol/messages.ts';
import { readPayload } from '../requests/read-payload.ts';

/** What was called. */
interface Called {
  readonly procedure: Procedure;
  readonly path: string;
  readonly codec: Codec;
}

/**
 * The error that a server's answer stands for: declared ones with their data, unknown ones as `UNKNOWN`.
 * @param mayHaveRun - The call was sent under another memory before, of whose run the error says nothing.
 */
export function readCallError(
  { procedure, path, codec }: Called,
  { code, message, retryAfterMs, issues }: WireError,
  data: { readonly json: unknown; readonly meta: unknown; readonly isVetted: boolean },
  mayHaveRun = false,
): TautlineError | Promise<TautlineError> {
  const schema = Object.hasOwn(procedure.errors, code) ? procedure.errors[code] : undefined;
  const known = schema !== undefined || isSystemCode(code);
  const make = (parsed: unknown): TautlineError =>
    new TautlineError(known ? code : 'UNKNOWN', known ? message : `${code}: ${message}`, {
      outcome: mayHaveRun ? 'unknown' : outcomeOfServerCode(code, schema !== undefined),
      retryable: code === 'RATE_LIMITED' || code === 'TIMEOUT',
      retryAfterMs,
      issues,
      path,
      data: parsed,
    });
  if (schema === undefined) return make(undefined);
  const read = readPayload(codec, schema, path, data.json, data.meta, data.isVetted);
  return read instanceof Promise ? read.then(make) : make(read);
}
