import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query, stream, topic } from '../../src/index.ts';
import type { Connection, ConnectionStatus } from '../../src/index.ts';
import { mockServer } from '../../src/testing/msw.ts';

const contract = defineContract({
  double: query({ input: z.number(), output: z.number() }),
  add: mutation({ input: z.number(), output: z.number(), errors: { LIMIT: z.object({ max: z.number() }) } }),
  count: stream({ input: z.number(), output: z.number() }),
  news: topic('news/{channel}', {
    event: z.string(),
    snapshot: z.array(z.string()),
    apply: (all, one) => [...all, one],
  }),
});

const msw = setupServer();
beforeAll(() => msw.listen({ onUnhandledFrame: 'bypass' }));
afterAll(() => msw.close());

let sum = 0;
const mock = mockServer(contract, {
  url: 'ws://app.test/ws',
  handlers: {
    double: ({ input }) => input * 2,
    add: ({ input, fail }) => (input > 10 ? fail('LIMIT', { max: 10 }) : (sum += input)),
    async *count({ input }) {
      for (let n = 0; n < input; n++) yield await Promise.resolve(n);
    },
    news: { authorize: () => true, publish: () => undefined, snapshot: () => ['old'] },
  },
});

const open: Connection[] = [];
function app(url = 'ws://app.test/ws', auth?: () => string) {
  const connection = connect(url, { ...mock.fast, ...(auth !== undefined && { auth }) });
  open.push(connection);
  // At once, so that no test waits for a clock.
  connection.on('status', ({ state }) => state === 'waiting' && queueMicrotask(() => connection.wake()));
  return { connection, client: createClient(contract, connection) };
}
const turn = () => new Promise<string>((done) => setImmediate(done, 'silence'));
beforeEach(() => {
  sum = 0;
  msw.use(...mock.handlers);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
  mock.reset();
  msw.resetHandlers();
});

test('calls, declared errors, streams and large messages go through the real engine', async () => {
  const { client } = app();
  expect(await client.double(21)).toBe(42);
  expect(await client.add(11).safe()).toMatchObject({ error: { code: 'LIMIT', data: { max: 10 } } });
  const items: number[] = [];
  for await (const item of client.count(200)) items.push(item);
  expect(items).toHaveLength(200);
  const room = client.news({ channel: 'a' });
  const heard: string[] = [];
  const snapshots: string[][] = [];
  let heardAll!: () => void;
  const all = new Promise<void>((done) => (heardAll = done));
  await room.subscribe({
    event: (event) => heard.push(event) === 2 && heardAll(),
    snapshot: (state) => snapshots.push(state),
  }).ready;
  await mock.topic('news', { channel: 'a' }).publish('x'.repeat(500_000));
  await room.publish('mine');
  await all;
  expect(heard.map((event) => event.length)).toEqual([500_000, 4]);
  expect(snapshots).toEqual([['old']]);
});

test('what the app asked for is told, with what became of it', async () => {
  const { client } = app();
  await client.double(1);
  await client.add(11).safe();
  await client.news({ channel: 'a' }).publish('hello');
  expect(mock.calls().map(({ path, kind, input, outcome }) => [path, kind, input, outcome])).toEqual([
    ['double', 'query', 1, 'ok'],
    ['add', 'mutation', 11, 'LIMIT'],
    ['news', 'publish', 'hello', 'ok'],
  ]);
  expect(mock.calls('add')).toHaveLength(1);
  mock.reset();
  expect(mock.calls()).toEqual([]);
});

test('a call that is under way is pending', async () => {
  const { client } = app();
  let begun!: () => void;
  const began = new Promise<void>((done) => (begun = done));
  let answer!: (n: number) => void;
  mock.use({
    double: () => {
      begun();
      return new Promise<number>((done) => (answer = done));
    },
  });
  const asked = client.double(1);
  await began;
  expect(mock.calls('double')).toMatchObject([{ outcome: 'pending' }]);
  answer(5);
  expect(await asked).toBe(5);
  expect(mock.calls('double')).toMatchObject([{ outcome: 'ok' }]);
});

test('handlers and single rules are laid over until reset', async () => {
  const { client } = app();
  mock.use({ double: () => 1 });
  mock.use({ double: () => 2, news: { publish: () => Promise.reject(new Error('no')) } });
  mock.use({ news: { authorize: ({ action }) => action === 'subscribe' } });
  expect(await client.double(0)).toBe(2);
  expect(
    await client
      .news({ channel: 'a' })
      .publish('x')
      .catch((error: unknown) => error),
  ).toMatchObject({
    code: 'FORBIDDEN',
  });
  mock.reset();
  expect(await client.double(4)).toBe(8);
  await client.news({ channel: 'a' }).publish('x');
});

test('a line that was cut comes back, and what was under way takes effect once', async () => {
  const { client } = app();
  expect(await client.add(1)).toBe(1);
  const asked = client.add(2);
  mock.cut();
  expect(await asked).toBe(3);
  expect(await client.add(4)).toBe(7);
});

test('what is under way to the server when a line is cut does not get there', async () => {
  const { client } = app();
  await client.double(1);
  const asked = client.add(2);
  mock.cut();
  mock.refuse();
  await turn();
  expect(mock.calls('add')).toEqual([]);
  mock.accept();
  expect(await asked).toBe(2);
});

test('a line that was cut after its call was done asks for the answer again', async () => {
  const { client } = app();
  mock.use({
    add: ({ input }) => {
      queueMicrotask(() => mock.cut());
      return Promise.resolve((sum += input));
    },
  });
  expect(await client.add(2)).toBe(2);
  expect(sum).toBe(2);
});

