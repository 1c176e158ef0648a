import type { Continuity, GoAway, Hello, Position, Welcome, WireError } from './messages.ts';

/*
 * One function a message: each returns one message as JSON text. A `payload` is the text of the payload slots as a
 * codec's `encode` gives it, '' for none. Slots are joined by hand, which costs a third of building an array for
 * `JSON.stringify`; what may need escaping, and only that, goes through it.
 */

/** The first message of a client on every socket. */
export function encodeHello(hello: Hello): string {
  return `["hello",${JSON.stringify(hello)}]`;
}

/** The first message of a server on every socket. */
export function encodeWelcome(welcome: Welcome): string {
  return `["welcome",${JSON.stringify(welcome)}]`;
}

/** A query or a mutation. `path` and `headers`: JSON. */
export function encodeCall(id: number, path: string, headers: string, payload: string): string {
  if (payload !== '') return `["call",${id},${path},${headers},${payload}]`;
  return headers === 'null' ? `["call",${id},${path}]` : `["call",${id},${path},${headers}]`;
}

/** The start of a stream (`after` 0), or taking it up again after item number `after`. `headers`: JSON. */
export function encodeOpen(
  id: number,
  path: string,
  headers: string,
  after: number,
  upTo: number,
  payload: string,
): string {
  return `["open",${id},${JSON.stringify(path)},${headers},${after},${upTo}${slots(payload)}]`;
}

/** Items of a stream through `after` reached the consumer, items through `upTo` may be sent. */
export function encodeMore(id: number, after: number, upTo: number): string {
  return `["more",${id},${after},${upTo}]`;
}

/** Nobody wants the answer of this id any more. */
export function encodeCancel(id: number): string {
  return `["cancel",${id}]`;
}

/** Every id below the first number is settled at the client, but for the ones that follow it. */
export function encodeFloor(floor: readonly number[]): string {
  return `["floor",${floor.join(',')}]`;
}

/** A subscription number `n` of a topic, after a position or from now. */
export function encodeSubscribe(n: number, topic: string, position: Position | undefined): string {
  return `["subscribe",${n},${JSON.stringify(topic)}${position === undefined ? '' : `,${place(position)}`}]`;
}

/** The end of the subscription of a topic. */
export function encodeUnsubscribe(topic: string): string {
  return `["unsubscribe",${JSON.stringify(topic)}]`;
}

/** A publication of the client; id 0 asks for no answer. `topic`: JSON. */
export function encodePublish(id: number, topic: string, payload: string): string {
  return `["publish",${id},${topic}${slots(payload)}]`;
}

/** New credentials on the live socket. */
export function encodeAuth(id: number, token: string): string {
  return `["auth",${id},${JSON.stringify(token)}]`;
}

/** A question whether the peer is there. @param spreadMs - Of a server: see `Welcome`. */
export function encodePing(n: number, spreadMs?: number): string {
  return spreadMs === undefined ? `["ping",${n}]` : `["ping",${n},${spreadMs}]`;
}

/** The answer to a ping of the same number. */
export function encodePong(n: number): string {
  return `["pong",${n}]`;
}

/** The output that settles an id. */
export function encodeReply(id: number, payload: string): string {
  return `["reply",${id}${slots(payload)}]`;
}

/** The answer to a publication: the position that it was given. */
export function encodePublished(id: number, position: Position): string {
  return `["reply",${id},${place(position)}]`;
}

/** The failure that settles an id; the payload is the data of a declared error. */
export function encodeError(id: number, error: WireError, payload: string): string {
  return `["error",${id},${JSON.stringify(error)}${slots(payload)}]`;
}

/** Item number `seq` of a stream, from 1. */
export function encodeItem(id: number, seq: number, payload: string): string {
  return `["item",${id},${seq}${slots(payload)}]`;
}

/** The end of a stream, which settles its id. */
export function encodeDone(id: number): string {
  return `["done",${id}]`;
}

/** A subscription is in force: what follows starts at `position`. */
export function encodeSubscribed(n: number, topic: string, position: Position, continuity: Continuity): string {
  return `["subscribed",${n},${JSON.stringify(topic)},${place(position)},"${continuity}"]`;
}

/** The full state of a topic at a position. */
export function encodeSnapshot(topic: string, position: Position, payload: string): string {
  return `["snapshot",${quoted(topic)},${place(position)}${slots(payload)}]`;
}

/** One publication of a topic: the same text goes to every subscriber. */
export function encodeEvent(topic: string, offset: number, payload: string): string {
  return `["event",${quoted(topic)},${offset}${slots(payload)}]`;
}

/** A subscription was refused, or ended by the server. */
export function encodeUnsubscribed(n: number, topic: string, error: WireError): string {
  return `["unsubscribed",${n},${JSON.stringify(topic)},${JSON.stringify(error)}]`;
}

/** The server is draining: move at a random moment of that window. */
export function encodeGoAway(goaway: GoAway): string {
  return `["goaway",${JSON.stringify(goaway)}]`;
}

/** One frame of messages in their order. There must be at least one: a frame is never empty. */
export function encodeFrame(messages: readonly string[]): string {
  return messages.length === 1 ? `[${messages[0]}]` : `[${messages.join(',')}]`;
}

function slots(payload: string): string {
  return payload === '' ? '' : `,${payload}`;
}

function place([epoch, offset]: Position): string {
  if (epoch !== lastEpoch) {
    lastEpoch = epoch;
    lastEpochQuoted = JSON.stringify(epoch);
  }
  return `[${lastEpochQuoted},${offset}]`;
}

/** The name of a topic as JSON. */
function quoted(topic: string): string {
  if (topic !== lastTopic) {
    lastTopic = topic;
    lastTopicQuoted = JSON.stringify(topic);
  }
  return lastTopicQuoted;
}

// What is published comes in runs of one topic: the same text is quoted once for all of a run.
let lastTopic = '';
let lastTopicQuoted = '""';
let lastEpoch = '';
let lastEpochQuoted = '""';
