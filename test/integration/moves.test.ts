import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query, topic, type Gap } from '../../src/index.ts';
import { createServer, memoryBroker, type Broker } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';

const contract = defineContract({
  run: mutation({ input: z.object({ key: z.number() }), output: z.string() }),
  read: query({ input: z.object({ key: z.number() }), output: z.number() }),
  numbers: topic('numbers', { event: z.object({ n: z.number() }) }),
});

/** A node: its handlers wait for a few turns, so that calls are under way at any moment. */
async function node(name: string, broker: Broker, ran: Map<number, string[]>) {
  const server = createServer(contract, {
    handlers: {
      run: async ({ input }) => {
        ran.set(input.key, [...(ran.get(input.key) ?? []), name]);
        await turns(5);
        return name;
      },
      read: async ({ input }) => {
        await turns(5);
        return input.key;
      },
      numbers: { authorize: () => true },
    },
    broker,
  });
  const listener = await listen(server, { port: 0 });
  return {
    server,
    url: listener.url,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await server.close();
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Calls and publishes all the time, and moves whenever the last move is over. */
async function loadWhileMoving(urls: readonly string[], nodes: readonly Awaited<ReturnType<typeof node>>[]) {
  const MOVES = 40;
  let sockets = 0;
  const connection = connect(() => urls[sockets++ % urls.length]!, { WebSocket, timeoutMs: 60_000 });
  const client = createClient(contract, connection);
  const heard: number[] = [];
  const gaps: Gap[] = [];
  const states = new Set<string>();
  const subscription = client.numbers().subscribe({ event: ({ n }) => heard.push(n), gap: (gap) => gaps.push(gap) });
  await subscription.ready;
  connection.on('status', ({ state }) => states.add(state));
  const answers: Promise<string>[] = [];
  const reads: Promise<number>[] = [];
  let published = 0;
  for (let moved = 0; moved < MOVES; moved++) {
    const before = connection.status;
    connection.reconnect({ seamless: true });
    while (connection.status === before) {
      answers.push(client.run({ key: answers.length }));
      reads.push(client.read({ key: reads.length }));
      await nodes[0]!.server.topic('numbers').publish({ n: published++ });
      await turns(1);
    }
  }
  const ranOn = await Promise.all(answers);
  expect(await Promise.all(reads)).toEqual(reads.map((_, key) => key));
  await nodes[0]!.server.topic('numbers').publish({ n: published++ });
  while (heard.at(-1) !== published - 1) await turns(1);
  await connection.close();
  return { moves: MOVES, sockets, heard, published, gaps, states: [...states], ranOn };
}

test('moves under load, on one server: each act once, each event once, never without a connection', async () => {
  const broker = memoryBroker();
  const ran = new Map<number, string[]>();
  await using only = await node('only', broker, ran);
  const result = await loadWhileMoving([only.url], [only]);
  expect([...ran.values()].filter((names) => names.length !== 1)).toEqual([]);
  expect(ran.size).toBe(result.ranOn.length);
  expect(result.heard).toEqual(Array.from({ length: result.published }, (_, n) => n));
  expect(result.gaps).toEqual([]);
  expect(result.states).toEqual(['connected', 'closed']);
  expect(result.sockets).toBe(result.moves + 1);
});

test('moves under load, between two servers: calls are answered by the one that took them', async () => {
  const broker = memoryBroker();
  const ran = new Map<number, string[]>();
  await using one = await node('one', broker, ran);
  await using two = await node('two', broker, ran);
  const result = await loadWhileMoving([one.url, two.url], [one, two]);
  expect([...ran.values()].filter((names) => names.length !== 1)).toEqual([]);
  expect(result.ranOn).toEqual(result.ranOn.map((_, key) => ran.get(key)![0]));
  expect(new Set(result.ranOn)).toEqual(new Set(['one', 'two']));
  expect(result.heard).toEqual(Array.from({ length: result.published }, (_, n) => n));
  expect(result.gaps).toEqual([]);
  expect(result.states).toEqual(['connected', 'closed']);
});

test('a server that closes within some time is left for another, and no call fails', async () => {
  const broker = memoryBroker();
  const ran = new Map<number, string[]>();
  await using one = await node('one', broker, ran);
  await using two = await node('two', broker, ran);
  const urls = [one.url, two.url];
  const connection = connect(() => urls.shift() ?? two.url, { WebSocket, random: () => 0 });
  const client = createClient(contract, connection);
  expect(await client.run({ key: 0 })).toBe('one');
  const closing = one.server.close({ withinMs: 10_000 });
  const ranOn: string[] = [];
  for (let key = 1; ranOn.at(-1) !== 'two'; key++) ranOn.push(await client.run({ key }));
  // It waits for its last client, not for the end of its time.
  await closing;
  expect([...ran.values()].filter((names) => names.length !== 1)).toEqual([]);
  await connection.close();
});
