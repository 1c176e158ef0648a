import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  connect,
  createClient,
  defineContract,
  perFrame,
  topic,
  type StatefulTopic,
  type StatefulTopicHandle,
  type Store,
  type Topic,
  type TopicHandle,
  type TopicView,
} from '../../src/index.ts';
import { createClientContext, useTopic, useTopicEvents } from '../../src/react/index.ts';
import { topicReady, useTopicValue } from '../../src/react/suspense.ts';
import { queryUtils } from '../../src/tanstack-query/index.ts';
import { plain } from '../helpers/chat-contract.ts';

const client = createClient(plain, connect('ws://types.test/'));
const counts = client.counts();
/** Has events alone. */
const news = client.news({ channel: 'a' });
/** Has a snapshot, and nothing that folds events into it. */
const board = client.board();
type Counts = Record<string, number>;
/** Uses what is only looked at. */
declare function look(...values: unknown[]): void;

test('a topic with snapshot and apply has a state, another one has none', () => {
  expectTypeOf(counts).toExtend<StatefulTopicHandle<typeof plain.tree.counts>>();
  expectTypeOf(counts.state).toEqualTypeOf<Store<Counts | undefined>>();
  expectTypeOf(counts.hydrate).parameter(0).toEqualTypeOf<{ readonly state: Counts; readonly position: readonly [string, number] }>(); // prettier-ignore
  expectTypeOf(counts.read).returns.exclude(undefined).toEqualTypeOf<Parameters<typeof counts.hydrate>[0]>();
  expectTypeOf(news).toEqualTypeOf<TopicHandle<typeof plain.tree.news>>();
  expectTypeOf(board).toEqualTypeOf<TopicHandle<typeof plain.tree.board>>();
  // @ts-expect-error -- it has events alone
  look(news.state);
  // @ts-expect-error -- it has no state to take
  look(news.hydrate);
  // @ts-expect-error -- nothing folds its events
  look(board.state);
  // @ts-expect-error -- nothing folds its events
  look(board.hydrate);
  // @ts-expect-error -- there is nothing to tell once a frame
  perFrame(news.state);
  const { useClient } = createClientContext<typeof plain>();
  const useState = () => useClient().counts().state;
  expectTypeOf(useState).returns.toEqualTypeOf<Store<Counts | undefined>>();
  // @ts-expect-error -- in a context, too
  const useNothing = () => useClient().news({ channel: 'a' }).state;
  look(useNothing);
});

test('all have a view; its data is the state', () => {
  expectTypeOf(counts.view.value).toEqualTypeOf<TopicView<Counts>>();
  expectTypeOf(news.view.value.data).toEqualTypeOf<undefined>();
  expectTypeOf(board.view.value.data).toEqualTypeOf<undefined>();
  expectTypeOf(perFrame(news.view).value.status).toEqualTypeOf<TopicView<never>['status']>();
  board.subscribe({ snapshot: (state) => expectTypeOf(state).toEqualTypeOf<{ size: number }>() });
});

test('hooks and caches that give nothing but a state take no topic without one', () => {
  const useCounts = () => useTopicValue(counts, { select: ({ a = 0 }) => a });
  expectTypeOf(useCounts).returns.toEqualTypeOf<number>();
  // @ts-expect-error -- it would wait forever
  const useNews = () => useTopicValue(news);
  // @ts-expect-error -- it would wait forever
  const useBoard = () => useTopicValue(board);
  look(useNews, useBoard);
  expectTypeOf(topicReady(counts)).resolves.toEqualTypeOf<Counts>();
  expectTypeOf(topicReady(news)).resolves.toEqualTypeOf<undefined>();
  const useView = () => useTopic(news);
  expectTypeOf(useView).returns.toHaveProperty('data').toEqualTypeOf<undefined>();
  const useEvents = () =>
    useTopicEvents(news, (event) => {
      expectTypeOf(event).toEqualTypeOf<{ text: string }>();
    });
  look(useEvents);
  const q = queryUtils(client);
  expectTypeOf(q.counts).toHaveProperty('stateOptions');
  expectTypeOf<keyof typeof q.news>().toEqualTypeOf<'key'>();
  expectTypeOf<keyof typeof q.board>().toEqualTypeOf<'key'>();
});

test('the definition says it', () => {
  const event = z.number();
  expectTypeOf(topic('a', { event })).toEqualTypeOf<Topic<'a', z.ZodNumber, undefined>>();
  expectTypeOf(topic('a', { event, snapshot: event })).toExtend<Topic<'a', z.ZodNumber, z.ZodNumber>>();
  expectTypeOf(topic('a', { event, snapshot: event })).not.toExtend<StatefulTopic>();
  const sum = topic('a', {
    event,
    snapshot: z.string(),
    apply: (state, value) => {
      expectTypeOf(state).toEqualTypeOf<string>();
      expectTypeOf(value).toEqualTypeOf<number>();
      return state.padEnd(value);
    },
  });
  expectTypeOf(sum).toExtend<StatefulTopic<'a', z.ZodNumber, z.ZodString>>();
  const fold = (state: string, value: number): string => state.padEnd(value);
  expectTypeOf(topic('a', { event, snapshot: z.string(), apply: fold })).toExtend<StatefulTopic<'a'>>();
  // @ts-expect-error -- there is nothing to fold into
  topic('a', { event, apply: fold });
  // @ts-expect-error -- not the state
  topic('a', { event, snapshot: z.string(), apply: (state: string, value) => value });
  const contract = defineContract({ group: { sum } });
  expectTypeOf(createClient(contract, connect('')).group.sum().state.value).toEqualTypeOf<string | undefined>();
});
