import type { Topic } from '../../contract/topic.ts';
import { DEVELOPMENT } from '../../development.ts';
import type { Position } from '../../protocol/messages.ts';
import { CallPromise } from '../calls/call-promise.ts';
import type { StatefulTopicHandle, TopicHandle, TopicInitial } from '../client-types.ts';
import { capability, type Capability, type Kernel } from '../kernel/capability.ts';
import type { Connection } from '../kernel/connection.ts';
import type { LossyOptions, LossyOutcome } from '../requests/lossy-lane.ts';
import type { PublishOptions } from '../requests/request-options.ts';
import type { Store } from '../../primitives/store.ts';
import type { FilledTopic } from '../requests/filled-topic.ts';
import { Handles } from './handles.ts';
import { Publish } from './publish.ts';
import type { EventListener, TopicListeners } from './subscription.ts';
import { TopicTable } from './topic-table.ts';
import { topicState, topicView } from './topic-view.ts';
import { resolveTopics, type TopicsOptions } from './warm-topics.ts';

/**
 * Topics: `client.room({ roomId }).subscribe(listener)`, `publish(event)` and `state`.
 * @throws RangeError for a number that makes no sense
 */
export function topics(options?: TopicsOptions): Capability<'topics'> {
  const resolved = resolveTopics(options);
  return capability('topics', (kernel) => {
    const table = new TopicTable(kernel, resolved);
    const handles = new WeakMap<object, Handles<TopicHandle<Topic>>>();
    return {
      ...table.extension,
      offers: {
        topic: (topic, _path, codec) => {
          // Shared by all clients of the contract.
          const known = handles.get(topic) ?? new Handles<TopicHandle<Topic>>();
          handles.set(topic, known);
          return (params: Readonly<Record<string, string>> = {}) => {
            const name = topic.fill(params);
            return known.get(name, () =>
              topicHandle(kernel, table, { topic, name, nameJson: JSON.stringify(name), codec }),
            );
          };
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
  const get = (): unknown => table.foldOf(name, topic)?.get();
  const view = topicView({ get, subscribe, report: kernel.report, anew: table.viewsAnew });
  const handle = {
    name,
    connection: kernel as unknown as Connection,
    publish: ((event: unknown, options: PublishOptions | LossyOptions = {}) =>
      'delivery' in options && options.delivery === 'lossy'
        ? new CallPromise<LossyOutcome>((resolve, reject) =>
            kernel.lossyLane().publish(filled, event, options, { resolve, reject }),
          )
        : publish(kernel, filled, event, options)) as TopicHandle<Topic>['publish'],
    subscribe,
    events: (options = {}) =>
      kernel.topicLoop({ name, path: topic.path, subscribe, report: kernel.report }, options) as never,
    view: view as TopicHandle<Topic>['view'],
  } satisfies TopicHandle<Topic>;
  if (topic.definition.apply === undefined) return withoutState(handle, topic.definition.template);
  const ofState: Pick<StatefulTopicHandle<Topic>, 'state' | 'hydrate' | 'read'> = {
    state: topicState(get, view, kernel.report, table.endOfState) as Store<never>,
    hydrate: ({ state, position }) => table.hydrate(name, topic, state, position),
    read: () => table.foldOf(name, topic)?.read() as TopicInitial<never> | undefined,
  };
  return Object.assign(handle, ofState);
}

/** To read what only a state gives throws. Not enumerable: who looks through a handle, as React's tools do, is not meant. */
function withoutState(handle: TopicHandle<Topic>, template: string): TopicHandle<Topic> {
  const get = (): never => {
    throw new TypeError(
      DEVELOPMENT ? `topic '${template}' has no state: give it snapshot and apply in the contract` : template,
    );
  };
  return Object.defineProperties(handle, { state: { get }, hydrate: { get }, read: { get } });
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
