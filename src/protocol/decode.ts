import { clientMessages, serverMessages } from './grammar.ts';
import type { MessageRule } from './grammar.ts';
import { isTooDeep, MAX_DEPTH } from './json-depth.ts';
import type { ClientMessage, Malformed, ServerMessage } from './messages.ts';

export { MAX_DEPTH } from './json-depth.ts';

/** Why a frame is no frame of this protocol. The server closes with 4400, the client reports it and reconnects. */
export interface FrameError {
  readonly reason: string;
}

/** What a frame holds. What came before a fault stands; what comes after it was not read. */
export interface Decoded<Message> {
  readonly messages: readonly Message[];
  /** Known messages with wrong slots that tell whom to answer. The messages after them were read. */
  readonly malformed: readonly Malformed[];
  readonly error: FrameError | null;
}

/**
 * Reads a frame that a client wrote. Any text gives a result, none throws. Unknown messages, extra slots and unknown
 * fields are ignored; the tuples are those of `JSON.parse`.
 */
export function decodeClientFrame(frame: string): Decoded<ClientMessage> {
  return decodeFrame<ClientMessage>(frame, clientMessages);
}

/** Reads a frame that a server wrote; like {@link decodeClientFrame}. An unknown word of `subscribed` reads as `gap`. */
export function decodeServerFrame(frame: string): Decoded<ServerMessage> {
  return decodeFrame<ServerMessage>(frame, serverMessages);
}

function decodeFrame<Message>(frame: string, rules: ReadonlyMap<string, MessageRule>): Decoded<Message> {
  const messages: Message[] = [];
  const malformed: Malformed[] = [];
  const fault = (reason: string): Decoded<Message> => ({ messages, malformed, error: { reason } });

  if (isTooDeep(frame)) return fault(`the frame nests deeper than ${MAX_DEPTH} levels`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(frame);
  } catch {
    return fault('the frame is not JSON');
  }
  if (!Array.isArray(parsed) || parsed.length === 0) return fault('the frame is not an array with messages');

  for (const message of parsed as readonly unknown[]) {
    if (!Array.isArray(message) || typeof message[0] !== 'string') {
      return fault('a message is not an array that begins with its name');
    }
    const rule = rules.get(message[0]);
    if (rule === undefined) continue;
    const problem = rule.check(message);
    if (problem === null) {
      messages.push(message as unknown as Message);
      continue;
    }
    const address = rule.address(message);
    if (address === null) return fault(`malformed ${message[0]}: ${problem}`);
    malformed.push({ name: message[0], problem, ...address });
  }
  return { messages, malformed, error: null };
}
