import fc from 'fast-check';
import type { ClientMessage, Headers, Position, ServerMessage } from '../../src/protocol/messages.ts';
import { anyText } from './text.arbitrary.ts';

/*
 * Any message of each side, as the peer writes it. Values went through JSON once, so that what is compared is what
 * JSON can carry (it writes -0 as 0).
 */

const text = anyText();
const json = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const duration = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const path = anyText(1, 512);
const topic = anyText(1, 1024);
const epoch = anyText(1, 64);
const position: fc.Arbitrary<Position> = fc.tuple(epoch, count);
const payload = fc.oneof(fc.constant([]), fc.tuple(json), fc.tuple(json, json));
const features = fc.array(text, { maxLength: 3 });

const headers: fc.Arbitrary<Headers> = fc
  .record({ deadlineMs: duration, traceparent: text, app: json }, { requiredKeys: [] })
  .map((value) => JSON.parse(JSON.stringify(value)) as Headers);

const hello = fc.record(
  {
    client: fc.stringMatching(/^[A-Za-z0-9_-]{22,64}$/),
    n: id,
    floor: fc.array(id, { minLength: 1, maxLength: 5 }).map(([first = 1, ...except]) => [first, ...except] as const),
    token: text,
    codec: text,
    features,
    sdk: text,
  },
  { requiredKeys: ['client', 'n', 'floor'] },
);

const welcome = fc.record(
  {
    memory: path,
    identity: text,
    windowMs: duration,
    heartbeatMs: fc.integer({ min: 1 }),
    spreadMs: duration,
    limits: fc.record({
      frameBytes: id,
      calls: fc.integer({ min: 8, max: Number.MAX_SAFE_INTEGER }),
      streams: id,
      items: id,
      subscriptions: id,
    }),
    features,
  },
  { requiredKeys: ['memory', 'identity', 'windowMs', 'heartbeatMs', 'limits'] },
);

const issue = fc.record(
  { message: text, path: fc.array(fc.oneof(text, fc.nat()), { maxLength: 3 }) },
  { requiredKeys: ['message'] },
);
const error = fc.record(
  { code: path, message: text, retryAfterMs: duration, issues: fc.array(issue, { minLength: 1, maxLength: 16 }) },
  { requiredKeys: ['code', 'message'] },
);
const goaway = fc.record({ reason: text, afterMs: duration, withinMs: duration });

const ping = fc.tuple(fc.constantFrom('ping' as const, 'pong' as const), count);

/** Any message of a client. */
export const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.tuple(fc.constant('hello' as const), hello),
  fc.tuple(id, path).map(([...slots]) => ['call', ...slots] as const),
  fc.tuple(id, path, headers).map(([...slots]) => ['call', ...slots] as const),
  fc
    .tuple(id, path, fc.option(headers), fc.oneof(fc.tuple(json), fc.tuple(json, json)))
    .map(([number, name, head, slots]) => ['call', number, name, head, ...slots] as const),
  fc
    .tuple(id, path, fc.option(headers), count, count, payload)
    .map(([number, name, head, after, upTo, slots]) => ['open', number, name, head, after, upTo, ...slots] as const),
  fc.tuple(fc.constant('more' as const), id, count, count),
  fc.tuple(fc.constant('cancel' as const), id),
  fc.tuple(id, fc.array(id, { maxLength: 5 })).map(([floor, except]) => ['floor', floor, ...except] as const),
  fc.tuple(fc.constant('subscribe' as const), id, topic),
  fc.tuple(fc.constant('subscribe' as const), id, topic, position),
  fc.tuple(fc.constant('unsubscribe' as const), topic),
  fc.tuple(count, topic, payload).map(([number, name, slots]) => ['publish', number, name, ...slots] as const),
  fc.tuple(fc.constant('auth' as const), id, text),
  ping,
);

/** Any message of a server. */
export const serverMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  fc.tuple(fc.constant('welcome' as const), welcome),
  fc.tuple(id, payload).map(([number, slots]) => ['reply', number, ...slots] as const),
  fc.tuple(id, error, payload).map(([number, problem, slots]) => ['error', number, problem, ...slots] as const),
  fc.tuple(id, id, payload).map(([number, seq, slots]) => ['item', number, seq, ...slots] as const),
  fc.tuple(fc.constant('done' as const), id),
  fc.tuple(
    fc.constant('subscribed' as const),
    id,
    topic,
    position,
    fc.constantFrom('live' as const, 'resumed' as const, 'gap' as const),
  ),
  fc.tuple(topic, position, payload).map(([name, at, slots]) => ['snapshot', name, at, ...slots] as const),
  fc.tuple(topic, count, payload).map(([name, offset, slots]) => ['event', name, offset, ...slots] as const),
  fc.tuple(fc.constant('unsubscribed' as const), id, topic, error),
  fc.tuple(fc.constant('goaway' as const), goaway),
  fc.tuple(fc.constant('ping' as const), count, duration),
  ping,
);
