import { describeIssues } from '../contract/issues.ts';
import { validate, type AnySchema, type Validation } from '../contract/schema.ts';
import { TautlineError } from '../errors.ts';
import type { Codec } from '../payload.ts';

/**
 * Decodes a payload and parses it by its schema; without a schema the value is `undefined`. Gives a promise only
 * where the schema does.
 * @throws TautlineError `BAD_PAYLOAD` or `BAD_OUTPUT`
 */
export function readPayload(
  codec: Codec,
  schema: AnySchema | undefined,
  path: string,
  json: unknown,
  meta: unknown,
): unknown {
  if (schema === undefined) return undefined;
  const parsed = (validation: Validation): unknown => {
    if (validation.issues === undefined) return validation.value;
    const { issues, cause } = validation;
    throw new TautlineError('BAD_OUTPUT', `${path}: what the server sent does not fit: ${describeIssues(issues)}.`, {
      outcome: 'unknown',
      path,
      issues,
      cause,
      remedy: 'Deploy client and server with the same contract; a schema must accept its own output.',
    });
  };
  const validation = validate(schema, codec.decode(json, meta));
  return validation instanceof Promise ? validation.then(parsed) : parsed(validation);
}
