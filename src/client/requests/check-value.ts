import { describeIssues } from '../../contract/issues.ts';
import { validate, type AnySchema, type Validation } from '../../contract/schema.ts';
import { DEVELOPMENT } from '../../development.ts';
import { TautlineError } from '../../errors.ts';

/**
 * Checks what is about to be sent; what is sent is the value as it was given: the server parses it.
 * @throws TautlineError `BAD_INPUT`, or a promise that rejects with it
 */
export function checkValue(schema: AnySchema | undefined, value: unknown, path: string): void | Promise<void> {
  if (schema === undefined) return undefined;
  const validation = validate(schema, value);
  if (validation instanceof Promise) return validation.then((checked) => check(checked, path));
  return check(validation, path);
}

function check({ issues, ...found }: Validation, path: string): void {
  if (issues === undefined) return;
  const what = DEVELOPMENT && `${path}: ${describeIssues(issues)}.`;
  throw new TautlineError('BAD_INPUT', what, {
    outcome: 'not-sent',
    path,
    issues,
    cause: (found as { cause?: unknown }).cause,
  });
}
