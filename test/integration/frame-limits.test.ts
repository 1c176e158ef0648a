import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query, stream, topic, type Gap } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { frameLimit } from '../helpers/frame-limit.ts';
import { wholeFrames } from '../helpers/whole-frames.ts';

const contract = defineContract({
  note: mutation({ input: z.string(), output: z.int() }),
  ask: query({ input: z.string(), output: z.int() }),
  fetch: query({ input: z.int(), output: z.string() }),
  make: mutation({ input: z.int(), output: z.string() }),
  pages: stream({ input: z.array(z.int()), output: z.string() }),
  news: topic('news', { event: z.string() }),
  document: topic('document', { event: z.string(), snapshot: z.string() }),
});

const LARGE = 100_000;

/** With parts a line that takes none of them, which ends one after six losses; without, one that does not take the whole. */
const PEERS = [
  { peers: 'of two that speak of parts', limit: 6_000, isOld: false, losses: 6 },
  { peers: 'of two that do not', limit: 50_000, isOld: true, losses: 3 },
] as const;

async function world(
  way: 'up' | 'down',
  { limit, isOld }: { readonly limit: number; readonly isOld: boolean },
  options: { readonly limited?: 'client' | undefined; readonly state?: () => string } = {},
) {
  const ran: string[] = [];
  const server = createServer(contract, {
    handlers: {
      note: ({ input }) => ran.push(input.slice(0, 10)),
      ask: ({ input }) => input.length,
      fetch: ({ input }) => 'x'.repeat(input),
      make: ({ input }) => {
        ran.push(`make ${String(input)}`);
        return 'x'.repeat(input);
      },
      async *pages({ input }) {
        for (const size of input) yield await Promise.resolve('x'.repeat(size));
      },
      news: { authorize: () => true },
      document: { authorize: () => true, snapshot: options.state ?? (() => 'state') },
    },
  });
  const listener = await listen(isOld ? wholeFrames(server) : server);
  const maxPayload = options.limited === undefined ? undefined : limit;
  const proxy = await frameLimit(listener.port, way, options.limited === undefined ? limit : Infinity);
  const Limited = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { maxPayload });
    }
  };
  const connection = connect(`ws://127.0.0.1:${String(proxy.port)}${new URL(listener.url).pathname}`, {
    WebSocket: maxPayload === undefined ? WebSocket : Limited,
    timeoutMs: 10_000,
  });
  // What is tested is what is lost, not how long the policy waits.
  connection.on('status', ({ state }) => {
    if (state === 'waiting') connection.reconnect();
  });
  return {
    ran,
    proxy,
    server,
    connection,
    client: createClient(contract, connection),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await proxy[Symbol.asyncDispose]();
      await listener.close();
      await server.close();
    },
  };
}

describe.each(PEERS)('a line $peers that is reset at each frame above a size', (peers) => {
  for (const kind of ['note', 'ask'] as const) {
    test(`ends the one ${kind} that is too large for it; 60 others are answered, in the order in which they were made`, async () => {
      await using context = await world('up', peers);
      const { client, proxy, ran } = context;
      const call = client[kind];
      const small = (from: number) => Array.from({ length: 30 }, (_, index) => call(`small ${String(from + index)}`));
      const before = small(0);
      const large = call('x'.repeat(LARGE)).safe();
      const after = small(30);
      expect(await Promise.all([...before, ...after])).toHaveLength(60);
      expect((await large).error).toMatchObject({
        code: 'TOO_LARGE',
        outcome: kind === 'note' ? 'unknown' : 'rejected',
        path: kind,
      });
      if (kind === 'note') expect(ran).toEqual(Array.from({ length: 60 }, (_, index) => `small ${String(index)}`));
      expect(proxy.resets).toBe(peers.losses);
      expect(await call('and on')).toBeGreaterThan(0);
      expect(proxy.resets).toBe(peers.losses);
    });
  }

  test('ends each of three that are too large, and not the largest one among them that fits', async () => {
    await using context = await world('up', peers);
    const { client, proxy } = context;
    const fits = peers.isOld ? 40_000 : 5_000;
    const sizes = [LARGE, fits, LARGE + 1, LARGE + 2];
    const answers = await Promise.all(sizes.map((size) => client.ask('x'.repeat(size)).safe()));
    expect(answers.map((answer) => (answer.ok ? answer.data : answer.error.code))).toEqual([
      'TOO_LARGE',
      fits,
      'TOO_LARGE',
      'TOO_LARGE',
    ]);
    expect(proxy.resets).toBeLessThanOrEqual(peers.isOld ? 5 : 18);
  });
});

