import type { ContractTopic } from '../contract/contract.ts';
import type { Topic } from '../contract/topic.ts';
import { TautlineError } from '../errors.ts';
import type { Codec } from '../payload.ts';
import { encodePublish } from '../protocol/encode.ts';
import type { Position } from '../protocol/messages.ts';
import { utf8Length } from '../protocol/utf8.ts';
import { checkValue } from './call-function.ts';
import type { PublishOptions } from './call-options.ts';
import { CallPromise } from './call-promise.ts';
import type { ClientConnection } from './client-connection.ts';
import type { TopicHandle } from './client-types.ts';
import { interceptedCall, type SendCall } from './intercepted-call.ts';
import type { LossyOptions, LossyOutcome } from './lossy-publish.ts';
import { serverError } from './server-error.ts';
import type { Subscription, TopicListeners } from './subscription.ts';
import { EventFeed, type TopicEvents, type TopicEventsOptions } from './topic-events.ts';

/** Makes the handle of one topic. Making one opens nothing. */
export function topicHandle(
  connection: ClientConnection,
  topic: ContractTopic,
  codec: Codec,
  params: Readonly<Record<string, string>>,
): TopicHandle<Topic> {
  const name = topic.fill(params);
  const subscribe = (
    listeners: TopicListeners<unknown, unknown> | ((event: unknown, position: Position) => void),
  ): Subscription =>
    connection.subscribe(name, topic, codec, typeof listeners === 'function' ? { event: listeners } : listeners);
  return {
    name,
    publish: ((event: unknown, options: PublishOptions | LossyOptions = {}) =>
      'delivery' in options && options.delivery === 'lossy'
        ? publishLossy(connection, topic, codec, name, event, options)
        : publish(connection, topic, codec, name, event, options)) as TopicHandle<Topic>['publish'],
    subscribe,
    events: (options = {}) =>
      new EventFeed(
        {
          name,
          path: topic.path,
          subscribe: (listeners) => connection.subscribe(name, topic, codec, listeners),
          report: connection.subscriptions.report,
        },
        options as TopicEventsOptions<unknown>,
      ) as TopicEvents<never>,
    state: {
      get: () => connection.subscriptions.get(name)?.fold.get() as never,
      subscribe: (listener) => {
        let shown: unknown = connection.subscriptions.get(name)?.fold.get();
        const changed = (): void => {
          const state = connection.subscriptions.get(name)?.fold.get();
          if (state === shown) return;
          shown = state;
          listener();
        };
        const subscription = subscribe({ event: changed, snapshot: changed, status: changed });
        return () => {
          subscription.unsubscribe();
        };
      },
    },
  };
}

function publish(
  connection: ClientConnection,
  topic: ContractTopic,
  codec: Codec,
  name: string,
  event: unknown,
  options: PublishOptions,
): CallPromise<Position> {
  const { path } = topic;
  const send: SendCall = (given, terms, resolve, reject) => {
    const payload = codec.encode(given);
    connection.request(
      {
        path,
        acts: true,
        idempotent: false,
        topic: name,
        bytes: utf8Length(payload) + utf8Length(name),
        write: (id) => encodePublish(id, name, payload),
        readReply: (json) => readPosition(path, json),
        readError: (error) => serverError(path, error),
      },
      terms,
      () => checkValue(topic.definition.event, given, path),
      resolve,
      reject,
    );
  };
  const what = { kind: 'publish', path, topic: name } as const;
  return interceptedCall(connection, what, event, options, send) as CallPromise<Position>;
}

function publishLossy(
  connection: ClientConnection,
  { path, definition }: ContractTopic,
  codec: Codec,
  name: string,
  event: unknown,
  options: LossyOptions,
): CallPromise<LossyOutcome> {
  return new CallPromise((resolve, reject) => {
    const request = { path, name, payload: codec.encode(event), conflate: options.conflate };
    connection.publishLossy(request, options, () => checkValue(definition.event, event, path), { resolve, reject });
  });
}

function readPosition(path: string, json: unknown): Position {
  if (Array.isArray(json) && typeof json[0] === 'string' && typeof json[1] === 'number') return [json[0], json[1]];
  throw new TautlineError('BAD_OUTPUT', `${path}: the server answered a publish with no position.`, {
    outcome: 'unknown',
    path,
  });
}
