import { QueryClient, skipToken, type QueryKey } from '@tanstack/query-core';
import { useMutation, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { expectTypeOf, test } from 'vitest';
import { connect, createClient, type CallError, type TautlineError } from '../../src/index.ts';
import { attachTopics, queryUtils } from '../../src/tanstack-query/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { streaming } from '../helpers/stream-contract.ts';

const client = createClient(plain, connect('ws://types.test/'));
const q = queryUtils(client);
const s = queryUtils(createClient(streaming, connect('ws://types.test/')));
const queryClient = new QueryClient();
attachTopics(queryClient, client);

type GetError = CallError<(typeof plain)['tree']['get']>;
type AddError = CallError<(typeof plain)['tree']['add']>;

test('keys carry what is under them', () => {
  expectTypeOf(queryClient.getQueryData(q.get.queryKey({ id: 1 }))).toEqualTypeOf<{ name: string } | undefined>();
  expectTypeOf(queryClient.getQueryData(q.ping.queryKey())).toEqualTypeOf<null | undefined>();
  expectTypeOf(queryClient.getQueryData(q.counts.stateKey())).toEqualTypeOf<Record<string, number> | undefined>();
  expectTypeOf(queryClient.getQueryData(q.get.queryOptions({ id: 1 }).queryKey)).toEqualTypeOf<
    { name: string } | undefined
  >();
  expectTypeOf(q.get.key()).toExtend<QueryKey>();
  // @ts-expect-error -- the id is a number
  q.get.queryKey({ id: '1' });
  // @ts-expect-error -- it takes an input
  q.get.queryKey();
});

test('a query has its data, its errors, and what `select` makes', () => {
  const found = useQuery(q.get.queryOptions({ id: 1 }));
  expectTypeOf(found.data).toEqualTypeOf<{ name: string } | undefined>();
  expectTypeOf(found.error).toEqualTypeOf<GetError | null>();
  expectTypeOf(useSuspenseQuery(q.get.queryOptions({ id: 1 })).data).toEqualTypeOf<{ name: string }>();
  expectTypeOf(useQuery(q.get.queryOptions({ id: 1 }, { select: (user) => user.name })).data).toEqualTypeOf<
    string | undefined
  >();
  expectTypeOf(useQuery(q.get.queryOptions(skipToken)).data).toEqualTypeOf<{ name: string } | undefined>();
  expectTypeOf(queryClient.query(q.get.queryOptions({ id: 1 }))).resolves.toEqualTypeOf<{ name: string }>();
  expectTypeOf(useQuery(q.ping.queryOptions()).data).toEqualTypeOf<null | undefined>();
  // @ts-expect-error -- it takes an input
  q.get.queryOptions();
  // @ts-expect-error -- a mutation is no query
  q.add.queryOptions();
});

test('an event of a live query is the topic’s', () => {
  q.get.queryOptions(
    { id: 1 },
    {
      live: {
        topic: client.news({ channel: 'a' }),
        event: (user, event) => {
          expectTypeOf(user).toEqualTypeOf<{ name: string }>();
          expectTypeOf(event).toEqualTypeOf<{ text: string }>();
          return { name: user.name + event.text };
        },
      },
    },
  );
});

test('a mutation has its input and its errors', () => {
  const adding = useMutation(q.add.mutationOptions({ onMutate: () => ({ before: 1 }), onError: () => {} }));
  expectTypeOf(adding.mutateAsync({ by: 1 })).resolves.toEqualTypeOf<number>();
  expectTypeOf(adding.error).toEqualTypeOf<AddError | null>();
  // @ts-expect-error -- a number
  adding.mutate({ by: '1' });
  if (adding.error?.code === 'LIMIT') expectTypeOf(adding.error.data.max).toEqualTypeOf<number>();
});

test('a stream is an array, or what the reducer makes', () => {
  expectTypeOf(useQuery(s.count.streamedOptions({ to: 1 })).data).toEqualTypeOf<number[] | undefined>();
  const joined = s.talk.streamedOptions(undefined, {
    reducer: (text: string, { word }) => text + word,
    initialValue: '',
  });
  expectTypeOf(useQuery(joined).data).toEqualTypeOf<string | undefined>();
});

test('a topic has its state; one without has none', () => {
  expectTypeOf(useQuery(q.counts.stateOptions()).data).toEqualTypeOf<Record<string, number> | undefined>();
  expectTypeOf(useQuery(q.counts.stateOptions()).error).toEqualTypeOf<TautlineError | null>();
});
