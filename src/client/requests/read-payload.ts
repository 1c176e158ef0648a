import { describeIssues } from '../../contract/issues.ts';
import { validate, type AnySchema, type Validation } from '../../contract/schema.ts';
import { DEVELOPMENT } from '../../development.ts';
import { TautlineError, isSystemCode, outcomeOfServerCode } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import type { WireError } from '../../protocol/messages.ts';

/**
 * Decodes a payload and parses it by its schema; without a schema the value is `undefined`. Gives a promise only
 * where the schema does.
 * @param isVetted - As for {@link Codec.decode}.
 * @throws TautlineError `BAD_PAYLOAD` or `BAD_OUTPUT`
 */
export function readPayload(
  codec: Codec,
  schema: AnySchema | undefined,
  path: string,
  json: unknown,
  meta: unknown,
  isVetted: boolean,
): unknown {
  if (schema === undefined) return undefined;
  const validation = validate(schema, codec.decode(json, meta, isVetted));
  if (validation instanceof Promise) return validation.then((parsed) => valueOf(parsed, path));
  return validation.issues === undefined ? validation.value : valueOf(validation, path);
}

function valueOf(validation: Validation, path: string): unknown {
  if (validation.issues === undefined) return validation.value;
  const { issues, cause } = validation;
  const what = DEVELOPMENT && `${path}: what the server sent does not fit: ${describeIssues(issues)}.`;
  throw new TautlineError('BAD_OUTPUT', what, {
    outcome: 'unknown',
    path,
    issues,
    cause,
    remedy: DEVELOPMENT && 'Deploy client and server with the same contract; a schema must accept its own output.',
  });
}

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
