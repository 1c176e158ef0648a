import { expectTypeOf, test } from 'vitest';
import {
  connect,
  createClient,
  TautlineError,
  type LossyOutcome,
  type Position,
  type SystemCode,
  type TopicView,
} from '../../src/index.ts';
import { dated, plain } from '../helpers/chat-contract.ts';
import { streaming } from '../helpers/stream-contract.ts';

const client = createClient(plain, connect('ws://types.test/'));

test('inputs and outputs are inferred from the schemas', () => {
  expectTypeOf(client.get({ id: 1 })).resolves.toEqualTypeOf<{ name: string }>();
  expectTypeOf(client.ping()).resolves.toEqualTypeOf<void>();
  expectTypeOf(client.note({ text: '' })).resolves.toEqualTypeOf<void>();
  expectTypeOf(createClient(dated, connect('')).remind({ at: new Date() })).resolves.toEqualTypeOf<{ at: Date }>();
  // @ts-expect-error -- the id is a number
  void client.get({ id: '1' });
  // @ts-expect-error -- it takes an input
  void client.get();
  // @ts-expect-error -- it takes none
  void client.ping({ id: 1 });
  // @ts-expect-error -- no such procedure
  void client.nothing();
  // @ts-expect-error -- a topic is not called like a procedure
  void client.counts({ id: 1 });
});

test('errors are a closed union: the declared ones with their data, and Tautline’s own', async () => {
  const result = await client.add({ by: 1 }).safe();
  if (result.ok) {
    expectTypeOf(result.data).toEqualTypeOf<number>();
    return;
  }
  expectTypeOf(result.error.code).toEqualTypeOf<SystemCode | 'LIMIT'>();
  if (result.error.code === 'LIMIT') expectTypeOf(result.error.data).toEqualTypeOf<{ max: number }>();
  // @ts-expect-error -- not declared, and none of Tautline's
  if (result.error.code === 'LIMITS') throw new TautlineError('TIMEOUT', '', { outcome: 'unknown' });
});

test('topics take the parameters of their template, and give typed events, snapshots and states', () => {
  const news = client.news({ channel: 'a' });
  expectTypeOf(news.publish({ text: '' })).resolves.toEqualTypeOf<Position>();
  const lossy = { delivery: 'lossy', conflate: 'key' } as const;
  expectTypeOf(news.publish({ text: '' }, lossy)).resolves.toEqualTypeOf<LossyOutcome>();
  // @ts-expect-error -- only what may be dropped can be replaced
  void news.publish({ text: '' }, { conflate: 'key' });
  news.subscribe((event, position) => {
    expectTypeOf(event).toEqualTypeOf<{ text: string }>();
    expectTypeOf(position).toEqualTypeOf<Position>();
  });
  const events = client.counts().events({
    buffer: 16,
    snapshot: (state) => {
      expectTypeOf(state).toEqualTypeOf<Record<string, number>>();
    },
  });
  expectTypeOf(events.next()).resolves.toEqualTypeOf<IteratorResult<{ key: string; count: number }, undefined>>();
  expectTypeOf(events.position).toEqualTypeOf<Position | undefined>();
  // @ts-expect-error -- no such option
  news.events({ size: 16 });
  client.counts().subscribe({
    snapshot: (state) => {
      expectTypeOf(state).toEqualTypeOf<Record<string, number>>();
    },
  });
  expectTypeOf(client.counts().state.get()).toEqualTypeOf<Record<string, number> | undefined>();
  expectTypeOf(client.counts().view.value).toEqualTypeOf<TopicView<Record<string, number>>>();
  client.counts().state.subscribe((state) => expectTypeOf(state).toEqualTypeOf<Record<string, number> | undefined>());
  // @ts-expect-error -- the parameter is missing
  client.news();
  // @ts-expect-error -- another name
  client.news({ room: 'a' });
  // @ts-expect-error -- not the event
  void news.publish({ txt: '' });
});

test('streams give typed items and end with typed errors; headers are texts', async () => {
  const streams = createClient(streaming, connect('ws://types.test/'));
  const talk = streams.talk(undefined, { headers: { 'x-tenant': 'blue' } });
  for await (const item of talk) expectTypeOf(item).toEqualTypeOf<{ word: string }>();
  if (talk.error?.code === 'QUOTA') expectTypeOf(talk.error.data).toEqualTypeOf<{ left: number }>();
  expectTypeOf(talk.error?.code).toEqualTypeOf<SystemCode | 'QUOTA' | undefined>();
  expectTypeOf(streams.count({ to: 1 })).toExtend<AsyncIterable<number>>();
  // @ts-expect-error -- it takes an input
  streams.count();
  // @ts-expect-error -- not the input
  streams.count({ to: '1' });
  expectTypeOf(streams.count({ to: 1 })).not.toHaveProperty('then');
  // @ts-expect-error -- a header is a text
  void streams.ping(undefined, { headers: { n: 1 } });
  // @ts-expect-error -- a publish carries no headers
  void client.counts().publish({ key: '', count: 1 }, { headers: { a: 'b' } });
});
