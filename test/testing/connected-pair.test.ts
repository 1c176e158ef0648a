import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, query, stream, topic } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const contract = defineContract({
  double: query({ input: z.object({ n: z.number() }), output: z.number() }),
  add: mutation({
    input: z.object({ by: z.number() }),
    output: z.number(),
    errors: { LIMIT: z.object({ max: z.number() }) },
  }),
  news: topic('news/{channel}', { event: z.object({ text: z.string() }) }),
});

function pair() {
  let sum = 0;
  return connectedPair(contract, {
    double: ({ input }) => input.n * 2,
    add: ({ input, fail }) => (input.by > 10 ? fail('LIMIT', { max: 10 }) : (sum += input.by)),
    news: { authorize: () => true, publish: () => undefined },
  });
}

test('a client calls handlers, fails with declared errors, publishes and hears, in memory', async () => {
  await using context = pair();
  const { client, server } = context;
  expect(await client.double({ n: 21 })).toBe(42);
  const refused = await client.add({ by: 11 }).safe();
  expect(refused.error).toMatchObject({ code: 'LIMIT', data: { max: 10 } });
  const heard: string[] = [];
  const news = client.news({ channel: 'a' });
  const subscription = news.subscribe((event) => heard.push(event.text));
  await subscription.ready;
  const first = await news.publish({ text: 'from the client' });
  const second = await server.topic('news', { channel: 'a' }).publish({ text: 'from the server' });
  expect(second).toEqual([first[0], first[1] + 1]);
  await client.double({ n: 1 });
  expect(heard).toEqual(['from the client', 'from the server']);
});

test('a line that was cut comes back, and what was under way is settled once', async () => {
  await using context = pair();
  const { client, connection } = context;
  expect(await client.add({ by: 1 })).toBe(1);
  const underWay = client.add({ by: 2 });
  context.cut();
  await Promise.resolve();
  connection.wake();
  expect(await underWay).toBe(3);
  expect(await client.add({ by: 4 })).toBe(7);
});

test('a line that was frozen before its first socket answers nothing until it is thawed', async () => {
  await using context = pair();
  context.freeze();
  const answer = context.client.double({ n: 1 });
  expect(await Promise.race([answer, new Promise((done) => setImmediate(done, 'silence'))])).toBe('silence');
  context.thaw();
  expect(await answer).toBe(2);
});

test('a frozen line holds everything back until it is thawed', async () => {
  await using context = pair();
  const { client } = context;
  expect(await client.add({ by: 1 })).toBe(1);
  context.freeze();
  const answer = client.add({ by: 2 });
  expect(await Promise.race([answer, new Promise((done) => setImmediate(done, 'silence'))])).toBe('silence');
  context.thaw();
  expect(await answer).toBe(3);
});

test('a line that is never quiet does not keep timers from running', async () => {
  await using context = connectedPair(defineContract({ count: stream({ output: z.number() }) }), {
    async *count() {
      for (let n = 1; ; n++) yield await Promise.resolve(n);
    },
  });
  let timerRan = false;
  setTimeout(() => (timerRan = true), 0);
  // Bounded, or the loop would keep even the time limit of this test from running.
  for await (const n of context.client.count()) if (timerRan || n === 200_000) break;
  expect(timerRan).toBe(true);
});
