import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import {
  connect,
  createClient,
  defineContract,
  mutation,
  query,
  stream,
  topic,
  type ConnectionStatus,
  type ConnectOptions,
} from '../../src/index.ts';
import { createServer, type Handlers, type ServerTimes } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { faultProxy, type FaultProxy } from '../../src/testing/faults.ts';
import { take } from '../helpers/read-stream.ts';

/*
 * What clients for typed calls over WebSockets do when things go wrong, case by case: in each case some of them hang,
 * lose, repeat or mislead. Each is held to the best that can be done.
 */

const contract = defineContract({
  look: query({ output: z.string() }),
  act: mutation({ output: z.string() }),
  count: stream({
    input: z.object({ to: z.number(), bytes: z.number() }),
    output: z.object({ n: z.number(), ballast: z.string() }),
  }),
  notes: topic('notes', { event: z.object({ n: z.number() }) }),
});

/** Handlers that wait to be released, and what they saw. */
function handling() {
  const seen = {
    /** Signals of the calls that ran, in their order. */
    signals: [] as AbortSignal[],
    acted: 0,
    made: 0,
    begun: (): void => undefined,
    release: (): void => undefined,
  };
  const held = new Promise<void>((resolve) => (seen.release = resolve));
  const begin = (signal: AbortSignal): void => {
    seen.signals.push(signal);
    seen.begun();
  };
  const handlers: Handlers<(typeof contract)['tree']> = {
    look: async ({ signal }) => {
      begin(signal);
      await held;
      return 'looked';
    },
    act: async ({ signal }) => {
      seen.acted++;
      begin(signal);
      await held;
      return 'acted';
    },
    async *count({ input }) {
      const ballast = 'x'.repeat(input.bytes);
      while (seen.made < input.to) yield { n: ++seen.made, ballast };
    },
    notes: { authorize: () => true },
  };
  return { seen, handlers, next: () => new Promise<void>((resolve) => (seen.begun = resolve)) };
}

/** Times so short that no fault takes long to be found, and so long that a busy machine is not taken for one. */
const BRISK: ConnectOptions = {
  connectTimeoutMs: 1_000,
  reconnect: { firstMs: 20, sharedFirstMs: 20, capMs: 50 },
  heartbeat: { intervalMs: 100, timeoutMs: 100, probeMs: 400 },
};

/** A client and a server over real sockets, with a faulty line between them. */
async function world({
  options = {},
  times = {},
  prepare = () => undefined,
}: { options?: ConnectOptions; times?: ServerTimes; prepare?: (proxy: FaultProxy) => void } = {}) {
  const { seen, handlers, next } = handling();
  const server = createServer(contract, { handlers, ...times });
  const listener = await listen(server, { port: 0 });
  const proxy = await faultProxy({ to: listener.port });
  prepare(proxy);
  const connection = connect(`ws://127.0.0.1:${String(proxy.port)}/ws`, { WebSocket, ...BRISK, ...options });
  return {
    client: createClient(contract, connection),
    connection,
    server,
    proxy,
    seen,
    next,
    reached: (state: ConnectionStatus['state']) =>
      new Promise<void>((resolve) => {
        const stop = connection.on('status', (status) => {
          if (status.state !== state) return;
          stop();
          resolve();
        });
      }),
    async [Symbol.asyncDispose]() {
      seen.release();
      await connection.close();
      proxy.thaw();
      await proxy.close();
      await listener.close();
    },
  };
}

describe('Socket killed with a call in flight:', () => {
  test.each(['look', 'act'] as const)('%s is answered on the next socket, of one run for what acts', async (name) => {
    await using context = await world();
    const begun = context.next();
    const answer = context.client[name]();
    await begun;
    const back = context.reached('connected');
    context.proxy.kill();
    await back;
    context.seen.release();
    expect(await answer).toBe(name === 'look' ? 'looked' : 'acted');
    expect(context.seen.acted).toBe(name === 'act' ? 1 : 0);
  });
});

