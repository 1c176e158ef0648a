import type { ClientMessage } from './messages.ts';
import {
  byId,
  byTopic,
  checkId,
  checkNumber,
  checkSubscription,
  positionProblem,
  topicProblem,
} from './message-checks.ts';
import { readFrame, type Decoded, type MessageRule, type MessageRules } from './read-frame.ts';
import { helloProblem, isCount, isFloor, isHeaders, isId, isPath, isPosition, isTopic } from './shapes.ts';

/** Reads a frame that a client wrote: see {@link readFrame}. */
export function decodeClientFrame(frame: string): Decoded<ClientMessage> {
  return readFrame<ClientMessage>(frame, clientMessages);
}

const checkCall: MessageRule['check'] = (message) => {
  if (!isId(message[1])) return 'id must be a positive safe integer';
  if (!isPath(message[2])) return 'path must be a string of 1 to 512 characters';
  return isHeaders(message[3]) ? null : 'headers must be null or an object, deadlineMs a number, 0 or more';
};

const checkWindow = (after: unknown, upTo: unknown): string | null =>
  isCount(after) && isCount(upTo) ? null : 'after and upTo must be safe integers, 0 or more';

/** The messages that a client may send. */
export const clientMessages: MessageRules = new Map<string, MessageRule>([
  ['ping', { check: checkNumber }],
  ['pong', { check: checkNumber }],
  ['hello', { check: (message) => helloProblem(message[1]) }],
  ['call', { check: checkCall, address: byId }],
  ['open', { check: (message) => checkCall(message) ?? checkWindow(message[4], message[5]), address: byId }],
  ['more', { check: (message) => checkId(message) ?? checkWindow(message[2], message[3]) }],
  ['cancel', { check: checkId }],
  ['floor', { check: (message) => (isFloor(message.slice(1)) ? null : 'ids must be positive safe integers') }],
  [
    'subscribe',
    {
      check: (message) => {
        const position = message[3] ?? null;
        return checkSubscription(message) ?? (position === null || isPosition(position) ? null : positionProblem);
      },
      address: byTopic,
    },
  ],
  ['unsubscribe', { check: (message) => (isTopic(message[1]) ? null : topicProblem) }],
  [
    'publish',
    {
      check: (message) => {
        if (!isCount(message[1])) return 'id must be a safe integer, 0 or more';
        return isTopic(message[2]) ? null : topicProblem;
      },
      address: byId,
    },
  ],
  [
    'auth',
    {
      check: (message) => checkId(message) ?? (typeof message[2] === 'string' ? null : 'token must be a string'),
      address: byId,
    },
  ],
]);
