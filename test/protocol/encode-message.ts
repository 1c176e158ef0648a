import * as encode from '../../src/protocol/encode.ts';
import type { ClientMessage, ServerMessage } from '../../src/protocol/messages.ts';

/** The text of payload slots that were read, as a codec would give it. */
function payloadText(slots: readonly unknown[]): string {
  return slots.map((slot) => JSON.stringify(slot)).join(',');
}

/** Writes a message that was read, with the encoder of its name. */
export function encodeMessage(message: ClientMessage | ServerMessage): string {
  switch (message[0]) {
    case 'hello':
      return encode.encodeHello(message[1]);
    case 'welcome':
      return encode.encodeWelcome(message[1]);
    case 'call':
      return encode.encodeCall(
        message[1],
        JSON.stringify(message[2]),
        JSON.stringify(message[3] ?? null),
        payloadText(message.slice(4)),
      );
    case 'open': {
      const [, id, path, headers, after, upTo, ...slots] = message;
      return encode.encodeOpen(id, path, JSON.stringify(headers), after, upTo, payloadText(slots));
    }
    case 'more':
      return encode.encodeMore(message[1], message[2], message[3]);
    case 'cancel':
      return encode.encodeCancel(message[1]);
    case 'floor':
      return encode.encodeFloor(message.slice(1) as number[]);
    case 'subscribe':
      return encode.encodeSubscribe(message[1], message[2], message[3] ?? undefined);
    case 'unsubscribe':
      return encode.encodeUnsubscribe(message[1]);
    case 'publish':
      return encode.encodePublish(message[1], JSON.stringify(message[2]), payloadText(message.slice(3)));
    case 'auth':
      return encode.encodeAuth(message[1], message[2]);
    case 'ping':
      return encode.encodePing(message[1], (message as readonly ['ping', number, number?])[2]);
    case 'pong':
      return encode.encodePong(message[1]);
    case 'reply':
      return encode.encodeReply(message[1], payloadText(message.slice(2)));
    case 'error':
      return encode.encodeError(message[1], message[2], payloadText(message.slice(3)));
    case 'item':
      return encode.encodeItem(message[1], message[2], payloadText(message.slice(3)));
    case 'done':
      return encode.encodeDone(message[1]);
    case 'subscribed':
      return encode.encodeSubscribed(message[1], message[2], message[3], message[4]);
    case 'snapshot':
      return encode.encodeSnapshot(message[1], message[2], payloadText(message.slice(3)));
    case 'event':
      return encode.encodeEvent(message[1], message[2], payloadText(message.slice(3)));
    case 'unsubscribed':
      return encode.encodeUnsubscribed(message[1], message[2], message[3]);
    case 'goaway':
      return encode.encodeGoAway(message[1]);
    default:
      return message satisfies never;
  }
}
