import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { connect as connectAll } from '../../src/index.ts';
import {
  connect,
  createClient,
  defineContract,
  pageLifecycle,
  presence,
  presences,
  query,
  stream,
  streams,
  topic,
  topics,
} from '../../src/core.ts';

const calls = defineContract({ users: { get: query() } });
const both = defineContract({
  users: { get: query(), watch: stream() },
  room: topic('rooms/{id}', { event: z.string() }),
});

test('queries and mutations need nothing', () => {
  const client = createClient(calls, connect('/ws'));
  expectTypeOf(client.users.get).toBeFunction();
  createClient(calls, connect('/ws', { timeoutMs: 1_000, use: [pageLifecycle()] }));
});

test('a contract with a stream or a topic needs its capability', () => {
  createClient(both, connect('/ws', { use: [pageLifecycle(), streams(), topics()] }));
  // @ts-expect-error -- there is no topics()
  createClient(both, connect('/ws', { use: [streams()] }));
  // @ts-expect-error -- there is no streams()
  createClient(both, connect('/ws', { use: [topics()] }));
  // @ts-expect-error -- there is neither
  createClient(both, connect('/ws'));
});

test('a contract with a presence needs two', () => {
  const rooms = defineContract({ here: presence('here', { info: z.string() }) });
  createClient(rooms, connect('/ws', { use: [topics(), presences()] }));
  // @ts-expect-error -- there is no presences()
  createClient(rooms, connect('/ws', { use: [topics()] }));
});

test('a connection whose type does not say is looked at when the client is made', () => {
  createClient(both, connectAll('/ws'));
});
