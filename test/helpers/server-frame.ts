import type { ServerMessage } from '../../src/protocol/messages.ts';
import { readFrame, type Decoded, type MessageRules } from '../../src/protocol/read-frame.ts';
import * as rules from '../../src/protocol/server-messages.ts';

/** The messages that a server may send, by name. */
export const serverMessages: MessageRules = new Map(Object.entries(rules));

/** Reads a frame that a server wrote: see {@link readFrame}. An unknown word of `subscribed` reads as `gap`. */
export function decodeServerFrame(frame: string): Decoded<ServerMessage> {
  return readFrame<ServerMessage>(frame, serverMessages);
}
