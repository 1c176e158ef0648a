import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query, stream, topic } from '../../src/index.ts';
import type { ConnectOptions, Connection, Contract, ContractTree } from '../../src/index.ts';
import { mockServer } from '../../src/testing/msw.ts';

const chat = defineContract({
  send: mutation({ input: z.string(), output: z.number() }),
  words: stream({ output: z.string() }),
  room: topic('room', { event: z.string(), snapshot: z.string() }),
});
const shop = defineContract({
  buy: mutation({ input: z.string(), output: z.string() }),
  me: query({ output: z.string() }),
});

type Token = { readonly token?: string | undefined };
const byToken = {
  authenticate: ({ token = 'nobody' }: Token) => ({ identity: token, context: { name: token } }),
};

const msw = setupServer();
const open: Connection[] = [];
const answers: Array<(n: number) => void> = [];
const chatMock = mockServer(chat, {
  url: 'ws://chat.test/ws',
  partial: true,
  server: byToken,
  handlers: {
    send: () => new Promise<number>((resolve) => answers.push(resolve)),
    room: { authorize: () => true },
  },
});
const shopMock = mockServer(shop, {
  url: 'ws://shop.test/ws',
  server: byToken,
  handlers: { buy: ({ input, context }) => `${input} for ${context.name}`, me: ({ context }) => context.name },
});

beforeAll(() => {
  msw.listen();
  msw.use(...chatMock.handlers, ...shopMock.handlers);
});
afterEach(async () => {
  vi.useRealTimers();
  for (const answer of answers.splice(0)) answer(0);
  await Promise.all(open.splice(0).map((connection) => connection.close()));
  chatMock.reset();
  shopMock.reset();
});
afterAll(async () => {
  await Promise.all([chatMock.close(), shopMock.close()]);
  msw.close();
});

function app<Tree extends ContractTree>(contract: Contract<Tree>, host: string, name: string, more?: ConnectOptions) {
  const connection = connect(`ws://${host}.test/ws`, { ...chatMock.fast, auth: () => name, ...more });
  open.push(connection);
  return { connection, client: createClient(contract, connection) };
}
/** What it was by the next turn of the event loop. */
const soon = (promise: Promise<unknown>) =>
  Promise.race([promise, new Promise((resolve) => setImmediate(resolve, 'not yet'))]);

test('what clients of two contracts do is settled at each of them, for each identity', async () => {
  const [ann, bob] = [app(chat, 'chat', 'ann'), app(chat, 'chat', 'bob')];
  const [annShops, bobShops] = [app(shop, 'shop', 'ann'), app(shop, 'shop', 'bob')];
  const bought: string[] = [];
  const sent: number[] = [];
  void ann.client.send('hi').then((n) => sent.push(n));
  void bob.client.send('hello').then((n) => sent.push(n));
  for (const { client } of [annShops, bobShops]) {
    void client
      .buy('tea')
      .then((tea) => bought.push(tea))
      .then(() => client.me())
      .then((me) => bought.push(me));
  }
  await shopMock.settled({ connections: [annShops.connection, bobShops.connection] });
  expect(bought.sort()).toEqual(['ann', 'bob', 'tea for ann', 'tea for bob']);
  expect(sent).toEqual([]);
  expect(chatMock.calls('send').map(({ context, outcome }) => [context, outcome])).toEqual([
    [{ name: 'ann' }, 'pending'],
    [{ name: 'bob' }, 'pending'],
  ]);
  const settled = chatMock.settled();
  expect(await soon(settled)).toBe('not yet');
  for (const [n, answer] of answers.splice(0).entries()) answer(n + 1);
  await settled;
  expect(sent).toEqual([1, 2]);
  expect(shopMock.calls().map(({ path }) => path)).toEqual(['buy', 'buy', 'me', 'me']);
});

test('what is not settled in time is named', async () => {
  const { client, connection } = app(chat, 'chat', 'ann');
  const asked = client.send('hi');
  await expect(chatMock.settled({ timeoutMs: 1, connections: [connection] })).rejects.toThrow(
    'settled: after 1 ms there is still send at work (1), 1 calls or streams of a client',
  );
  answers.pop()?.(1);
  await asked;
  await chatMock.settled();
});