for (const [what, options] of [
  ['a line that is reset at each frame above a size, on the way to the client', {}],
  ['a client that takes no frames above a size', { limited: 'client' }],
] as const) {
  describe.each(PEERS)(`${what}, $peers`, (peers) => {
    test('costs the one query whose answer is too large; others are answered', async () => {
      await using context = await world('down', peers, options);
      const { client } = context;
      const small = Array.from({ length: 60 }, (_, index) => client.fetch(index));
      const large = client.fetch(LARGE).safe();
      expect((await Promise.all(small)).map(({ length }) => length)).toEqual(small.map((_, index) => index));
      expect((await large).error).toMatchObject({ code: 'TOO_LARGE', outcome: 'rejected' });
      expect(context.proxy.joined).toBeLessThanOrEqual(peers.losses + 1);
    });

    test('leaves the outcome of a mutation unknown whose answer is too large: it ran once', async () => {
      await using context = await world('down', peers, options);
      const { client, ran } = context;
      const large = client.make(LARGE).safe();
      expect(await client.make(3)).toBe('xxx');
      expect((await large).error).toMatchObject({ code: 'UNKNOWN_OUTCOME', outcome: 'unknown' });
      expect(ran.sort()).toEqual([`make ${String(LARGE)}`, 'make 3'].sort());
      expect(context.proxy.joined).toBeLessThanOrEqual(peers.losses + 1);
    });

    test('ends a stream at an item that is too large, behind those before it', async () => {
      await using context = await world('down', peers, options);
      const items: number[] = [];
      const read = async (): Promise<void> => {
        for await (const page of context.client.pages([1, 2, LARGE, 3])) items.push(page.length);
      };
      await expect(read()).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME', outcome: 'unknown' });
      expect(items).toEqual([1, 2]);
      expect(context.proxy.joined).toBeLessThanOrEqual(peers.losses + 1);
    });

    test('costs the one event that is too large: a gap is told over it, and the others come', async () => {
      await using context = await world('down', peers, options);
      const { client, server } = context;
      const heard: Array<number | Gap> = [];
      const complete = Promise.withResolvers<void>();
      const subscription = client.news().subscribe({
        event: ({ length }) => {
          heard.push(length);
          if (length === 5) complete.resolve();
        },
        gap: (gap) => heard.push(gap),
      });
      await subscription.ready;
      for (const size of [1, 2, LARGE, 4, 5]) await server.topic('news').publish('x'.repeat(size));
      await complete.promise;
      expect(heard.map((entry) => (typeof entry === 'number' ? entry : [entry.from?.[1], entry.to[1]]))).toEqual([
        1,
        2,
        [2, 3],
        4,
        5,
      ]);
      expect(context.proxy.joined).toBeLessThanOrEqual(peers.losses + 1);
    });

    test('costs the one event of a topic with a snapshot: the state comes once more', async () => {
      let state = 'before';
      await using context = await world('down', peers, { ...options, state: () => state });
      const { client, server } = context;
      const heard: string[] = [];
      const complete = Promise.withResolvers<void>();
      const subscription = client.document().subscribe({
        event: (event) => {
          heard.push(event);
          if (event === 'last') complete.resolve();
        },
        snapshot: (snapshot) => {
          heard.push(snapshot);
          if (snapshot === 'after') void server.topic('document').publish('last');
        },
        gap: () => heard.push('gap'),
      });
      await subscription.ready;
      state = 'after';
      await server.topic('document').publish('x'.repeat(LARGE));
      await complete.promise;
      expect(heard).toEqual(['before', 'gap', 'after', 'last']);
    });

    test('ends the subscription of a topic whose state is too large', async () => {
      await using context = await world('down', peers, { ...options, state: () => 'x'.repeat(LARGE) });
      const { client } = context;
      const subscription = client.document().subscribe({ event: () => undefined });
      const news = client.news().subscribe(() => undefined);
      await expect(subscription.ready).rejects.toMatchObject({ code: 'TOO_LARGE' });
      await news.ready;
      expect(await client.fetch(3)).toBe('xxx');
    });
  });
}

test('large answers over a line that is sound are no cause for anything, however many there are', async () => {
  await using context = await world('up', PEERS[0]);
  const { client, connection } = context;
  const reports = await Promise.all(Array.from({ length: 50 }, () => client.fetch(LARGE)));
  expect(reports.map(({ length }) => length)).toEqual(reports.map(() => LARGE));
  expect(connection.stats().reconnects).toBe(0);
});
