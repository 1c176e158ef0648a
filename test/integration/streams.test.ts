import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, stream } from '../../src/index.ts';
import { createServer, type Handlers } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { faultProxy } from '../../src/testing/faults.ts';
import { read, take } from '../helpers/read-stream.ts';

const contract = defineContract({
  count: stream({
    input: z.object({ to: z.number() }),
    output: z.number(),
    errors: { STUCK: z.object({ at: z.number() }) },
  }),
  stick: stream({ output: z.number(), errors: { STUCK: z.object({ at: z.number() }) } }),
});

/** Handlers, and what they did. */
function world() {
  let tellEnded = (): void => undefined;
  const run = {
    started: 0,
    made: 0,
    signal: undefined as AbortSignal | undefined,
    /** The generator reached its `finally`. */
    ended: new Promise<void>((resolve) => (tellEnded = resolve)),
  };
  const handlers: Handlers<(typeof contract)['tree']> = {
    async *count({ input, signal }) {
      run.started++;
      run.signal = signal;
      try {
        while (run.made < input.to) yield ++run.made;
      } finally {
        tellEnded();
      }
    },
    async *stick({ fail }) {
      yield 1;
      fail('STUCK', { at: 1 });
    },
  };
  return { run, handlers };
}

const FOR_EVER = 1e9;

test('a slow reader slows the generator: only a bounded number of items lies between them', async () => {
  const { run, handlers } = world();
  await using pair = connectedPair(contract, handlers);
  let read = 0;
  let most = 0;
  for await (const item of pair.client.count({ to: 300 })) {
    expect(item).toBe(++read);
    // Time enough for everything that is under way in memory.
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, run.made - read);
  }
  expect(read).toBe(300);
  expect(most).toBeGreaterThan(8);
  expect(most).toBeLessThanOrEqual(32);
});

test('a reader that stops stops the generator: its finally runs, its signal aborts', async () => {
  const { run, handlers } = world();
  await using pair = connectedPair(contract, handlers);
  for await (const item of pair.client.count({ to: FOR_EVER })) if (item === 40) break;
  await run.ended;
  expect(run.signal?.aborted).toBe(true);
  expect(pair.connection.stats().inFlight).toBe(0);
});

test('an abort stops the generator, and so does the end of the connection', async () => {
  const aborted = world();
  const closed = world();
  await using one = connectedPair(contract, aborted.handlers);
  await using other = connectedPair(contract, closed.handlers);
  const abort = new AbortController();
  const reading = one.client.count({ to: FOR_EVER }, { signal: abort.signal });
  await take(reading, 40);
  abort.abort();
  await expect(reading.next()).rejects.toMatchObject({ code: 'ABORTED' });
  await aborted.run.ended;

  const open = other.client.count({ to: FOR_EVER });
  await take(open, 40);
  await other.connection.close();
  await closed.run.ended;
});

test('a declared error arrives behind the items before it, with its data', async () => {
  await using pair = connectedPair(contract, world().handlers);
  const stuck = pair.client.stick();
  expect(await take(stuck, 1)).toEqual([1]);
  await expect(stuck.next()).rejects.toMatchObject({ code: 'STUCK', outcome: 'rejected' });
  expect(stuck.error?.code === 'STUCK' && stuck.error.data).toEqual({ at: 1 });
});

test('20 000 items over a line that is cut 60 times: each is read once, in order, of one run', async () => {
  const { run, handlers } = world();
  const listener = await listen(createServer(contract, { handlers }));
  await using proxy = await faultProxy({ to: listener.url, seed: 7 });
  proxy.cutAtRandom({ everyChunks: 4, most: 60 });
  const connection = connect(proxy.url, { WebSocket });
  // The policy would wait for seconds between so many cuts: what is tested is what is lost, not how long it takes.
  connection.on('status', ({ state }) => {
    if (state === 'waiting') connection.reconnect();
  });
  const reading = read(createClient(contract, connection).count({ to: 20_000 }));
  await reading.over;
  expect(reading.error).toBeUndefined();
  expect(reading.items).toEqual(Array.from({ length: 20_000 }, (_, at) => at + 1));
  expect(run.started).toBe(1);
  expect(proxy.cuts).toBe(60);
  await connection.close();
  await listener.close();
});

test('a server that comes back without its memory: what is here is read, then DISCONNECTED, and nothing starts again', async () => {
  const before = world();
  const after = world();
  const listeners = await Promise.all(
    [before, after].map(({ handlers }) => listen(createServer(contract, { handlers }))),
  );
  let at = 0;
  const connection = connect(() => listeners[at]!.url, { WebSocket });
  const counted = createClient(contract, connection).count({ to: FOR_EVER });
  await take(counted, 5);
  at = 1;
  connection.reconnect();
  const reading = read(counted);
  await reading.over;
  expect(reading.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
  expect(reading.items).toEqual(reading.items.map((_, n) => n + 6));
  expect(after.run.started).toBe(0);
  expect(connection.stats().inFlight).toBe(0);
  await connection.close();
  await Promise.all(listeners.map((listener) => listener.close()));
});
