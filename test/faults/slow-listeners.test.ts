import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, query, topic, type ConnectOptions } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { thinLines } from '../helpers/thin-line.ts';

const contract = defineContract({
  ask: query({ input: z.int(), output: z.int() }),
  feed: topic('feed', { event: z.object({ n: z.int(), text: z.string() }) }),
  large: query({ input: z.int(), output: z.string() }),
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A client on a line of 20 kB/s, of which the system takes 64 KiB at once. */
function world(options: ConnectOptions = {}) {
  const server = createServer(contract, {
    handlers: { ask: ({ input }) => input, feed: { authorize: () => true }, large: ({ input }) => 'x'.repeat(input) },
  });
  const lines = thinLines(server, { bytesPerSecond: 20_000, kernelBytes: 64 * 1024 });
  const connection = connect('ws://thin.test/', { WebSocket: lines.WebSocket, ...options });
  const losses: unknown[] = [];
  connection.on('happening', (happening) => {
    if (happening.what === 'lost') losses.push(happening.details);
  });
  return {
    server,
    connection,
    client: createClient(contract, connection),
    sockets: lines.sockets,
    losses,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server.close();
    },
  };
}

test('who listens at a third of the rate of a feed stays connected for 300 s, hears of every hole, and is answered', async () => {
  await using context = world();
  const { server, client } = context;
  let last = 0;
  let untold = 0;
  let holes = 0;
  let told = false;
  const subscription = client.feed().subscribe({
    event: ({ n }) => {
      if (n !== last + 1) {
        holes++;
        if (!told) untold++;
      }
      told = false;
      last = n;
    },
    gap: () => {
      told = true;
    },
  });
  await vi.advanceTimersByTimeAsync(1_000);
  await subscription.ready;
  const answered: Array<{ readonly id: number; readonly afterMs: number }> = [];
  const failed: unknown[] = [];
  const text = 'x'.repeat(960);
  let published = 0;
  for (let ms = 0; ms < 300_000; ms += 100) {
    // 60 kB/s of events of 1 kB.
    for (let count = 0; count < 6; count++) await server.topic('feed').publish({ n: ++published, text });
    if (ms % 50_000 === 25_000) {
      const askedAt = performance.now();
      client.ask(ms).then(
        (id) => answered.push({ id, afterMs: performance.now() - askedAt }),
        (error: unknown) => failed.push(error),
      );
    }
    await vi.advanceTimersByTimeAsync(100);
  }
  expect([context.losses, failed]).toEqual([[], []]);
  expect(context.connection.stats().reconnects).toBe(0);
  expect(answered.map(({ id }) => id)).toEqual([25_000, 75_000, 125_000, 175_000, 225_000, 275_000]);
  // 64 KiB of the system take 3.3 s of them, and one frame of 64 KiB as many.
  for (const { afterMs } of answered) expect(afterMs).toBeLessThan(8_000);
  // The line carried what it can, all of it in order, and the rest was told.
  expect(last).toBeGreaterThan(5_000);
  expect([holes > 0, untold]).toEqual([true, 0]);
}, 60_000);

/** Publishes three times what the line carries. */
async function flood({ server }: ReturnType<typeof world>, ms: number): Promise<void> {
  const text = 'x'.repeat(960);
  for (let past = 0; past < ms; past += 100) {
    for (let count = 0; count < 6; count++) await server.topic('feed').publish({ n: count, text });
    await vi.advanceTimersByTimeAsync(100);
  }
}

test('who only listens, and says nothing, stays connected as well', async () => {
  await using context = world();
  context.client.feed().subscribe({ event: () => undefined, gap: () => undefined });
  await vi.advanceTimersByTimeAsync(1_000);
  await flood(context, 300_000);
  expect(context.losses).toEqual([]);
}, 60_000);

test('one answer that takes longer than every heartbeat keeps its socket: the server sees bytes go', async () => {
  // A client that hears nothing of a frame before its end.
  await using context = world({ heartbeat: false });
  const answer = context.client.large(3 * 1024 * 1024, { timeoutMs: 200_000 });
  await vi.advanceTimersByTimeAsync(180_000);
  expect(context.losses).toEqual([]);
  expect(await answer).toHaveLength(3 * 1024 * 1024);
});

test('a line that dies while it is full is found as soon as one that dies empty', async () => {
  await using context = world();
  context.client.feed().subscribe({ event: () => undefined, gap: () => undefined });
  await vi.advanceTimersByTimeAsync(1_000);
  await flood(context, 31_000);
  const [socket] = context.sockets;
  socket!.dead = true;
  const diedAt = performance.now();
  await flood(context, 60_000);
  // Silence of 25 s, 10 s for an answer, and what the bytes before it take at 50 kB/s.
  expect(socket!.closedAt! - diedAt).toBeLessThan(25_000 + 10_000 + 2_000);
});
