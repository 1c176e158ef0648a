import type { Malformed } from './messages.ts';
import {
  isCount,
  isError,
  isFloor,
  goAwayProblem,
  isHeaders,
  helloProblem,
  isId,
  isPath,
  isPosition,
  isTopic,
  tidyIssues,
  welcomeProblem,
} from './shapes.ts';

/** How one message is checked, and whom to answer when it fails. */
export interface MessageRule {
  /** What is wrong with the slots, or `null`. */
  readonly check: (message: unknown[]) => string | null;
  /** Whom an answer to a malformed one would reach, or `null` when nobody: then the frame is at fault. */
  readonly address: (message: readonly unknown[]) => Omit<Malformed, 'name' | 'problem'> | null;
}

type Check = MessageRule['check'];
type Address = MessageRule['address'];

const nobody: Address = () => null;

const byId: Address = ([, id]) => (isId(id) ? { id } : null);

/** A topic that is too long can still be told that it was refused. */
const byTopic: Address = ([, n, topic]) => (isId(n) && typeof topic === 'string' ? { n, topic } : null);

function rule(name: string, check: Check, address: Address = nobody): [string, MessageRule] {
  return [name, { check, address }];
}

const checkId: Check = ([, id]) => (isId(id) ? null : 'id must be a positive safe integer');

const checkNumber: Check = ([, n]) => (isCount(n) ? null : 'n must be a safe integer, 0 or more');

const checkCall: Check = ([, id, path, headers]) => {
  if (!isId(id)) return 'id must be a positive safe integer';
  if (!isPath(path)) return 'path must be a string of 1 to 512 characters';
  return isHeaders(headers) ? null : 'headers must be null or an object, deadlineMs a number, 0 or more';
};

const checkWindow = (after: unknown, upTo: unknown): string | null =>
  isCount(after) && isCount(upTo) ? null : 'after and upTo must be safe integers, 0 or more';

const checkSubscription: Check = ([, n, topic]) => {
  if (!isId(n)) return 'n must be a positive safe integer';
  return isTopic(topic) ? null : 'topic must be a string of 1 to 1024 characters';
};

const positionProblem = 'position must be an epoch of 1 to 64 characters and an offset, 0 or more';
const topicProblem = 'topic must be a string of 1 to 1024 characters';
const checkError = (error: unknown): string | null => {
  if (!isError(error)) return errorProblem;
  tidyIssues(error);
  return null;
};
const errorProblem = 'the error needs a code and a message, retryAfterMs a number, 0 or more';

const both: ReadonlyArray<[string, MessageRule]> = [rule('ping', checkNumber), rule('pong', checkNumber)];

/** The messages that a client may send. A map, so that a name like `constructor` is one name among the unknown. */
export const clientMessages: ReadonlyMap<string, MessageRule> = new Map([
  ...both,
  rule('hello', ([, hello]) => helloProblem(hello)),
  rule('call', checkCall, byId),
  rule('open', (message) => checkCall(message) ?? checkWindow(message[4], message[5]), byId),
  rule('more', (message) => checkId(message) ?? checkWindow(message[2], message[3])),
  rule('cancel', checkId),
  rule('floor', ([, ...floor]) => (isFloor(floor) ? null : 'ids must be positive safe integers')),
  rule(
    'subscribe',
    (message) => {
      const position = message[3] ?? null;
      return checkSubscription(message) ?? (position === null || isPosition(position) ? null : positionProblem);
    },
    byTopic,
  ),
  rule('unsubscribe', ([, topic]) => (isTopic(topic) ? null : topicProblem)),
  rule(
    'publish',
    ([, id, topic]) => {
      if (!isCount(id)) return 'id must be a safe integer, 0 or more';
      return isTopic(topic) ? null : topicProblem;
    },
    byId,
  ),
  rule(
    'auth',
    (message) => checkId(message) ?? (typeof message[2] === 'string' ? null : 'token must be a string'),
    byId,
  ),
]);

const continuities: ReadonlySet<unknown> = new Set(['live', 'resumed', 'gap']);

const checkSubscribed: Check = (message) => {
  const problem = checkSubscription(message);
  if (problem !== null) return problem;
  if (!isPosition(message[3])) return positionProblem;
  if (typeof message[4] !== 'string') return 'continuity must be a string';
  // A word of a later version: the only safe reading is that something may be missing.
  if (!continuities.has(message[4])) message[4] = 'gap';
  return null;
};

/** The messages that a server may send. */
export const serverMessages: ReadonlyMap<string, MessageRule> = new Map([
  ...both,
  rule('welcome', ([, welcome]) => welcomeProblem(welcome)),
  rule('reply', checkId),
  rule('error', (message) => checkId(message) ?? checkError(message[2]), byId),
  rule('item', (message) => checkId(message) ?? (isId(message[2]) ? null : 'seq must count from 1'), byId),
  rule('done', checkId),
  rule('subscribed', checkSubscribed, byTopic),
  rule('snapshot', ([, topic, position]) => {
    if (!isTopic(topic)) return topicProblem;
    return isPosition(position) ? null : positionProblem;
  }),
  rule('event', ([, topic, offset]) => {
    if (!isTopic(topic)) return topicProblem;
    return isCount(offset) ? null : 'offset must be a safe integer, 0 or more';
  }),
  rule('unsubscribed', (message) => checkSubscription(message) ?? checkError(message[3]), byTopic),
  rule('goaway', ([, goaway]) => goAwayProblem(goaway)),
]);
