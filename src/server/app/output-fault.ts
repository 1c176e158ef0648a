import { describeIssues } from '../../contract/issues.ts';
import type { Validation } from '../../contract/schema.ts';

/** What to report of a value of the app's own that its schema refuses; with what the schema threw, if it did. */
export function outputFault(
  what: string,
  path: string,
  { issues, cause }: Extract<Validation, { readonly issues: readonly unknown[] }>,
): TypeError {
  const message = `the ${what} of ${path} does not match its schema: ${describeIssues(issues)}`;
  return new TypeError(message, cause === undefined ? undefined : { cause });
}
