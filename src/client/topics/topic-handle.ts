import type { Topic } from '../../contract/topic.ts';
import type { TautlineError } from '../../errors.ts';
import type { Position } from '../../protocol/messages.ts';
import { CallPromise } from '../calls/call-promise.ts';
import type { TopicHandle } from '../client-types.ts';
import { capability, type Capability, type Kernel } from '../kernel/capability.ts';
import type { LossyOptions, LossyOutcome } from '../requests/lossy-lane.ts';
import type { PublishOptions } from '../requests/request-options.ts';
import type { FilledTopic } from '../requests/filled-topic.ts';
import { Publish } from './publish.ts';
import type { EventListener, Subscription, SubscriptionState, TopicListeners } from './subscription.ts';
import type { TopicState } from './topic-fold.ts';
import { TopicTable } from './topic-table.ts';

/** Topics: `client.room({ roomId }).subscribe(listener)`, `publish(event)` and `state`. */
export function topics(): Capability<'topics'> {
  return capability('topics', (kernel) => {
    const table = new TopicTable(kernel);
    return {
      ...table.extension,
      offers: {
        topic:
          (topic, _path, codec) =>
          (params: Readonly<Record<string, string>> = {}) => {
            const name = topic.fill(params);
            return topicHandle(kernel, table, { topic, name, nameJson: JSON.stringify(name), codec });
          },
      },
    };
  });
}

/** Makes the handle of one topic. Making one opens nothing. */
function topicHandle(kernel: Kernel, table: TopicTable, filled: FilledTopic): TopicHandle<Topic> {
  const { name, topic, codec } = filled;
  const subscribe = (
    listeners: TopicListeners<unknown, unknown> | EventListener,
  ): ReturnType<TopicTable['subscribe']> => table.subscribe(name, topic, codec, listeners);
  return {
    name,
    publish: ((event: unknown, options: PublishOptions | LossyOptions = {}) =>
      'delivery' in options && options.delivery === 'lossy'
        ? new CallPromise<LossyOutcome>((resolve, reject) =>
            kernel.lossyLane().publish(filled, event, options, { resolve, reject }),
          )
        : publish(kernel, filled, event, options)) as TopicHandle<Topic>['publish'],
    subscribe,
    events: (options = {}) =>
      kernel.topicLoop({ name, path: topic.path, subscribe, report: kernel.report }, options) as never,
    state: stateOf(() => table.get(name)?.fold.get(), subscribe, table.endOfState) as TopicState<never>,
  };
}

function publish(kernel: Kernel, filled: FilledTopic, event: unknown, options: PublishOptions): CallPromise<Position> {
  const { topic, name, codec } = filled;
  const send = (
    given: unknown,
    terms: PublishOptions,
    resolve: (position: unknown) => void,
    reject: (error: Error) => void,
  ): void => {
    const request = new Publish(filled, codec.encode(given), resolve, reject);
    kernel.requests.start(request, terms, topic.definition.event, given);
  };
  return new CallPromise((resolve, reject) => {
    const settle = resolve as (position: unknown) => void;
    if (kernel.around === undefined) {
      send(event, options, settle, reject);
      return;
    }
    const once = (given: unknown, terms: PublishOptions): Promise<unknown> =>
      new Promise((succeed, fail) => send(given, terms, succeed, fail));
    kernel.around({ kind: 'publish', path: topic.path, topic: name }, event, options, once).then(settle, reject);
  });
}

/** The folded state as a store: listening to it keeps the topic subscribed. */
function stateOf(
  get: () => unknown,
  subscribe: (listeners: TopicListeners<unknown, unknown>) => Subscription,
  ended: (error: TautlineError) => void,
): TopicState<unknown> {
  return {
    get,
    subscribe: (listener) => {
      let shown = get();
      const changed = (): void => {
        const state = get();
        if (state === shown) return;
        shown = state;
        listener();
      };
      const status = (_state: SubscriptionState, error?: TautlineError): void => {
        changed();
        if (error !== undefined) ended(error);
      };
      const subscription = subscribe({ event: changed, snapshot: changed, status });
      return () => subscription.unsubscribe();
    },
  };
}
