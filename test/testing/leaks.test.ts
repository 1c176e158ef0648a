import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, presence, query, stream, topic } from '../../src/index.ts';
import type { Interceptor } from '../../src/index.ts';
import { connectedPair, type PairConnectOptions } from '../../src/testing/index.ts';

const contract = defineContract({
  wait: query({ input: z.string() }),
  ticks: stream({ output: z.number() }),
  rooms: { chat: topic('chat/{id}', { event: z.string(), snapshot: z.string(), apply: (_, text) => text }) },
});

function pair({
  failOnLeaks = false,
  connect: options = {},
}: { failOnLeaks?: boolean; connect?: PairConnectOptions } = {}) {
  const ends: Array<() => void> = [];
  const made = connectedPair(
    contract,
    {
      wait: () => new Promise<void>((end) => ends.push(end)),
      async *ticks({ signal }) {
        yield 1;
        await new Promise((end) => signal.addEventListener('abort', end));
      },
      rooms: { chat: { authorize: () => true, publish: () => undefined, snapshot: () => '' } },
    },
    { failOnLeaks, connect: options },
  );
  return Object.assign(made, { ends });
}

const here = /, at .*test\/testing\/leaks\.test\.ts:\d+:\d+\)?$/;

test('a stay is left until it is left', async () => {
  const rooms = defineContract({ here: presence('here', { info: z.string() }) });
  await using context = connectedPair(rooms, { here: { authorize: () => true } });
  const stay = context.client.here().enter('ann');
  await stay.ready;
  expect(context.leaks()).toEqual([expect.stringMatching(new RegExp(`^a stay in here${here.source}`))]);
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
  expect(leaks.slice(0, 6).map((leak) => leak.replace(here, ''))).toEqual([
    'a subscription of chat/a',
    'a listener of the view of chat/a',
    'a listener of error',
    'a listener of status',
    'a call of wait',
    'a subscription of chat/b',
  ]);
  expect(leaks.slice(6)).toEqual(['wait at work (1)']);
  ends[0]!();
  await asked;
  await other.connection.close();
  await connection.close();
  expect(context.leaks()).toEqual([]);
});

/** What was left that was begun in this file, without its place. */
const toldOf = ({ leaks }: ReturnType<typeof pair>): string[] =>
  leaks()
    .filter((leak) => here.test(leak))
    .map((leak) => leak.replace(here, ''));

const around: Interceptor = (call, next) => next(call);
const ways: Readonly<Record<string, PairConnectOptions>> = {
  'as they are': {},
  'through interceptors': { intercept: [around, around] },
};

test.each(Object.entries(ways))(
  'calls, streams, loops and publishes are told until they end, %s',
  async (_, options) => {
    await using context = pair({ connect: options });
    const { client, ends } = context;
    const chat = client.rooms.chat({ id: 'a' });
    const asked = client.wait('a');
    const ticks = client.ticks();
    expect(toldOf(context)).toEqual(['a call of wait']);
    expect(await ticks.next()).toMatchObject({ value: 1 });
    const events = chat.events();
    const event = events.next();
    await chat.publish('one');
    expect(await event).toMatchObject({ value: 'one' });
    context.freeze();
    const published = chat.publish('two');
    expect(toldOf(context)).toEqual([
      'a call of wait',
      'a stream of ticks',
      'a loop over chat/a',
      'a publish to chat/a',
    ]);
    context.thaw();
    await published;
    expect(toldOf(context)).toHaveLength(3);
    await events.return();
    expect(toldOf(context)).toEqual(['a call of wait', 'a stream of ticks']);
    await ticks.return();
    ends[0]!();
    await asked;
    await context.settled();
    expect(context.leaks()).toEqual([]);
  },
);

test('a publish that may be dropped is told while it waits, and what is refused at once never is', async () => {
  await using context = pair();
  const { client, connection } = context;
  await client.rooms.chat({ id: 'a' }).publish('now');
  context.refuse();
  context.cut();
  await expect.poll(() => connection.status.state).toBe('waiting');
  const chat = client.rooms.chat({ id: 'a' });
  const published = chat.publish('x', { delivery: 'lossy', conflate: 'cursor' });
  expect(toldOf(context)).toEqual(['a publish to chat/a']);
  expect(await chat.publish('x', { delivery: 'lossy', timeoutMs: -1 }).safe()).toMatchObject({ ok: false });
  expect(await chat.publish('x', { timeoutMs: -1 }).safe()).toMatchObject({ ok: false });
  expect(toldOf(context)).toHaveLength(1);
  context.accept();
  connection.wake();
  expect(await published).toBe('sent');
  expect(context.leaks()).toEqual([]);
});

test('a call is told while an interceptor keeps it, and one whose connection is closed is not', async () => {
  const kept: Array<() => void> = [];
  const keep: Interceptor = async (call, next) => {
    await new Promise<void>((go) => kept.push(go));
    return next(call);
  };
  await using context = pair({ connect: { intercept: keep } });
  const asked = context.client.wait('a').safe();
  expect(toldOf(context)).toEqual(['a call of wait']);
  kept[0]!();
  await expect.poll(() => context.ends.length).toBe(1);
  expect(toldOf(context)).toEqual(['a call of wait']);
  await context.connection.close();
  expect((await asked).error?.code).toBe('CLOSED');
  expect(toldOf(context)).toEqual([]);
});

test('another client that is made on a connection of the pair is watched, too', async () => {
  await using context = pair();
  const other = defineContract({ more: query({}), news: topic('news', { event: z.string() }) });
  const client = createClient(other, context.connection);
  const asked = client.more().safe();
  client.news().subscribe({ status: () => undefined });
  expect(toldOf(context)).toEqual(['a call of more', 'a subscription of news']);
  expect((await asked).error?.code).toBe('NOT_FOUND');
});

test('a call that fails and that nobody awaits is an unhandled rejection, as without the pair', async () => {
  await using context = pair();
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
  const unhandled = once(process, 'unhandledRejection');
  void context.client.wait('a');
  await context.connection.close();
  expect((await unhandled)[0]).toMatchObject({ code: 'CLOSED', path: 'wait' });
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
  const { connection, client, ...context } = pair({ failOnLeaks: true });
  connection.on('status', () => undefined);
  await client.rooms.chat({ id: 'a' }).subscribe(() => undefined).ready;
  await expect(context[Symbol.asyncDispose]()).rejects.toThrow(
    /^connectedPair: left open: a listener of status, at .*\na subscription of chat\/a, at /,
  );
  expect(connection.status.state).toBe('closed');
  await pair({ failOnLeaks: true })[Symbol.asyncDispose]();
});