describe('Server handler’s signal fires on that disconnect:', () => {
  test('not while the client may come back for its answer, and then when it is gone for good', async () => {
    await using context = await world({ times: { windowMs: 300 } });
    const begun = context.next();
    const answer = context.client.act().safe();
    await begun;
    const [signal] = context.seen.signals;
    const [lost, back] = [context.reached('waiting'), context.reached('connected')];
    context.proxy.kill();
    await lost;
    expect(signal!.aborted).toBe(false);
    await back;
    const gone = once(signal!, 'abort');
    context.proxy.refuse();
    context.proxy.kill();
    await gone;
    context.proxy.accept();
    expect((await answer).error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect(context.seen.acted).toBe(1);
  });
});

describe('Call made while the server is down:', () => {
  test('waits and is answered when the server is back, by default', async () => {
    await using context = await world({ prepare: (proxy) => proxy.refuse() });
    context.seen.release();
    const answer = context.client.act();
    await context.reached('waiting');
    context.proxy.accept();
    expect(await answer).toBe('acted');
    expect(context.seen.acted).toBe(1);
  });

  test('rejects at once where the app asked for that, and was not sent', async () => {
    await using context = await world({
      options: { whileOffline: 'fail' },
      prepare: (proxy) => proxy.refuse(),
    });
    const { error } = await context.client.act().safe();
    expect(error).toMatchObject({ code: 'OFFLINE', outcome: 'not-sent', retryable: true });
  });

  test('ends at its deadline when the server stays away, and was not sent', async () => {
    await using context = await world({ prepare: (proxy) => proxy.refuse() });
    const { error } = await context.client.act(undefined, { timeoutMs: 150 }).safe();
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent' });
  });
});

describe('Client aborts a query:', () => {
  test('it rejects at once, the handler’s signal fires, and the server keeps no work', async () => {
    await using context = await world();
    const abort = new AbortController();
    const begun = context.next();
    const answer = context.client.look(undefined, { signal: abort.signal }).safe();
    await begun;
    const stopped = once(context.seen.signals[0]!, 'abort');
    abort.abort();
    expect((await answer).error).toMatchObject({ code: 'ABORTED' });
    await stopped;
    context.seen.release();
  });
});

describe('Tracked stream across a kill:', () => {
  test('0 lost, 0 duplicated, one run; there is nothing untracked that could lose the cursor', async () => {
    await using context = await world();
    const items = context.client.count({ to: 400, bytes: 1_000 });
    const read = (await take(items, 100)).map(({ n }) => n);
    context.proxy.kill();
    read.push(...(await take(items, 100)).map(({ n }) => n));
    context.proxy.kill();
    for await (const { n } of items) read.push(n);
    expect(read).toEqual(Array.from({ length: 400 }, (_, at) => at + 1));
    expect(context.connection.stats().reconnects).toBeGreaterThanOrEqual(1);
  });
});

describe('Tracked event, then an untracked one, then a kill:', () => {
  test('every event has its position: none is replayed, none is lost', async () => {
    await using context = await world();
    const heard: number[] = [];
    const gaps: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      const event = ({ n }: { n: number }): void => {
        heard.push(n);
        if (n === 4) resolve();
      };
      context.client.notes().subscribe({ event, gap: (gap) => gaps.push(gap) });
    });
    await context.client.notes().subscribe({}).ready;
    const notes = context.server.topic('notes');
    await notes.publish({ n: 1 });
    await notes.publish({ n: 2 });
    context.proxy.kill();
    await notes.publish({ n: 3 });
    await context.reached('connected');
    await notes.publish({ n: 4 });
    await all;
    expect(heard).toEqual([1, 2, 3, 4]);
    expect(gaps).toEqual([]);
  });
});

describe('Half-open link:', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('with defaults, a call ends at its deadline, and the link is known to be dead within 40 s', async () => {
    vi.useFakeTimers();
    const { seen, handlers } = handling();
    await using pair = connectedPair(contract, handlers);
    seen.release();
    expect(await pair.client.act()).toBe('acted');
    pair.freeze();
    let error: unknown;
    void pair.client
      .act()
      .safe()
      .then((result) => (error = result.error));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(pair.connection.status.state).not.toBe('connected');
    pair.thaw();
  });

  test('with short keepalives, it is found by them, said to be lost, and the call is answered when it thaws', async () => {
    await using context = await world();
    const begun = context.next();
    const answer = context.client.act();
    await begun;
    const [lost, back] = [context.reached('waiting'), context.reached('connected')];
    context.proxy.freeze();
    await lost;
    context.proxy.thaw();
    await back;
    context.seen.release();
    expect(await answer).toBe('acted');
    expect(context.seen.acted).toBe(1);
  });
});

describe('Slow consumer, many items of 100 kB:', () => {
  test('the generator waits for its reader: no more than a window of items lies between them', async () => {
    await using context = await world({ options: { heartbeat: false } });
    let read = 0;
    let most = 0;
    let buffered = 0;
    for await (const { n } of context.client.count({ to: 200, bytes: 100_000 })) {
      expect(n).toBe(++read);
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, context.seen.made - read);
      buffered = Math.max(buffered, context.server.stats().buffered.max);
    }
    expect(read).toBe(200);
    expect(most).toBeLessThanOrEqual(32);
    expect(buffered).toBeLessThan(32 * 100_000);
  });
});

describe('Upgrade never answered (TCP accepts, then silence):', () => {
  test('the attempt fails by its limit, the call by its own, unsent; the next gets through', async () => {
    await using context = await world({
      options: { connectTimeoutMs: 100 },
      prepare: (proxy) => proxy.swallow(),
    });
    context.seen.release();
    const waiting = context.client.look();
    const { error } = await context.client.act(undefined, { timeoutMs: 50 }).safe();
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent' });
    await context.reached('waiting');
    context.proxy.accept();
    expect(await waiting).toBe('looked');
    expect(context.seen.acted).toBe(0);
  });
});

describe('After an outage of many attempts:', () => {
  test('it recovers by itself, with the call and the topic that were there before', async () => {
    await using context = await world();
    const heard = new Promise<number>((resolve) => {
      context.client.notes().subscribe(({ n }) => {
        resolve(n);
      });
    });
    await context.client.notes().subscribe({}).ready;
    const begun = context.next();
    const answer = context.client.act();
    await begun;
    context.proxy.refuse();
    context.proxy.kill();
    await new Promise<void>((resolve) => {
      context.connection.on('status', (status) => {
        if (status.state === 'waiting' && status.attempt >= 5) resolve();
      });
    });
    context.proxy.accept();
    await context.reached('connected');
    context.seen.release();
    await context.server.topic('notes').publish({ n: 7 });
    expect([await answer, await heard]).toEqual(['acted', 7]);
    expect(context.seen.acted).toBe(1);
  });
});
