import { DEVELOPMENT } from '../development.ts';
import {
  byId,
  byTopic,
  checkError,
  checkId,
  checkNumber,
  checkSubscription,
  positionProblem,
  topicProblem,
} from './message-checks.ts';
import type { MessageRule } from './read-frame.ts';
import { MALFORMED, goAwayProblem, isCount, isId, isPosition, isTopic, welcomeProblem } from './shapes.ts';

/*
 * The messages that a server may send, a rule each, so that a client holds those alone that it takes.
 */

export const welcome: MessageRule = { check: (message) => welcomeProblem(message[1]) };
export const ping: MessageRule = { check: checkNumber };
export const pong: MessageRule = { check: checkNumber };
export const goaway: MessageRule = { check: (message) => goAwayProblem(message[1]) };

export const reply: MessageRule = { check: checkId };
export const error: MessageRule = {
  check: (message) => checkId(message) ?? checkError(message[2]),
  address: byId,
};

export const item: MessageRule = {
  check: (message) => checkId(message) ?? (isId(message[2]) ? null : DEVELOPMENT ? 'seq must count from 1' : MALFORMED),
  address: byId,
};
export const done: MessageRule = { check: checkId };

export const subscribed: MessageRule = {
  check: (message) => {
    const problem = checkSubscription(message);
    if (problem !== null) return problem;
    if (!isPosition(message[3])) return positionProblem;
    const continuity = message[4];
    if (typeof continuity !== 'string') return DEVELOPMENT ? 'continuity must be a string' : MALFORMED;
    // A word of a later version: the only safe reading is that something may be missing.
    if (continuity !== 'live' && continuity !== 'resumed') message[4] = 'gap';
    return null;
  },
  address: byTopic,
};
export const snapshot: MessageRule = {
  check: (message) => {
    if (!isTopic(message[1])) return topicProblem;
    return isPosition(message[2]) ? null : positionProblem;
  },
};
export const event: MessageRule = {
  check: (message) => {
    if (!isTopic(message[1])) return topicProblem;
    return isCount(message[2]) ? null : DEVELOPMENT ? 'offset must be a safe integer, 0 or more' : MALFORMED;
  },
};
export const unsubscribed: MessageRule = {
  check: (message) => checkSubscription(message) ?? checkError(message[3]),
  address: byTopic,
};
