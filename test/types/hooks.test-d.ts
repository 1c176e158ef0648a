import { expectTypeOf, test } from 'vitest';
import { connect, createClient, type CallError, type ConnectionStatus, type TautlineError } from '../../src/index.ts';
import { useCall, useConnection, usePublish, useStream, useTopic, useTopicEvents } from '../../src/react/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { streaming } from '../helpers/stream-contract.ts';

const connection = connect('ws://types.test/');
const client = createClient(plain, connection);
const streams = createClient(streaming, connection);
declare const isShown: boolean;
type Counts = Record<string, number>;
/** Uses what is only looked at. */
declare function look(...values: unknown[]): void;

test('a topic gives its state, what `select` makes of it, and may be null', () => {
  const useAll = () => useTopic(client.counts());
  expectTypeOf(useAll).returns.toHaveProperty('data').toEqualTypeOf<Counts | undefined>();
  expectTypeOf(useAll).returns.toHaveProperty('error').toEqualTypeOf<TautlineError | undefined>();
  const useSome = () => useTopic(isShown ? client.counts() : null, { select: ({ a }) => a ?? '-' });
  expectTypeOf(useSome).returns.toHaveProperty('data').toEqualTypeOf<number | '-' | undefined>();
  const usePair = () =>
    useTopic(client.counts(), {
      select: ({ a, b }) => ({ a, b }),
      isEqual: (one, other) => {
        expectTypeOf(one).toEqualTypeOf<{ a: number | undefined; b: number | undefined }>();
        return one.a === other.a;
      },
    });
  // @ts-expect-error -- its counts are numbers
  const useText = () => useTopic(client.counts(), { select: ({ a }) => a?.trim() });
  // @ts-expect-error -- no such pace
  const usePace = () => useTopic(client.counts(), { pace: 'second' });
  look(usePair, useText, usePace);
});

test('events may be those of no topic; they are typed, with their position', () => {
  const useNews = () =>
    useTopicEvents(isShown ? client.news({ channel: 'a' }) : null, ({ text }, position) => {
      expectTypeOf(text).toEqualTypeOf<string>();
      expectTypeOf(position).toEqualTypeOf<readonly [string, number]>();
    });
  look(useNews);
});

test('a call has its input, its output and its declared errors', () => {
  const useAdd = () => {
    const { call, data, error } = useCall(client.add);
    expectTypeOf(data).toEqualTypeOf<number | undefined>();
    expectTypeOf(call).parameter(0).toEqualTypeOf<{ by: number }>();
    expectTypeOf(error).toEqualTypeOf<CallError<typeof plain.tree.add> | undefined>();
    // @ts-expect-error -- a number
    void call({ by: '1' });
    return error?.code === 'LIMIT' ? error.data.max : undefined;
  };
  expectTypeOf(useAdd).returns.toEqualTypeOf<number | undefined>();
});

test('a stream gives its last item, or what `reduce` makes of them; its input may be null', () => {
  const useCount = () => useStream(streams.count, isShown ? { to: 1 } : null);
  expectTypeOf(useCount).returns.toHaveProperty('data').toEqualTypeOf<number | undefined>();
  const useTalk = () => {
    const { data, error } = useStream(streams.talk, undefined, { reduce: (all, { word }) => all + word, initial: '' });
    expectTypeOf(data).toEqualTypeOf<string>();
    expectTypeOf(error).toEqualTypeOf<CallError<typeof streaming.tree.talk> | undefined>();
  };
  // @ts-expect-error -- a number
  const useWrong = () => useStream(streams.count, { to: '1' });
  look(useTalk, useWrong);
});

test('a publish has its event; a connection its status, or what `select` makes of it', () => {
  const useNote = () => {
    const { publish, data } = usePublish(client.news({ channel: 'a' }));
    expectTypeOf(publish).parameter(0).toEqualTypeOf<{ text: string }>();
    expectTypeOf(data).toEqualTypeOf<readonly [string, number] | undefined>();
  };
  const useStatus = () => useConnection(connection);
  expectTypeOf(useStatus).returns.toEqualTypeOf<ConnectionStatus>();
  const useState = () => useConnection(connection, ({ state }) => state);
  expectTypeOf(useState).returns.toEqualTypeOf<ConnectionStatus['state']>();
  look(useNote);
});
