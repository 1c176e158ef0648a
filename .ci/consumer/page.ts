/* A page that uses the package as it is published, in a project without the types of Node. */
import { connect, createClient, defineContract, mutation, query, stream, topic } from 'tautline';
import * as core from 'tautline/core';
import { superjson } from 'tautline/superjson';
import { ReconnectingWebSocket } from 'tautline/websocket';
import { z } from 'zod';

export const contract = defineContract({
  ping: query({ output: z.string() }),
  forget: mutation(),
  users: { get: query({ input: z.object({ id: z.number() }), output: z.object({ name: z.string() }) }) },
  reply: stream({ input: z.string(), output: z.string() }),
  beats: stream({ output: z.number() }),
  room: topic('rooms/{roomId}', { event: z.object({ text: z.string() }), snapshot: z.array(z.string()) }),
  news: topic('news', { event: z.string() }),
  total: topic('total', { event: z.number(), snapshot: z.number(), apply: (sum, event) => sum + event }),
});

export async function useClient(): Promise<void> {
  const connection = connect('/ws', { auth: () => 'token' });
  const client = createClient(contract, connection);
  (await client.ping()).toUpperCase();
  await client.forget();
  (await client.users.get({ id: 1 })).name.toUpperCase();
  const result = await client.users.get({ id: 1 }, { timeoutMs: 100 }).safe();
  if (result.ok) result.data.name.toUpperCase();
  else result.error.code.toUpperCase();
  for await (const token of client.reply('hi')) token.toUpperCase();
  for await (const beat of client.beats()) beat.toFixed();
  const subscription = client.room({ roomId: '1' }).subscribe({
    event: ({ text }) => text.toUpperCase(),
    snapshot: (texts) => texts.map((text) => text.toUpperCase()),
  });
  subscription.unsubscribe();
  (await client.news().publish('new'))[0].toUpperCase();

  client.total().state.value?.toFixed();

  // @ts-expect-error -- it has events alone
  type _OfEvents = ReturnType<(typeof client)['news']>['state'];
  // @ts-expect-error -- nothing folds its events into the snapshot
  type _OfSnapshot = ReturnType<(typeof client)['room']>['state'];
  // @ts-expect-error -- the id is a number
  void client.users.get({ id: '1' });
  // @ts-expect-error -- it takes an input
  void client.users.get();
  // @ts-expect-error -- it takes none
  void client.ping('no');
  // @ts-expect-error -- no such procedure
  type _Nothing = (typeof client)['nothing'];
  // @ts-expect-error -- the topic has a parameter
  client.room({});
  await connection.close();
}

export function useCore(): void {
  const calls = defineContract({ ping: query({ output: z.string() }) });
  void core.createClient(calls, core.connect('/ws')).ping();
  void core.createClient(contract, core.connect('/ws', { use: [core.topics(), core.streams()] })).ping();
}

export function useSocket(): void {
  new ReconnectingWebSocket('wss://example.com').send('hi');
  superjson.encode(new Date());
}
