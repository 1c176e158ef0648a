import { DEVELOPMENT } from '../development.ts';
import type { MessageRule } from './read-frame.ts';
import { isCount, isError, isId, isTopic, MALFORMED, tidyIssues } from './shapes.ts';

/*
 * What the rules of both directions share. Slots are read by index: taking a message apart by a pattern runs an iterator.
 */

type Check = MessageRule['check'];
type Address = NonNullable<MessageRule['address']>;

export const byId: Address = (message) => (isId(message[1]) ? { id: message[1] } : null);

/** A topic that is too long can still be told that it was refused. */
export const byTopic: Address = (message) =>
  isId(message[1]) && typeof message[2] === 'string' ? { n: message[1], topic: message[2] } : null;

export const checkId: Check = (message) =>
  isId(message[1]) ? null : DEVELOPMENT ? 'id must be a positive safe integer' : MALFORMED;

export const checkNumber: Check = (message) =>
  isCount(message[1]) ? null : DEVELOPMENT ? 'n must be a safe integer, 0 or more' : MALFORMED;

export const checkSubscription: Check = (message) => {
  if (!isId(message[1])) return DEVELOPMENT ? 'n must be a positive safe integer' : MALFORMED;
  return isTopic(message[2]) ? null : topicProblem;
};

export const positionProblem: string = DEVELOPMENT
  ? 'position must be an epoch of 1 to 64 characters and an offset, 0 or more'
  : MALFORMED;
export const topicProblem: string = DEVELOPMENT ? 'topic must be a string of 1 to 1024 characters' : MALFORMED;

export function checkError(error: unknown): string | null {
  if (!isError(error)) {
    return DEVELOPMENT ? 'the error needs a code and a message, retryAfterMs a number, 0 or more' : MALFORMED;
  }
  tidyIssues(error);
  return null;
}
