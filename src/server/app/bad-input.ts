import { describeIssues, portableIssues } from '../../contract/issues.ts';
import type { Issue } from '../../errors.ts';
import type { WireError } from '../../protocol/messages.ts';

/** Tells a client what is wrong with what it sent. Of its own values alone: issues of outputs stay in the server. */
export function badInput(issues: readonly Issue[]): WireError {
  return { code: 'BAD_INPUT', message: describeIssues(issues), issues: portableIssues(issues) };
}
