import { DEVELOPMENT } from '../development.ts';
import { isTooDeep, MAX_DEPTH } from './json-depth.ts';
import type { Malformed } from './messages.ts';
import { MALFORMED } from './shapes.ts';

/** How one message is checked, and whom to answer when it fails. */
export interface MessageRule {
  /** What is wrong with the slots, or `null`. */
  readonly check: (message: unknown[]) => string | null;
  /** Whom an answer to a malformed one would reach, or `null`; absent when nobody: then the frame is at fault. */
  readonly address?: (message: readonly unknown[]) => Omit<Malformed, 'name' | 'problem'> | null;
}

/** Rules by name. A map, so that a name like `constructor` is one name among the unknown. */
export type MessageRules = ReadonlyMap<string, MessageRule>;

/** Why a frame is no frame of this protocol. The server closes with 4400, the client reports it and reconnects. */
export interface FrameError {
  readonly reason: string;
}

/** What a frame holds. What came before a fault stands; what comes after it was not read. */
export interface Decoded<Message> {
  readonly messages: readonly Message[];
  /** Known messages with wrong slots that tell whom to answer. The messages after them were read. */
  readonly malformed: readonly Malformed[];
  /** Messages that nobody here knows. */
  readonly ignored: number;
  readonly error: FrameError | null;
  /** Nothing in it is nested too deep for a value, or has a key `__proto__`: a codec need not look once more. */
  readonly isVetted: boolean;
}

/** Levels of a frame and its message, and of the deepest value that a codec takes. */
const VETTED_LEVELS = 2 + 60;

const NONE: readonly Malformed[] = [];

/**
 * Reads a frame by the rules of the messages that its reader knows. Any text gives a result, none throws. Unknown
 * messages, extra slots and unknown fields are ignored; the tuples are those of `JSON.parse`.
 */
export function readFrame<Message>(frame: string, rules: MessageRules): Decoded<Message> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(frame);
  } catch {
    // Some engines parse by recursion, and give up where it is deep.
    return atFault(isTooDeep(frame) ? TOO_DEEP : DEVELOPMENT ? 'the frame is not JSON' : MALFORMED);
  }
  const isVetted = isClean(parsed, VETTED_LEVELS);
  if (!isVetted && isTooDeep(frame)) return atFault(TOO_DEEP);
  if (!Array.isArray(parsed) || parsed.length === 0) {
    return atFault(DEVELOPMENT ? 'the frame is not an array with messages' : MALFORMED);
  }

  const messages: Message[] = [];
  let malformed = NONE;
  let ignored = 0;
  for (const message of parsed as readonly unknown[]) {
    if (!Array.isArray(message) || typeof message[0] !== 'string') {
      const reason = DEVELOPMENT ? 'a message is not an array that begins with its name' : MALFORMED;
      return atFault(reason, messages, malformed, isVetted);
    }
    const rule = rules.get(message[0]);
    if (rule === undefined) {
      ignored++;
      continue;
    }
    const problem = rule.check(message);
    if (problem === null) {
      messages.push(message as unknown as Message);
      continue;
    }
    const address = rule.address?.(message);
    if (address == null) {
      const reason = DEVELOPMENT ? `malformed ${message[0]}: ${problem}` : problem;
      return atFault(reason, messages, malformed, isVetted);
    }
    malformed = [...malformed, { name: message[0], problem, ...address }];
  }
  return { messages, malformed, ignored, error: null, isVetted };
}

const TOO_DEEP: string = DEVELOPMENT ? `the frame nests deeper than ${MAX_DEPTH} levels` : MALFORMED;

function atFault<Message>(
  reason: string,
  messages: readonly Message[] = [],
  malformed: readonly Malformed[] = NONE,
  isVetted = false,
): Decoded<Message> {
  return { messages, malformed, ignored: 0, error: { reason }, isVetted };
}

/** Whether what `JSON.parse` made is no deeper than so many levels, and owns no key `__proto__`. */
function isClean(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (!isClean(item, levels - 1)) return false;
    return true;
  }
  for (const key in value) {
    if (key === '__proto__' || !isClean((value as Record<string, unknown>)[key], levels - 1)) return false;
  }
  return true;
}
