import { expect, test } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, presence, query, stream, topic } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const contract = defineContract({
  wait: query({ input: z.string() }),
  ticks: stream({ output: z.number() }),
  rooms: { chat: topic('chat/{id}', { event: z.string(), snapshot: z.string(), apply: (_, text) => text }) },
});

function pair(failOnLeaks = false) {
  const ends: Array<() => void> = [];
  const made = connectedPair(
    contract,
    {
      wait: () => new Promise<void>((end) => ends.push(end)),
      async *ticks({ signal }) {
        yield 1;
        await new Promise((end) => signal.addEventListener('abort', end));
      },
      rooms: { chat: { authorize: () => true, snapshot: () => '' } },
    },
    { failOnLeaks },
  );
  return Object.assign(made, { ends });
}

const here = /, at .*test\/testing\/leaks\.test\.ts:\d+:\d+\)?$/;

test('a stay is left until it is left', async () => {
  const rooms = defineContract({ here: presence('here', { info: z.string() }) });
  await using context = connectedPair(rooms, { here: { authorize: () => true } });
  const stay = context.client.here().enter('ann');
  await stay.ready;
  expect(context.leaks()).toContainEqual(expect.stringMatching(new RegExp(`^a stay in here${here.source}`)));
  stay.leave();
  await expect.poll(() => context.leaks()).toEqual([]);
});

test('nothing is left of what was ended', async () => {
  await using context = pair();
  const { client, connection, ends } = context;
  const chat = client.rooms.chat({ id: 'a' });
  expect(client.rooms.chat({ id: 'a' })).toBe(chat);
  const undo = [
    connection.on('status', () => undefined),
    connection.state.listen(() => undefined),
    chat.view.subscribe(() => undefined),
    chat.state.listen(() => undefined),
  ];
  const subscription = chat.subscribe(() => undefined);
  await subscription.ready;
  const asked = client.wait('a');
  for await (const tick of client.ticks()) if (tick === 1) break;
  expect(context.leaks().length).toBeGreaterThan(4);
  ends[0]!();
  await asked;
  subscription.unsubscribe();
  for (const end of undo) end();
  await context.settled();
  expect(context.leaks()).toEqual([]);
});

test('what is left is told, with where it was begun', async () => {
  await using context = pair();
  const { client, connection, ends } = context;
  const chat = client.rooms.chat({ id: 'a' });
  await chat.subscribe(() => undefined).ready;
  chat.view.subscribe(() => undefined);
  connection.on('error', () => undefined);
  connection.state.subscribe(() => undefined);
  const asked = client.wait('a');
  const other = context.connect();
  await other.client.rooms.chat({ id: 'b' }).subscribe(() => undefined).ready;
  const leaks = context.leaks();
  expect(leaks.slice(0, 5).map((leak) => leak.replace(here, ''))).toEqual([
    'a subscription of chat/a',
    'a listener of the view of chat/a',
    'a listener of error',
    'a listener of status',
    'a subscription of chat/b',
  ]);
  expect(leaks.slice(5)).toEqual(['wait at work (1)', '1 calls or streams of a client']);
  ends[0]!();
  await asked;
  await other.connection.close();
  await connection.close();
  expect(context.leaks()).toEqual([]);
});

test('a connection of an app that is left open is told', async () => {
  await using context = pair();
  const connection = connect('ws://app.test/ws?token=1', { WebSocket: context.WebSocket });
  await createClient(contract, connection)
    .rooms.chat({ id: 'a' })
    .subscribe(() => undefined).ready;
  expect(context.leaks()).toEqual(['a connection of an app to ws://app.test/ws']);
  await connection.close();
  await context.settled();
  expect(context.leaks()).toEqual([]);
});

test('a pair that is to fail on leaks does so when it has closed all', async () => {
  const { connection, client, ...context } = pair(true);
  connection.on('status', () => undefined);
  await client.rooms.chat({ id: 'a' }).subscribe(() => undefined).ready;
  await expect(context[Symbol.asyncDispose]()).rejects.toThrow(
    /^connectedPair: left open: a listener of status, at .*\na subscription of chat\/a, at /,
  );
  expect(connection.status.state).toBe('closed');
  await pair(true)[Symbol.asyncDispose]();
});
