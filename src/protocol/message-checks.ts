import type { MessageRule } from './read-frame.ts';
import { isCount, isError, isId, isTopic, tidyIssues } from './shapes.ts';

/*
 * What the rules of both directions share. Slots are read by index: taking a message apart by a pattern runs an iterator.
 */

type Check = MessageRule['check'];
type Address = NonNullable<MessageRule['address']>;

export const byId: Address = (message) => (isId(message[1]) ? { id: message[1] } : null);

/** A topic that is too long can still be told that it was refused. */
export const byTopic: Address = (message) =>
  isId(message[1]) && typeof message[2] === 'string' ? { n: message[1], topic: message[2] } : null;

export const checkId: Check = (message) => (isId(message[1]) ? null : 'id must be a positive safe integer');

export const checkNumber: Check = (message) => (isCount(message[1]) ? null : 'n must be a safe integer, 0 or more');

export const checkSubscription: Check = (message) => {
  if (!isId(message[1])) return 'n must be a positive safe integer';
  return isTopic(message[2]) ? null : topicProblem;
};

export const positionProblem = 'position must be an epoch of 1 to 64 characters and an offset, 0 or more';
export const topicProblem = 'topic must be a string of 1 to 1024 characters';

export function checkError(error: unknown): string | null {
  if (!isError(error)) return 'the error needs a code and a message, retryAfterMs a number, 0 or more';
  tidyIssues(error);
  return null;
}