test('a frozen line answers nothing until it is thawed, a new socket included', async () => {
  const { client } = app();
  await client.double(1);
  mock.freeze();
  const asked = client.double(2);
  const late = app().client.double(3);
  expect(await Promise.race([asked, late, turn()])).toBe('silence');
  expect(mock.calls('double')).toHaveLength(1);
  mock.thaw();
  expect(await Promise.all([asked, late])).toEqual([4, 6]);
});

test('refused sockets were never open, until they are let in again', async () => {
  mock.refuse();
  const { client, connection } = app();
  const asked = client.double(2);
  const losses: unknown[] = [];
  await new Promise<void>((done) => {
    connection.on('status', (status) => {
      if (status.state === 'waiting' && losses.push(status.cause) === 2) done();
    });
  });
  mock.accept();
  expect(await asked).toBe(4);
  expect(losses).toMatchObject([
    { code: 1006, opened: false },
    { code: 1006, opened: false },
  ]);
});

test('what is published while a client is away is heard once when it is back', async () => {
  const { client } = app();
  const heard: string[] = [];
  await client.news({ channel: 'a' }).subscribe((event) => heard.push(event)).ready;
  await mock.topic('news', { channel: 'a' }).publish('one');
  mock.cut();
  mock.refuse();
  await mock.topic('news', { channel: 'a' }).publish('two');
  mock.accept();
  expect(await client.double(1)).toBe(2);
  await mock.topic('news', { channel: 'a' }).publish('three');
  await expect.poll(() => heard).toEqual(['one', 'two', 'three']);
});

test('a server that begins anew knows nothing of what was before', async () => {
  const { client, connection } = app();
  const gaps: unknown[] = [];
  const room = client.news({ channel: 'a' });
  const snapshots: string[][] = [];
  await room.subscribe({ snapshot: (all) => snapshots.push(all), gap: (gap) => gaps.push(gap) }).ready;
  await room.publish('before');
  const codes: unknown[] = [];
  connection.on('status', (status) => status.state === 'waiting' && codes.push(status.cause));
  await mock.restart();
  expect(await client.double(2)).toBe(4);
  expect(codes).toMatchObject([{ code: 1012 }]);
  await room.publish('after');
  expect(snapshots).toEqual([['old'], ['old']]);
});

test('a close says behind msw, too, when to come back', async () => {
  const busy = ws.link('ws://busy.test/ws');
  msw.use(busy.addEventListener('connection', ({ client }) => client.close(1012, 'retry-after=5000')));
  const connection = connect('ws://busy.test/ws', { lazy: false });
  open.push(connection);
  const waiting = await new Promise<ConnectionStatus>((resolve) => {
    connection.on('status', (status) => status.state === 'waiting' && resolve(status));
  });
  expect(waiting).toMatchObject({ cause: { code: 1012, reason: 'retry-after=5000', by: 'peer' } });
});

test('what has no handler is NOT_FOUND with what to do', async () => {
  const some = mockServer(contract, { partial: true, url: 'ws://some.test/ws' });
  msw.use(...some.handlers);
  const { client } = app('ws://some.test/ws');
  const missing = { code: 'NOT_FOUND', outcome: 'rejected', message: expect.stringContaining('add it to mockServer') };
  expect((await client.double(1).safe()).error).toMatchObject(missing);
  expect(
    (await client
      .count(1)
      .next()
      .catch((error: unknown) => error)) as object,
  ).toMatchObject(missing);
  const room = client.news({ channel: 'a' });
  expect(await room.publish('x').catch((error: unknown) => error)).toMatchObject(missing);
  expect(await room.subscribe(() => undefined).ready.catch((error: unknown) => error)).toMatchObject(missing);
  some.use({ double: ({ input }) => input, news: { authorize: () => true } });
  expect(await client.double(1)).toBe(1);
  const refused = { code: 'FORBIDDEN', message: expect.stringContaining('add news.publish to mockServer') };
  expect(await room.publish('x').catch((error: unknown) => error)).toMatchObject(refused);
  expect(some.calls().map(({ outcome }) => outcome)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'ok', 'FORBIDDEN']);
  await some.close();
});

test('without partial a missing handler is named when the mock is made', () => {
  expect(() => mockServer(contract, { handlers: {} as never })).toThrow(
    new TypeError('handlers.double is missing: add it to mockServer, or pass partial: true'),
  );
});

test('several clients have their identities, and two mocks their own URLs', async () => {
  const who = defineContract({ me: query({ output: z.string() }) });
  const other = mockServer(who, {
    url: 'ws://who.test/*',
    server: { authenticate: ({ token = '' }: { token?: string | undefined }) => ({ identity: token, context: token }) },
    handlers: { me: ({ context }) => context },
  });
  msw.use(...other.handlers);
  const me = (name: string) => createClient(who, app('ws://who.test/ws', () => name).connection).me();
  expect(await Promise.all([me('ann'), me('bob'), app().client.double(1)])).toEqual(['ann', 'bob', 2]);
  expect(other.calls().map(({ context }) => context)).toEqual(['ann', 'bob']);
  await other.close();
});

test('without a URL it answers any socket that speaks Tautline, and leaves others to the network', async () => {
  const any = mockServer(contract, { partial: true, handlers: { double: ({ input }) => input } });
  msw.resetHandlers(...any.handlers);
  expect(await app('wss://anywhere.test/path').client.double(3)).toBe(3);
  const real = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((done) => real.once('listening', done));
  const { port } = real.address() as { port: number };
  real.on('connection', (socket) => socket.send('real'));
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  expect(await new Promise((done) => (socket.onmessage = ({ data }) => done(data)))).toBe('real');
  const closed = new Promise((done) => (socket.onclose = done));
  socket.close();
  await closed;
  await new Promise((done) => real.close(done));
  await any.close();
});
