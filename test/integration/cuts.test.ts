import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, topic, type Gap } from '../../src/index.ts';
import { createServer, memoryBroker } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { faultProxy } from '../../src/testing/faults.ts';

const contract = defineContract({
  run: mutation({ input: z.object({ key: z.number() }), output: z.number() }),
  numbers: topic('numbers', { event: z.object({ n: z.number() }) }),
});

async function world({ seed, everyChunks }: { seed: number; everyChunks: number }, historySize: number) {
  const ran = new Map<number, number>();
  const server = createServer(contract, {
    handlers: {
      run: ({ input }) => {
        ran.set(input.key, (ran.get(input.key) ?? 0) + 1);
        return input.key;
      },
      numbers: { authorize: () => true },
    },
    broker: memoryBroker({ history: { size: historySize, ttlMs: 300_000 } }),
  });
  const listener = await listen(server, { port: 0 });
  const proxy = await faultProxy({ to: listener.port, seed });
  proxy.cutAtRandom({ everyChunks, most: 200 });
  const connection = connect(`ws://127.0.0.1:${String(proxy.port)}${new URL(listener.url).pathname}`, {
    WebSocket,
    timeoutMs: 120_000,
  });
  // The policy would wait for seconds between so many cuts: what is tested is what is lost, not how long it takes.
  connection.on('status', ({ state }) => {
    if (state === 'waiting') connection.reconnect();
  });
  return {
    ran,
    server,
    proxy,
    connection,
    client: createClient(contract, connection),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await proxy.close();
      await listener.close();
      await server.close();
    },
  };
}

/** Events and gaps as they came, until the last number is here. */
function collect(client: Awaited<ReturnType<typeof world>>['client'], last: number) {
  const heard: Array<number | Gap> = [];
  const complete = new Promise<void>((done) => {
    client.numbers().subscribe({
      event: ({ n }) => {
        heard.push(n);
        if (n === last) done();
      },
      gap: (gap) => {
        heard.push(gap);
        if (gap.to[1] >= last) done();
      },
    });
  });
  return { heard, complete };
}

test('1 000 mutations over a line that is cut 200 times: each is answered, and none runs twice', async () => {
  await using context = await world({ seed: 1, everyChunks: 6 }, 1_000);
  const { client, ran, proxy, connection } = context;
  const answers: Array<Promise<{ key: number; ok: boolean }>> = [];
  let key = 0;
  for (; key < 1_000; key++) {
    const mine = key;
    answers.push(
      client
        .run({ key })
        .safe()
        .then((result) => ({ key: mine, ok: result.ok && result.data === mine })),
    );
    // A few at a time, so that there is traffic to cut all the way.
    if (key % 4 === 3) await answers[key];
  }
  // Cuts that the calls did not use up: more calls, until all are made.
  for (; proxy.cuts < 200; key++) {
    const mine = key;
    answers.push(
      client
        .run({ key })
        .safe()
        .then((result) => ({ key: mine, ok: result.ok && result.data === mine })),
    );
    await answers[key];
  }
  const settled = await Promise.all(answers);
  expect(settled.length).toBeGreaterThanOrEqual(1_000);
  expect(settled.filter(({ ok }) => !ok)).toEqual([]);
  expect([...ran.values()].filter((times) => times !== 1)).toEqual([]);
  expect(ran.size).toBe(settled.length);
  expect(proxy.cuts).toBe(200);
  expect(connection.stats()).toMatchObject({ inFlight: 0, queued: { messages: 0 } });
}, 120_000);

async function publishAll(context: Awaited<ReturnType<typeof world>>, count: number) {
  const numbers = context.server.topic('numbers');
  for (let n = 1; n <= count; n++) {
    await numbers.publish({ n });
    // Lets frames out, so that there are many to cut.
    if (n % 5 === 0) await new Promise((done) => setImmediate(done));
  }
}

test('5 000 events over a line that is cut 200 times: each once and in order, while history covers the cuts', async () => {
  await using context = await world({ seed: 2, everyChunks: 5 }, 5_000);
  const { heard, complete } = collect(context.client, 5_000);
  await context.client.run({ key: -1 });
  await publishAll(context, 5_000);
  await complete;
  expect(heard).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
  expect(context.proxy.cuts).toBeGreaterThanOrEqual(100);
}, 120_000);

test('5 000 events where history is short: every hole is told, and nothing is doubled or out of order', async () => {
  await using context = await world({ seed: 3, everyChunks: 5 }, 20);
  const { heard, complete } = collect(context.client, 5_000);
  await context.client.run({ key: -1 });
  await publishAll(context, 5_000);
  await complete;
  let last = 0;
  for (const entry of heard) {
    if (typeof entry === 'number') {
      expect(entry).toBe(last + 1);
      last = entry;
    } else {
      expect(entry.to[1]).toBeGreaterThan(last);
      last = entry.to[1];
    }
  }
  expect(last).toBe(5_000);
  expect(heard.some((entry) => typeof entry !== 'number')).toBe(true);
}, 120_000);