test('it waits for streams that go on, and for rules and snapshots of topics', async () => {
  const { client } = app(chat, 'chat', 'ann');
  let load!: (state: string) => void;
  const asked = new Promise<void>((begun) => {
    chatMock.use({
      room: { snapshot: () => (begun(), new Promise<string>((resolve) => (load = resolve))) },
      async *words() {
        for (const word of ['one', 'two', 'three']) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          yield word;
        }
      },
    });
  });
  const seen: string[] = [];
  client.room().subscribe({ snapshot: (state) => seen.push(state) });
  await asked;
  await expect(chatMock.settled({ timeoutMs: 1 })).rejects.toThrow('a rule or a snapshot of a topic');
  load('loaded');
  await chatMock.settled();
  expect(seen).toEqual(['loaded']);
  void (async () => {
    for await (const word of client.words()) seen.push(word);
  })();
  await chatMock.settled();
  expect(seen).toEqual(['loaded', 'one', 'two', 'three']);
});

test('it waits for clients that lost their lines to be back, and not for one that was sent away', async () => {
  const [ann, bob] = [app(shop, 'shop', 'ann'), app(shop, 'shop', 'bob')];
  await Promise.all([ann.client.me(), bob.client.me()]);
  for (const lose of [() => shopMock.cut(), () => void shopMock.restart()]) {
    lose();
    await shopMock.settled();
    expect([ann, bob].map(({ connection }) => connection.status.state)).toEqual(['connected', 'connected']);
  }
  shopMock.refuse();
  const cat = app(shop, 'shop', 'cat');
  void cat.client.me();
  await expect(shopMock.settled({ timeoutMs: 1 })).rejects.toThrow('a client that lost its line and is not back');
  shopMock.accept();
  await shopMock.settled({ connections: [cat.connection] });
  expect(shopMock.calls('me').at(-1)?.context).toEqual({ name: 'cat' });
});

test('with its connection it waits for a client that has not even come yet', async () => {
  let give!: (token: string) => void;
  const token = new Promise<string>((resolve) => (give = resolve));
  const { client, connection } = app(shop, 'shop', 'ann', { auth: () => token });
  const answers: string[] = [];
  void client.me().then((me) => answers.push(me));
  await shopMock.settled();
  const settled = shopMock.settled({ connections: [connection] });
  expect([await soon(settled), answers]).toEqual(['not yet', []]);
  give('ann');
  await settled;
  expect(answers).toEqual(['ann']);
});

test('a delay is both ways, goes by the timers of the test, and what is late counts as on its way', async () => {
  const { client, connection } = app(shop, 'shop', 'ann');
  await client.me();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  shopMock.delay(100);
  let answer: string | undefined;
  void client.me().then((me) => (answer = me));
  await expect(shopMock.settled({ timeoutMs: 1 })).rejects.toThrow('1 frames on their way');
  await vi.advanceTimersByTimeAsync(99);
  expect(shopMock.calls('me')).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(100);
  expect([shopMock.calls('me').length, answer]).toEqual([2, undefined]);
  await vi.advanceTimersByTimeAsync(1);
  expect(answer).toBe('ann');
  shopMock.delay(0);
  expect(await client.me()).toBe('ann');
  await shopMock.settled({ connections: [connection] });
  expect(() => shopMock.delay(-1)).toThrow('delay is -1: give ms, 0 or more');
});

test('a page without MessageChannel, as that of jsdom in jest, settles by the timers that are real', async () => {
  vi.stubGlobal('MessageChannel', undefined);
  const { client, connection } = app(shop, 'shop', 'ann');
  await client.me();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  await shopMock.settled({ connections: [connection] });
  shopMock.freeze();
  const answer = client.me();
  await expect(shopMock.settled({ timeoutMs: 1 })).rejects.toThrow('after 1 ms there is still 1 frames on their way');
  shopMock.thaw();
  expect(await answer).toBe('ann');
});

test('faults that there are hold for a socket that comes later, and reset ends them all', async () => {
  shopMock.delay(60_000);
  shopMock.freeze();
  const { client, connection } = app(shop, 'shop', 'ann');
  const me = client.me().safe();
  await expect.poll(() => connection.status.state).toBe('connecting');
  await expect(shopMock.settled({ timeoutMs: 1 })).rejects.toThrow('on their way');
  shopMock.thaw();
  await expect(shopMock.settled({ timeoutMs: 1 })).rejects.toThrow('on their way');
  await connection.close();
  expect((await me).error?.code).toBe('CLOSED');
  shopMock.freeze();
  shopMock.refuse();
  shopMock.reset();
  expect(await app(shop, 'shop', 'bob').client.me()).toBe('bob');
});
